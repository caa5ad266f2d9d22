"""The HTTP API on control.sock and the command line over it: every verb, every refusal."""
import http.client
import json
import os
import re
import socket
import subprocess
import time
import urllib.parse

import pytest

from appliance import BINARY, LISTENERS, PATIENCE, wait_for
from messages import text

pytestmark = pytest.mark.sanitized
API = "/api/v1"
SENDER = "news@shop.example"
USAGE, DATA, NO_INPUT, NO_USER, UNAVAILABLE, EXISTS, BUSY, CONFIG = 64, 65, 66, 67, 69, 73, 75, 78


class Control(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60 * PATIENCE)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(relay, method, path, body=None, raw=None):
    """(status, headers, parsed body or None)."""
    connection = Control(relay.folder / "run/control.sock")
    octets = raw if raw is not None else None if body is None else json.dumps(body)
    connection.request(method, path, octets, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, answer.headers, json.loads(content) if content else None


def problem(relay, method, path, body=None, raw=None):
    """(status, code) of a refusal, which must be a whole problem document."""
    status, headers, said = ask(relay, method, path, body, raw)
    assert status >= 400, said
    assert headers["Content-Type"] == "application/problem+json"
    assert said["status"] == status and said["title"] and said["detail"], said
    assert said["type"] == "about:blank"
    return status, said["code"]


def fails(relay, *words, stdin=None):
    """The exit code of a verb that must not succeed, and that must say why."""
    done = relay.command(*words, stdin=stdin)
    assert done.returncode != 0, done.stdout
    assert done.stderr.strip() and done.stdout == "", (done.stdout, done.stderr)
    return done.returncode


@pytest.fixture(scope="module")
def relay(module_world):
    """All mail is deferred for an hour."""
    receiver = module_world.receiver({"RCPT": "450 4.2.1 Come back"})
    service = module_world.relay_to(receiver, 'delivery { retry = { "1h" } }\n')
    service.login = service.add_user(SENDER)
    return service


# ---- health, version, settings

def test_health_and_version(relay):
    status, _, said = ask(relay, "GET", API + "/health")
    assert status == 200 and said["status"] == "ready" and said["ready"] and said["queue"]
    assert said["listeners"] >= 2 and not said["disk_full"] and said["started"].endswith("Z")
    wait_for(lambda: ask(relay, "GET", API + "/health")[2]["signer"], "the signer answers")
    assert ask(relay, "GET", "/healthz")[0] == ask(relay, "GET", "/readyz")[0] == 200
    assert relay.json("health")[0]["status"] == "ready"
    assert "ready" in relay.cli("health")
    said = ask(relay, "GET", API + "/version")[2]
    assert relay.json("version") == [said] and said["name"] == "staffetta"


def test_health_says_when_nobody_is_there(world):
    relay = world.appliance()
    relay.cli("health")
    relay.stop()
    assert relay.command("health").returncode == UNAVAILABLE
    done = relay.command("--socket", "/nonexistent/control.sock", "user", "list")
    assert done.returncode == UNAVAILABLE and "/nonexistent/control.sock" in done.stderr


def test_settings_are_shown_and_secrets_are_not(world):
    relay = world.appliance('route "*" { via = "127.0.0.1:9"  user = "us"  password = "seKret9" }\n'
                            'limits { recipients = 500 }\n')
    for words in (["config", "show"], ["config", "show", "--changed"],
                  ["config", "show", "--explain"], ["--json", "config", "show"]):
        assert "seKret9" not in relay.cli(*words)
    changed = {(row["section"], row["name"]): row for row in relay.json("config", "show", "--changed")}
    assert changed["limits", "recipients"]["value"] == "500"
    assert changed["limits", "recipients"]["default"] == "1000"
    assert changed["route", "password"]["value"] == "***"
    assert {row["title"] for row in relay.json("config", "show") if row["section"] == "listen"} == {
        "submission", "submissions"}
    assert ("delivery", "port") not in changed
    everything = relay.json("config", "show")
    assert {row["name"] for row in everything} > {"hostname", "port", "retry", "engine"}
    assert all(row["help"] and row["type"] for row in everything)
    assert "RFC 5321" in relay.cli("config", "show", "--explain")
    assert "limits.recipients = 500" in relay.cli("config", "show").splitlines()


@pytest.mark.parametrize("line,words", [
    ("nonsense = 1", "no such option"),
    ("hostname = a b", ":2:"),
    ('limits { message_size = "12 parsecs" }', "message_size"),
    ('limits { recipients = 5 }', "100..100000"),
    ('listen "x" { }', "no address"),
    ('listen "x" { address = "nowhere" }', "ADDRESS:PORT"),
    ('listen "x" { address = "127.0.0.1:1" }\nlisten "x" { address = "127.0.0.1:2" }', "duplicate"),
    ('route "*" { }', "no via"),
    ('route "*" { via = "host:port:x" }', "via"),
    ('route "*" { via = "127.0.0.1:70000" }', "via"),
    ('tls "default" { certificate = "/c" }', "key"),
    ('delivery { allow_mx = "10.0.0.0/33" }', "allow_mx"),
    ('delivery { retry = { "5x" } }', "retry"),
    ('hostname = "bad host"', "hostname"),
    ('hostname = "a\\r\\nMAIL"', "hostname"),
    ('data_dir = "relative"', "data_dir"),
    ('run_dir = "/' + "r" * 120 + '"', "run_dir"),
    ('dkim { expire = true }\ndelivery { expire = "6d" }', "5d"),
])
def test_a_bad_settings_file_is_named_with_its_line(world, folder, line, words):
    path = folder / "bad.conf"
    path.write_text("user = \"x\"\n" + line + "\n")
    relay = world.appliance(start=False)
    done = relay.command("config", "check", path)
    assert done.returncode == CONFIG, done
    assert words in done.stderr and str(path) in done.stderr, done.stderr
    assert relay.command("config", "check", "--config", path).returncode == CONFIG
    done = subprocess.run([BINARY, "serve", "--config", path],
                          capture_output=True, timeout=60 * PATIENCE, check=False)
    assert done.returncode == CONFIG, done


def test_a_good_settings_file_needs_no_service(world, folder):
    path = folder / "good.conf"
    path.write_text('hostname = "relay.example"\n')
    relay = world.appliance(start=False)
    assert str(path) in relay.cli("config", "check", path)
    assert relay.json("config", "check", "--config", path) == [{"file": str(path), "good": True}]
    assert relay.command("config", "check", folder / "absent").returncode == CONFIG


# ---- users

def test_users(relay):
    assert fails(relay, "user", "add", "plain", "--generate") == USAGE
    assert fails(relay, "user", "add", "plain", "--generate", "--password-stdin",
                 "--sender", "shop.example") == USAGE
    password = relay.cli("user", "add", "plain", "--sender", "shop.example", "--sender",
                         "ann@other.example", "--network", "192.0.2.0/24", "--generate")
    assert password.count("\n") == 1 and len(password.strip()) >= 20
    shown = relay.json("user", "show", "plain")[0]
    assert sorted(shown["senders"]) == ["ann@other.example", "shop.example"]
    assert shown["networks"] == ["192.0.2.0/24"] and shown["enabled"] and shown["credentials"] == 1
    assert shown["last_used"] is None and "password" not in shown
    assert "192.0.2.0/24" in relay.cli("user", "show", "plain")
    assert fails(relay, "user", "add", "plain", "--generate", "--sender", "x.example") == EXISTS
    relay.cli("user", "limit", "plain", "sessions=3", "trace=full", "--sender", "*")
    shown = relay.json("user", "show", "plain")[0]
    assert shown["limits"]["sessions"] == 3 and shown["trace"] == "full" and shown["senders"] == ["*"]
    assert fails(relay, "user", "limit", "plain", "sessions=many") == DATA
    assert fails(relay, "user", "limit", "plain", "nonsense=1") == DATA
    assert fails(relay, "user", "limit", "plain") == USAGE
    assert fails(relay, "user", "limit", "plain", "sessions") == USAGE
    for verb in ("show", "enable", "disable", "delete"):
        assert fails(relay, "user", verb, "nobody") == NO_USER
    assert fails(relay, "user", "password", "nobody", "--generate") == NO_USER
    assert fails(relay, "user", "limit", "nobody", "sessions=1") == NO_USER
    assert fails(relay, "user", "password", "plain") == USAGE
    assert len(relay.cli("user", "password", "plain", "--generate").strip()) >= 20
    relay.cli("user", "disable", "plain")
    assert not relay.json("user", "show", "plain")[0]["enabled"]
    relay.cli("user", "delete", "plain")
    assert "plain" not in [row["name"] for row in relay.json("user", "list")]


@pytest.mark.parametrize("stdin,code", [
    ("short\n", DATA), ("", DATA), ("news@shop.example news\0more\n", DATA), ("\n", DATA)])
def test_passwords_that_are_refused(relay, stdin, code):
    assert fails(relay, "user", "add", "weak@shop.example", "--password-stdin", stdin=stdin) == code
    assert fails(relay, "user", "show", "weak@shop.example") == NO_USER


def test_a_user_without_a_password_sends_from_its_network_only(relay):
    relay.cli("user", "add", "host@shop.example", "--network", "198.51.100.7/32")
    assert relay.json("user", "show", "host@shop.example")[0]["credentials"] == 0
    with pytest.raises(Exception, match="535"):
        relay.client(("host@shop.example", ""))
    relay.cli("user", "delete", "host@shop.example")
    assert relay.json("network", "list") == []


def test_options_stand_anywhere(relay):
    socket_path = relay.folder / "run/control.sock"
    for words in (["--json", "user", "list"], ["user", "--json", "list"], ["user", "list", "--json"],
                  [f"--socket={socket_path}", "user", "list", "--json"],
                  ["user", "--socket", socket_path, "list", "--json"]):
        assert json.loads(relay.cli(*words).splitlines()[0])["name"]
    relay.cli("network", "add", "--user", SENDER, "203.0.113.0/24")
    relay.cli("network", "delete", "--", "203.0.113.0/24")
    assert "usage" in relay.cli("help") and "--sender" in relay.cli("user", "add", "--help")


@pytest.mark.parametrize("words", [
    [], ["nonsense"], ["user"], ["user", "nonsense"], ["user", "show"], ["user", "list", "more"],
    ["user", "show", ""], ["user", "list", "--nonsense"], ["user", "add", "a@b.example", "--sender"],
    ["user", "add", "a@b.example", "--generate=yes"], ["--socket"], ["queue", "list", "--limit", "x"],
    ["queue", "delete"], ["queue", "delete", "--user", ""], ["queue", "show"], ["backup", "list"],
    ["destination", "suspend", "dest.example"], ["network", "add", "10.0.0.0/8"],
    ["destination", "suspend", "dest.example", "--reason", "r", "--for", "soon"],
    ["dkim", "new", "shop.example", "--type", "rsa4096"], ["queue", "list", "--state", "lost"]])
def test_usage(relay, words):
    relay.command("domain", "add", "shop.example")
    done = relay.command(*words)
    assert done.returncode == USAGE and done.stderr, done


def test_words_that_are_no_utf8_are_refused(relay):
    done = relay.command("queue", "delete", "--user", SENDER, "--dest", os.fsdecode(b"\xff.example"))
    assert done.returncode == USAGE and "UTF-8" in done.stderr


# ---- networks and domains

def test_networks(relay):
    relay.cli("network", "add", "10.1.0.0/16", "--user", SENDER)
    relay.cli("network", "add", "2001:db8::/32", "--user", SENDER)
    assert fails(relay, "network", "add", "10.1.0.0/16", "--user", SENDER) == EXISTS
    assert fails(relay, "network", "add", "10.2.0.0/16", "--user", "nobody") == NO_USER
    assert fails(relay, "network", "add", "10.1.0.1", "--user", "nobody") == NO_USER
    assert fails(relay, "network", "add", "10.1.0.0/99", "--user", SENDER) == DATA
    assert relay.json("network", "list") == [
        {"network": "10.1.0.0/16", "user": SENDER}, {"network": "2001:db8::/32", "user": SENDER}]
    assert fails(relay, "network", "delete", "10.3.0.0/16") == NO_USER
    status, _, _ = ask(relay, "DELETE", f"{API}/networks/{urllib.parse.quote('10.1.0.0/16', safe='')}")
    assert status == 204
    relay.cli("network", "delete", "2001:db8::/32")
    assert relay.json("network", "list") == []


def test_domains(relay):
    relay.cli("domain", "add", "Bücher.example", "--require-signing")
    row = [r for r in relay.json("domain", "list") if r["requires_signing"]][0]
    assert row["name"] == "xn--bcher-kva.example" and row["keys"] == []
    assert fails(relay, "domain", "add", "bücher.EXAMPLE") == EXISTS
    assert fails(relay, "domain", "add", "not a domain") == DATA
    quoted = urllib.parse.quote("Bücher.example")
    assert ask(relay, "GET", f"{API}/domains/{quoted}")[2]["name"] == "xn--bcher-kva.example"
    assert ask(relay, "POST", f"{API}/domains/{quoted}:options", {"requires_signing": False})[0] == 204
    assert not ask(relay, "GET", f"{API}/domains/{quoted}")[2]["requires_signing"]
    assert problem(relay, "POST", f"{API}/domains/{quoted}:options") == (422, "missing_field")
    relay.cli("domain", "delete", "Bücher.example")
    assert fails(relay, "domain", "delete", "xn--bcher-kva.example") == NO_USER


# ---- keys

def test_keys(relay, folder):
    assert fails(relay, "dkim", "new", "unknown.example") == NO_USER
    relay.cli("domain", "add", "keys.example")
    made = relay.json("dkim", "new", "keys.example", "--selector", "s1")
    assert [(row["selector"], row["type"], row["active"]) for row in made] == [
        ("s1", "rsa", True), ("s1-ed", "ed25519", True)]
    assert made[0]["record_name"] == "s1._domainkey.keys.example"
    assert made[0]["value"].startswith("v=DKIM1; k=rsa; p=") and made[0]["bind"].endswith(")")
    printed = relay.cli("dkim", "dns", "keys.example", "--selector", "s1")
    assert made[0]["value"] in printed and made[0]["bind"] in printed and "s1-ed" not in printed
    assert fails(relay, "dkim", "dns", "keys.example", "--selector", "s9") == NO_USER
    assert fails(relay, "dkim", "new", "keys.example", "--selector", "s1") == EXISTS
    assert fails(relay, "dkim", "new", "keys.example", "--selector", "a b") == DATA
    assert fails(relay, "dkim", "new", "keys.example", "--selector", "s" * 300) == DATA
    second = relay.json("dkim", "new", "keys.example", "--selector", "s2", "--type", "ed25519")
    assert [(row["selector"], row["active"]) for row in second] == [("s2", False)]
    listed = [r for r in relay.json("dkim", "list") if r["domain"] == "keys.example"]
    assert sorted(r["selector"] for r in listed) == ["s1", "s1-ed", "s2"]
    assert all(r["judged"] for r in listed)


def test_imported_keys(relay, folder):
    relay.cli("domain", "add", "imported.example")
    pem = folder / "key.pem"
    subprocess.run(["openssl", "genrsa", "-out", pem, "2048"], check=True, capture_output=True)
    made = relay.json("dkim", "new", "imported.example", "--import", pem, "--selector", "old")
    public = subprocess.run(["openssl", "rsa", "-in", pem, "-pubout"], check=True,
                            capture_output=True, text=True).stdout
    assert made[0]["active"] and "".join(public.splitlines()[1:-1]) in made[0]["value"]
    assert fails(relay, "dkim", "new", "imported.example", "--import", "/dev/null") == DATA
    assert fails(relay, "dkim", "new", "imported.example", "--import", folder / "no") == NO_INPUT
    pem.write_text("-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n")
    assert fails(relay, "dkim", "new", "imported.example", "--import", pem, "--selector", "n") == DATA
    assert [r["selector"] for r in relay.json("dkim", "list") if r["domain"] == "imported.example"] \
        == ["old"]


def test_a_deleted_domain_takes_its_private_keys_along(relay):
    keys = relay.folder / "data/keys"
    relay.cli("domain", "add", "gone.example")
    relay.cli("dkim", "new", "gone.example", "--selector", "s1")
    assert list(keys.rglob("*gone.example*"))
    relay.cli("domain", "delete", "gone.example")
    assert not list(keys.rglob("*gone.example*"))
    relay.cli("domain", "add", "gone.example")
    relay.cli("dkim", "new", "gone.example", "--selector", "s1")
    relay.cli("domain", "delete", "gone.example")


def test_domain_check_compares_with_dns(world):
    dns = world.name_server({"example": ""})
    relay = world.appliance(dns.settings())
    relay.cli("domain", "add", "shop.example")
    assert relay.command("domain", "check", "shop.example").returncode == DATA  # nothing to sign with
    made = {row["type"]: row for row in relay.json("dkim", "new", "shop.example", "--selector", "s1")}

    def check():
        done = relay.command("--json", "domain", "check", "shop.example")
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        return done.returncode, {row["type"]: row["finding"] for row in rows}

    assert check() == (DATA, {"rsa": "missing", "ed25519": "missing"})
    dns.add("example", "\n".join(f"{r['record_name']}. 0 TXT {r['strings']}" for r in made.values()))
    relay.restart()  # nothing is remembered of the names that did not exist
    assert check() == (0, {"rsa": "ok", "ed25519": "ok"})
    broken = made["rsa"]["strings"].replace("p=MII", "p=MIJ")
    dns.set_zone("example", f"{made['rsa']['record_name']}. 0 TXT {broken}\n"
                            f"{made['ed25519']['record_name']}. 0 TXT {made['ed25519']['strings']}")
    relay.restart()
    code, found = check()
    assert code == DATA and found == {"rsa": "differs", "ed25519": "ok"}
    published = {row["type"]: row["found"]
                 for row in ask(relay, "POST", f"{API}/domains/shop.example:check")[2]["items"]}
    assert published == {"rsa": [made["rsa"]["value"].replace("p=MII", "p=MIJ")],
                         "ed25519": [made["ed25519"]["value"]]}
    assert fails(relay, "domain", "check", "unknown.example") == NO_USER


# ---- the queue

def deferred(relay, to="ann@dest.example"):
    mark = relay.log.mark()
    identifier = relay.send(relay.login, SENDER, to, text("s", to=to))
    relay.log.wait("deferred", after=mark, msg=identifier, timeout=30 * PATIENCE)
    return identifier


def settled(relay, ids, state):
    """Commands are answered when they are ordered; rows follow with the next commit."""
    def look():
        rows = {row["id"]: row for row in relay.queue()}
        return all(i in rows and rows[i]["recipients"][0]["state"] == state for i in ids)
    wait_for(look, f"{ids} are {state}")


def test_the_queue(relay):
    one, two = deferred(relay), deferred(relay, "bob@else.example")
    item = ask(relay, "GET", f"{API}/queue/{one}")[2]
    assert item == relay.json("queue", "show", one)[0]
    assert item["recipients"][0]["n"] == 1 and item["class"] == "bulk" and item["expires"]
    done = relay.command("--json", "queue", "show", "-", stdin=f"{one}\n\n{two}\n")
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [one, two]
    assert [r["id"] for r in relay.json("queue", "show", "--dest", "else.example")] == [two]
    assert {r["id"] for r in relay.json("queue", "show", "--all")} >= {one, two}
    pages, cursor = [], ""
    while cursor is not None:
        page = ask(relay, "GET", f"{API}/queue?limit=1" + (f"&cursor={cursor}" if cursor else ""))[2]
        pages += [r["id"] for r in page["items"]]
        cursor = page["next_cursor"]
    assert [i for i in pages if i in (one, two)] == [one, two] and len(pages) == len(set(pages))
    assert relay.json("queue", "list", "--state", "sending") == []
    assert [r["id"] for r in relay.json("queue", "list", "--from", "shop.example", "--limit", "1")]
    why = relay.json("queue", "why", one)[0]
    assert why["why"] == "retry_time" and why["until"] and why["sentence"] and why["n"] == 1
    assert relay.json("queue", "why", "dest.example")
    summary = relay.json("queue", "summary")[0]
    assert summary["by_state"]["deferred"] >= 2 and summary["recipients"] >= 2
    assert {"domain": "else.example", "recipients": 1} in summary["domains"]
    assert "else.example" in relay.cli("queue", "summary")
    relay.cli("queue", "delete", one, two, "--reason", "the test is over")
    relay.log.wait("deleted", msg=two)
    assert fails(relay, "queue", "show", one) == NO_USER
    assert relay.log.all("queue_command", verb="delete", reason="the test is over")


def test_orders(relay):
    ids = [deferred(relay, f"r{i}@dest.example") for i in range(3)]
    dry = relay.json("queue", "delete", "--user", SENDER, "--dry-run")[0]
    assert dry["selected"] == 3 and dry["dry_run"] and dry["by_state"]["deferred"] == 3
    assert relay.json("queue", "hold", "--dest", "dest.example")[0]["selected"] == 3
    settled(relay, ids, "held")
    assert len(relay.json("queue", "list", "--state", "held")) == 3
    assert relay.json("queue", "why", ids[0])[0]["why"] == "held"
    assert relay.json("queue", "release", ids[0].lower())[0]["selected"] == 1
    relay.log.wait("released", msg=ids[0])
    done = relay.command("--json", "queue", "delete", "-", stdin="\n".join(ids) + "\n")
    assert json.loads(done.stdout)["selected"] == 3
    relay.log.wait("deleted", msg=ids[2])
    wait_for(lambda: not relay.queue(), "all are gone")
    assert relay.command("queue", "delete", ids[0]).returncode == NO_USER
    assert relay.json("queue", "retry", "--all")[0]["selected"] == 0
    assert fails(relay, "queue", "delete", "not/an/id") == DATA
    assert fails(relay, "queue", "delete", "-", stdin="\n") == DATA
    assert fails(relay, "queue", "delete", "--from", "shop.example") == USAGE
    assert fails(relay, "queue", "delete", "--user", "nobody") == NO_USER
    many = "\n".join(f"{i:010d}" for i in range(1, 45001))
    done = relay.command("--json", "queue", "delete", "-", stdin=many)
    assert done.returncode == NO_USER and json.loads(done.stdout)["selected"] == 0


@pytest.mark.parametrize("body,code", [
    ({}, "nothing_selected"), ({"ids": []}, "nothing_selected"),
    ({"ids": [], "user": SENDER}, "nothing_selected"), ({"all": False}, "nothing_selected"),
    ({"ids": ["/"]}, "bad_id"), ({"ids": [1], "all": True}, "bad_field"),
    ({"dest": 5, "all": True}, "bad_field"), ({"dest": "", "user": SENDER}, "bad_field"),
    ({"dest": None, "user": SENDER}, "bad_field"), ({"all": "yes"}, "bad_field"),
    ({"user": SENDER, "sender": "x@shop.example"}, "unknown_field"),
    ({"from": "shop.example"}, "bad_from")])
def test_an_order_never_reaches_more_than_was_meant(relay, body, code):
    assert problem(relay, "POST", API + "/queue:delete", body) == (422, code)


def test_rebuild_is_refused_while_the_service_runs(relay):
    done = relay.command("queue", "rebuild", "--config", relay.config_file)
    assert done.returncode == BUSY and "running" in done.stderr
    assert relay.command("queue", "rebuild", "--config", "/nonexistent").returncode == CONFIG


# ---- destinations

def test_a_suspension_lasts_over_a_restart(world):
    relay = world.relay_to(world.receiver())
    relay.login = relay.add_user(SENDER)
    relay.cli("destination", "suspend", "Dest.example", "--reason", "they asked", "--for", "2h")
    assert len(relay.log.all("destination_suspended")) == 1
    relay.restart()
    row = relay.json("destination", "show", "dest.example")[0]
    assert row["state"] == "suspended" and row["reason"] == "they asked" and row["until"]
    identifier = relay.send(relay.login, SENDER, "ann@dest.example", text())
    wait_for(lambda: [r for r in relay.json("queue", "why", identifier) if r["why"] == "suspended"],
             "it waits for the suspension")
    assert [r["name"] for r in relay.json("destination", "list")].count("dest.example") == 1
    relay.cli("destination", "resume", "dest.example")
    relay.wait_delivered(identifier)
    assert fails(relay, "destination", "resume", "dest.example") == NO_USER
    assert relay.json("destination", "show", "dest.example")[0]["state"] == "nothing_queued"
    assert fails(relay, "destination", "show", "never.example") == NO_USER
    assert len(relay.log.all("destination_resumed")) == 1
    relay.restart()
    assert relay.json("destination", "list") == []


def test_what_the_list_shows_can_be_suspended(world):
    """A site too: the next hop of a route is named like its address."""
    receiver = world.receiver()
    relay = world.relay_to(receiver)
    relay.login = relay.add_user(SENDER)
    relay.wait_delivered(relay.send(relay.login, SENDER, "ann@dest.example", text()))
    relay.cli("destination", "suspend", receiver.address, "--reason", "they asked")
    identifier = relay.send(relay.login, SENDER, "bob@other.example", text())
    wait_for(lambda: [r for r in relay.json("queue", "why", identifier) if r["why"] == "suspended"],
             "it waits for the suspension")
    shown = relay.json("destination", "list")
    assert [r["state"] for r in shown if r["name"] == receiver.address] == ["suspended"]
    assert relay.json("destination", "show", receiver.address)[0]["reason"] == "they asked"
    relay.restart()
    assert relay.json("destination", "show", receiver.address)[0]["state"] == "suspended"
    relay.cli("destination", "resume", receiver.address)
    relay.wait_delivered(identifier)


@pytest.mark.parametrize("body,code", [
    ({}, "missing_field"), ({"reason": ""}, "bad_field"), ({"reason": "r", "for_seconds": 0}, "bad_span"),
    ({"reason": "r", "for_seconds": -5}, "bad_span"), ({"reason": "r", "for_seconds": "1h"}, "bad_field"),
    ({"reason": "r", "for_seconds": 9e99}, "bad_field"),
    ({"reason": "r", "for_seconds": 2 ** 62}, "bad_span"), ({"reason": "r\nx"}, "invalid_value")])
def test_suspensions_that_are_refused(relay, body, code):
    assert problem(relay, "POST", API + "/destinations/dest.example:suspend", body) == (422, code)
    assert all(r["state"] != "suspended" for r in relay.json("destination", "list"))


# ---- bad requests

@pytest.mark.parametrize("method,path,body,expected", [
    ("GET", "/", None, (404, "no_such_path")),
    ("GET", API + "/nonsense", None, (404, "no_such_path")),
    ("GET", API + "/users/", None, (404, "no_such_path")),
    ("GET", API + "/queue/summary/x", None, (422, "bad_id")),
    ("DELETE", API + "/users", None, (405, "method_not_allowed")),
    ("PUT", API + "/users", {}, (405, "method_not_allowed")),
    ("GET", API + "/users/nobody", None, (404, "not_found")),
    ("GET", API + "/users/news@shop.example%00x", None, (404, "not_found")),
    ("DELETE", API + "/users/nobody%2Fx", None, (404, "not_found")),
    ("POST", API + "/users", {"name": "x"}, (422, "needs_sender")),
    ("POST", API + "/users", {"name": 5}, (422, "bad_field")),
    ("POST", API + "/users", {}, (422, "missing_field")),
    ("POST", API + "/users", {"name": "a@b.example", "senders": "x"}, (422, "bad_field")),
    ("POST", API + "/users", {"name": "a@b.example", "senders": [1]}, (422, "bad_field")),
    ("POST", API + "/users", {"name": "a@b.example", "role": "admin"}, (422, "unknown_field")),
    ("POST", API + "/users", {"name": "a b", "generate": True}, (422, "invalid_name")),
    ("POST", API + "/users", {"name": "a@b.example", "hash": "nonsense"}, (422, "invalid_hash")),
    ("POST", API + "/users", {"name": "a@b.example", "generate": True, "networks": ["x"]},
     (422, "invalid_network")),
    ("POST", API + "/users/nobody:options", {"options": {"trace": 1}}, (422, "bad_field")),
    ("POST", API + "/users/nobody:options", {}, (422, "missing_field")),
    ("POST", API + "/users/nobody:nonsense", {}, (405, "method_not_allowed")),
    ("GET", API + "/users?name=x", None, (422, "unknown_query")),
    ("GET", API + "/users", {"name": "x"}, (422, "unknown_field")),
    ("GET", API + "/queue?limit=0", None, (422, "bad_limit")),
    ("GET", API + "/queue?limit=1001", None, (422, "bad_limit")),
    ("GET", API + "/queue?limit=1&limit=2", None, (422, "bad_query")),
    ("GET", API + "/queue?state=lost", None, (422, "bad_state")),
    ("GET", API + "/queue?cursor=%2F", None, (422, "bad_cursor")),
    ("GET", API + "/queue/ZZZZZZZZZZ", None, (404, "not_found")),
    ("GET", API + "/queue/why", None, (422, "bad_id")),
    ("GET", API + "/queue/why?id=A&domain=b", None, (422, "bad_id")),
    ("GET", API + "/queue/why?id=AAAAAAAAAA", None, (404, "not_found")),
    ("POST", API + "/queue:nonsense", {"all": True}, (404, "no_such_path")),
    ("POST", API + "/dkim", {"domain": "x.example", "selector": "s", "pem": ""}, (422, "bad_field")),
    ("POST", API + "/domains", {"name": "a..b"}, (422, "invalid_name")),
])
def test_refusals(relay, method, path, body, expected):
    assert problem(relay, method, path, body) == expected


@pytest.mark.parametrize("raw", ["{", "[]", "5", '"x"', '{"a":1,"a":2}', '{"name":"\\u0000"}',
                                 '{"name":"\\ud800"}', b'{"name":"\xff"}', "{}x", "[" * 100000])
def test_bodies_that_are_no_object(relay, raw):
    assert problem(relay, "POST", API + "/users", raw=raw) == (400, "bad_json")


def test_405_names_what_would_do(relay):
    status, headers, _ = ask(relay, "DELETE", API + "/users")
    assert status == 405 and headers["Allow"] == "GET, HEAD, POST"


def speak(relay, octets):
    """What comes back until the service closes."""
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(60 * PATIENCE)
        one.connect(str(relay.folder / "run/control.sock"))
        try:
            one.sendall(octets)
        except BrokenPipeError:
            pass
        answer = b""
        try:
            while chunk := one.recv(65536):
                answer += chunk
        except ConnectionResetError:
            pass
        return answer


POST = b"POST /api/v1/users HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize("octets,status", [
    (POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400),
    (POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Content-Length: +2\r\n\r\n{}", 400),
    (POST + b"Content-Length: 2, 2\r\n\r\n{}", 400),
    (POST + b"Content-Length : 2\r\n\r\n{}", 400),
    (POST + b"Host: other\r\nContent-Length: 2\r\n\r\n{}", 400),
    (POST + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", 400),
    (POST + b"Content-Length: 1048577\r\n\r\n", 413),
    (POST + b"X: " + b"x" * 9000 + b"\r\nContent-Length: 2\r\n\r\n{}", 431),
    (b"GET /api/v1/users HTTP/1.1\r\n\r\n", 400),
])
def test_requests_that_could_mean_two_things(relay, octets, status):
    answer = speak(relay, octets + b"GET /api/v1/version HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:200]
    # What stands behind is never a request of its own.  (The library says its own refusals twice.)
    assert set(re.findall(rb"HTTP/1\.1 (\d\d\d)", answer)) == {b"%d" % status}


def test_a_body_without_end_is_cut_off(relay):
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    speak(relay, POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 100)
    relay.cli("health")


@pytest.mark.long
def test_a_request_that_dribbles_in_is_cut_off(relay):
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(str(relay.folder / "run/control.sock"))
        one.sendall(b"GET /api/v1/users HTTP/1.1\r\nX: ")
        one.settimeout(1)
        begin = time.monotonic()
        with pytest.raises(OSError, match="Broken pipe|reset"):
            while time.monotonic() - begin < 60 * PATIENCE:
                one.sendall(b"y")
                time.sleep(1)  # the attack itself: never silent, never done
        assert time.monotonic() - begin > 20


def test_many_requests_share_a_connection(relay):
    connection = Control(relay.folder / "run/control.sock")
    for _ in range(50):
        connection.request("GET", API + "/users")
        assert connection.getresponse().read().startswith(b'{"items"')
    connection.close()


def test_a_client_that_leaves_early_harms_nobody(relay):
    for _ in range(30):
        with socket.socket(socket.AF_UNIX) as one:
            one.connect(str(relay.folder / "run/control.sock"))
            one.sendall(b"GET /api/v1/queue/summary HTTP/1.1\r\nHost: x\r\n\r\n")
    relay.cli("health")


# ---- the panel's port

def test_over_tcp_nothing_is_told_without_a_login(world):
    relay = world.appliance('panel { address = "127.0.0.1:0" }\n')
    host, port = relay.address("panel")

    def over_tcp(method, path, body=None):
        connection = http.client.HTTPConnection(host, port, timeout=60 * PATIENCE)
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()

    assert over_tcp("GET", "/healthz")[::2] == over_tcp("GET", "/readyz")[::2] == (200, b'{"ok":true}')
    assert over_tcp("PUT", "/x")[0] == 405
    for method, path in (("GET", API + "/users"), ("GET", API + "/health"), ("POST", API + "/users"),
                         ("DELETE", API + "/users/x"), ("GET", API + "/nonsense"), ("POST", "/nonsense")):
        status, headers, content = over_tcp(method, path, b"{}" if method == "POST" else None)
        assert status == 401 and headers["WWW-Authenticate"], (method, path, status)
        assert json.loads(content)["code"] == "not_signed_in"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
    relay.write_config()
    mark = relay.reload()
    relay.log.wait("reloaded", role="relay", after=mark)
    assert over_tcp("GET", "/healthz")[0] == 200  # a reload keeps the panel's socket


def test_without_a_panel_only_the_socket_is_served(world):
    relay = world.appliance(listeners=LISTENERS)
    assert not relay.log.all("listening", name="panel")
