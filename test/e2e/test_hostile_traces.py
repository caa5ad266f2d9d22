"""Attacks on what is left behind: text meant for the log, the control socket, names that would be
paths, and who may read which file."""
import os
import pwd
import re
import socket
import stat
import subprocess
import sys

import pytest

from appliance import BINARY, PATIENCE
from hostile import RECIPIENT, SENDER, bdat, plain, start_target
from messages import text
from proc import user_of
from wire import Wire, plain_token

pytestmark = pytest.mark.sanitized


@pytest.fixture(scope="module")
def relay(module_world):
    return start_target(module_world)


# ---- the log

HOSTILE_TEXT = [b"x\x1b[2J\x1b[31m", b"x\xc2\x9b31m", b"x event=delivered msg=FAKE", b'x" event="y',
                b"x\x7f\x08\x08", b"\xff\xfe", "x\u202eevil".encode(), b"x\\x0aevent=y", b"%n%s%x"]


def raw_log(relay):
    return (relay.folder / "log").read_bytes()


def test_nothing_a_client_says_forges_the_log(relay):
    mark = relay.log.mark()
    size = len(raw_log(relay))
    for words in HOSTILE_TEXT:
        with Wire(relay, name="plain", tls=False, login=False) as one:
            one.raw(b"EHLO " + words + b"\r\nMAIL FROM:<" + words + b"@shop.example>\r\n")
            one.replies(2)
            token = plain_token(words.decode("latin-1"), "x\nevent=delivered")
            one.say("AUTH PLAIN " + token)
        with plain(relay) as one:
            one.say(b"MAIL FROM:<" + words + b"@bank.example> SMTPUTF8")
            one.raw(b"RSET\r\nMAIL FROM:<news@shop.example>\r\nRCPT TO:<" + words + b"@dest.example>\r\n")
            one.replies(3)
            bdat_header = b"From: news@shop.example\r\nSubject: " + words + b"\r\nX-Staffetta-Campaign: " \
                + words + b"\r\nList-ID: " + words + b"\r\nMessage-ID: <" + words + b"@x>\r\n\r\nx\r\n"
            one.say("RSET")
            bdat(one, bdat_header)
    relay.log.wait("queued", count=len(HOSTILE_TEXT), after=mark, timeout=30 * PATIENCE)
    new = raw_log(relay)[size:]
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]", new)
    new.decode("utf-8")
    assert not relay.log.all("delivered", after=mark, msg="FAKE")
    assert not {e.name for e in relay.log.events} & {"y", "evil", "y\\"}


# ---- the control socket

def speak(relay, octets, wait=5):
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(wait * PATIENCE)
        one.connect(str(relay.folder / "run/control.sock"))
        try:
            one.sendall(octets)
        except OSError:
            pass
        answer = b""
        try:
            while True:
                more = one.recv(65536)
                if not more:
                    break
                answer += more
        except OSError:
            pass
        return answer


END = b"Connection: close\r\n\r\n"


@pytest.mark.parametrize("octets,codes", [
    (b"GET /api/v1/../../etc/passwd HTTP/1.1\r\nHost: x\r\n" + END, (400, 404)),
    (b"GET /../../../../etc/passwd HTTP/1.1\r\nHost: x\r\n" + END, (400, 404)),
    (b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\n" + END, (400, 404)),
    (b"GET /api/v1/queue/..%2f..%2fetc HTTP/1.1\r\nHost: x\r\n" + END, (400, 404, 422)),
    (b"GET /api/v1/queue/%00 HTTP/1.1\r\nHost: x\r\n" + END, (400, 404, 422)),
    (b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"
     + END + b"0\r\n\r\n", (400,)),
    (b"POST /api/v1/users HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n"
     + END + b"{}", (400,)),
    (b"POST /api/v1/users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
     b"Content-Length: -1\r\n" + END, (400,)),
    (b"POST /api/v1/users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
     b"Content-Length: 99999999999\r\n" + END, (400, 413)),
    (b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100000 + b"\r\n" + END,
     (400, 413, 414, 431)),
    (b"GET /" + b"y" * 100000 + b" HTTP/1.1\r\nHost: x\r\n" + END, (400, 404, 413, 414, 431)),
    (b"BREW /api/v1/health HTTP/1.1\r\nHost: x\r\n" + END, (400, 404, 405, 501)),
    (b"DELETE /api/v1/health HTTP/1.1\r\nHost: x\r\n" + END, (404, 405)),
])
def test_hostile_http(relay, octets, codes):
    answer = speak(relay, octets)
    assert b"root:" not in answer
    status = int(answer.split()[1]) if answer.startswith(b"HTTP/1.") else 0
    assert status in codes or answer == b"", answer[:300]  # or closed without a word
    assert relay.command("health").returncode == 0


@pytest.mark.parametrize("words", [
    ("queue", "show", "../../../etc/passwd"), ("queue", "show", "A/B"),
    ("queue", "delete", "%2e%2e"), ("domain", "add", "../../etc"), ("domain", "add", "a/b.example"),
    ("domain", "add", "a\nb.example"), ("dkim", "new", "../../evil.example"),
    ("dkim", "new", "shop.example", "--selector", "../../evil"),
    ("dkim", "new", "shop.example", "--selector", "a/b"), ("dkim", "new", "shop.example", "--selector", "."),
    ("dkim", "new", "shop.example", "--selector", ""),
    ("dkim", "new", "shop.example", "--selector", "s\n._domainkey"), ("user", "add", "a\nb@shop.example"),
    ("user", "add", "x", "--sender", "*@*"), ("user", "add", "../x@shop.example/..", "--generate")])
def test_names_that_would_be_paths(relay, words):
    if words[0] == "dkim" and words[2:]:
        relay.command("domain", "add", "shop.example")
    done = relay.command(*words)
    assert done.returncode not in (0, -6, -11, 99), (words, done.stdout, done.stderr)
    data = relay.folder / "data"
    outside = [p for p in relay.folder.rglob("*evil*")] + [p for p in data.parent.glob("etc*")]
    assert not outside


# ---- who may read what

def walk(folder):
    for path, _, names in os.walk(folder):
        for name in names + ["."]:
            yield os.path.join(path, name)


def as_user(name, words):
    account = pwd.getpwnam(name)
    return subprocess.run(
        ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--",
         *words], capture_output=True, timeout=30, check=False)


READ_ALL = r"""
import os, sys
for path, _, names in os.walk(sys.argv[1]):
    for name in names:
        whole = os.path.join(path, name)
        try:
            with open(whole, "rb") as file:
                file.read(1)
            print(whole)
        except OSError:
            pass
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs other users")
def test_who_may_read_what(world, certificate):
    relay = world.relay_to(world.sink(), user="staffetta")
    login = relay.add_user(SENDER)
    relay.cli("domain", "add", "shop.example")
    relay.cli("dkim", "new", "shop.example")
    relay.wait_delivered(relay.send(login, SENDER, RECIPIENT, text("secret words")))
    for folder in ("data", "spool", "run"):
        readable = as_user("nobody", [sys.executable, "-c", READ_ALL, str(relay.folder / folder)])
        assert readable.stdout == b"", readable.stdout
        for path in walk(relay.folder / folder):
            mode = os.lstat(path).st_mode
            assert not mode & stat.S_IRWXO or path.endswith(("/data/.", "/run/.")), (path, oct(mode))
    keys = as_user("staffetta", [sys.executable, "-c", READ_ALL, str(relay.folder / "data/keys")])
    assert keys.stdout == b"", keys.stdout
    listed = as_user("staffetta", ["ls", str(relay.folder / "data/keys")])
    assert listed.returncode != 0, listed.stdout
    for user in ("nobody", "staffetta-sign"):
        health = as_user(user, [str(BINARY), "--socket", str(relay.folder / "run/control.sock"),
                                "user", "list"])
        assert health.returncode != 0, (user, health.stdout)
    owners = {pid: user_of(pid) for pid in relay.children()}
    assert len(set(owners.values())) == 2, owners  # relay and signer as different users


@pytest.mark.skipif(os.geteuid() != 0, reason="looks into other processes")
def test_secrets_stand_nowhere(world):
    """Neither password nor key in logs, databases, the spool, environments or command lines."""
    sink = world.sink()
    relay = world.appliance(f'route "*" {{ via = "{sink.address}"  user = "us" '
                            'password = "sMarthost9secret" }\n')
    login = relay.add_user(SENDER)
    given = "correct horse battery staple"
    relay.cli("user", "password", SENDER, "--password-stdin", stdin=given + "\n")
    relay.cli("domain", "add", "shop.example")
    relay.cli("dkim", "new", "shop.example")
    with Wire(relay, login=False) as one:
        one.say("AUTH PLAIN " + plain_token(SENDER, login[1]))
    with Wire(relay, login=False) as one:
        assert one.say("AUTH PLAIN " + plain_token(SENDER, given)).startswith("235")
        one.say(f"MAIL FROM:<{SENDER}>")
    relay.cli("--json", "config", "show")
    secrets = [login[1].encode(), given.encode(), b"sMarthost9secret",
               plain_token(SENDER, given).encode(), plain_token(SENDER, login[1]).encode(),
               b"PRIVATE KEY"]
    places = [p for p in walk(relay.folder) if os.path.isfile(p)
              and "/data/keys/" not in p and not p.endswith("staffetta.conf")]
    for pid in [relay.process.pid, *relay.children()]:
        places += [f"/proc/{pid}/environ", f"/proc/{pid}/cmdline"]
    for place in places:
        with open(place, "rb") as file:
            octets = file.read()
        assert not [s for s in secrets if s in octets], place
    for pid in relay.children():
        with open(f"/proc/{pid}/limits", encoding="ascii") as file:
            core = next(line for line in file if line.startswith("Max core file size"))
        assert core.split()[4] == "0", core
    for shown in (relay.cli("config", "show"), relay.cli("--json", "user", "list")):
        assert not [s for s in secrets if s.decode() in shown]
