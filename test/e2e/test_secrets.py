"""Passwords and private keys stand nowhere: not in a log, a database, the spool, a memory file, nor
in what a core file of a process would hold."""
import base64
import os
import re
import stat
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

import memory
from appliance import PATIENCE, secrets_left, wait_for
from messages import PLAIN
from receivers import Receiver
from wire import Wire, plain_token

SENDER, RECIPIENT = "news@shop.example", "ann@dest.example"
GIVEN, CHANGED = "Tr0mbone-Quartz-Lantern-88", "Saffron_Glacier_Pylon_4471"
WRONG, SMART_HOST = "Nearly-Right-Password-0193", "sMarthost9secretX77"
# Of users, and the key that was imported: neither parent nor relay has them once they were used.
PASSING = ("generated ", "given ", "changed ", "wrong ", "given._domainkey")
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="reads the memory of other users")


def forms(name, secret):
    """A password plain and in base64, at each of the three places it can stand in."""
    text = secret.encode()
    found = {f"{name} plain": text}
    for shift in range(3):
        # Only the digits that do not depend on the neighbours.
        encoded = base64.b64encode(b"\0" * shift + text)
        begin = (shift * 8 + 5) // 6
        end = (shift + len(text)) * 8 // 6
        found[f"{name} base64+{shift}"] = encoded[begin:end]
    return found


def key_forms(name, pem):
    """A private key as PEM, as DER, and its numbers in both orders of bytes."""
    key = serialization.load_pem_private_key(pem, None)
    lines = [line for line in pem.splitlines() if line and not line.startswith(b"-")]
    found = {f"{name} PEM {i}": line for i, line in enumerate(lines) if len(line) >= 40 and i}
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.private_numbers()
        for part in ("d", "p", "q", "dmp1", "dmq1", "iqmp"):
            value = getattr(numbers, part)
            length = (value.bit_length() + 7) // 8
            for order in ("big", "little"):
                found[f"{name} {part} {order}"] = value.to_bytes(length, order)[4:36]
    elif isinstance(key, ed25519.Ed25519PrivateKey):
        found[f"{name} raw"] = key.private_bytes(
            serialization.Encoding.Raw, serialization.PrivateFormat.Raw,
            serialization.NoEncryption())
    else:
        value = key.private_numbers().private_value.to_bytes(32, "big")
        found.update({f"{name} big": value[1:], f"{name} little": value[::-1][:31]})
    return found


def start(world):
    """A relay with every kind of secret: its certificate's key, a password towards a smart host."""
    receiver = world.receiver(extensions=Receiver.EXTENSIONS + ("AUTH PLAIN LOGIN",))
    receiver_route = (f'route "*" {{ via = "{receiver.address}"  user = "smart"  '
                      f'password = "{SMART_HOST}"  tls = "never" }}\n')
    relay = world.appliance(receiver_route)
    relay.receiver, relay.pem = receiver, world.new_path("pem")
    return relay


def use_every_secret(relay):
    """Each way that a password or a key comes in; returns {name: bytes} of all of them."""
    name, generated = relay.add_user(SENDER)
    relay.wait_delivered(relay.send((name, generated), SENDER, RECIPIENT, PLAIN))
    relay.cli("user", "password", SENDER, "--password-stdin", stdin=GIVEN + "\n")
    with Wire(relay, login=False) as one:
        assert one.say("AUTH PLAIN " + plain_token(SENDER, WRONG)).startswith("535")
    with relay.client() as client:
        client.user, client.password = SENDER, GIVEN
        assert client.auth("LOGIN", client.auth_login)[0] == 235
    relay.cli("user", "password", SENDER, "--password-stdin", stdin=CHANGED + "\n")
    relay.cli("domain", "add", "shop.example")
    for selector, kind in (("made", "rsa2048"), ("small", "ed25519")):
        relay.cli("dkim", "new", "shop.example", "--type", kind, "--selector", selector)
    subprocess.run(["openssl", "genrsa", "-out", str(relay.pem), "2048"], capture_output=True,
                   check=True)
    relay.cli("dkim", "new", "shop.example", "--selector", "given", "--import", relay.pem)
    for _ in range(3):
        relay.wait_delivered(relay.send((SENDER, CHANGED), SENDER, RECIPIENT, PLAIN))
    mark = relay.reload()
    relay.log.wait("reloaded", after=mark, role="relay")
    relay.wait_delivered(relay.send((SENDER, CHANGED), SENDER, RECIPIENT, PLAIN))
    assert any(SMART_HOST.encode() in base64.b64decode(login.split()[-1])
               for login in relay.receiver.logins)
    secrets = {}
    for what, password in (("generated", generated), ("given", GIVEN), ("changed", CHANGED),
                           ("wrong", WRONG), ("smart host", SMART_HOST)):
        secrets |= forms(what, password)
    keys = list((relay.folder / "data/keys").iterdir())
    assert len(keys) >= 3
    for file in [*keys, relay.certificate.key]:
        secrets |= key_forms(file.name, file.read_bytes())
    return secrets


def own_files(relay):
    """Everything that the service wrote, but the keys' own folder and the settings."""
    top = relay.folder
    for file in top.rglob("*"):
        if stat.S_ISREG(file.lstat().st_mode) and top / "data/keys" not in file.parents \
                and file != relay.config_file:
            yield file


def in_files(relay, secrets):
    return [(str(file.relative_to(relay.folder)), name) for file in own_files(relay)
            for octets in [file.read_bytes()] for name, secret in secrets.items() if secret in octets]


def in_memory(relay, secrets, *processes):
    pids = {relay.process.pid: "parent", **relay.children()}
    return [(process, *hit) for pid, process in pids.items() if process in processes
            for hit in memory.search(pid, secrets)]


def test_no_secret_stands_in_files_or_dumps(world):
    relay = start(world)
    if relay.log.wait("confined", process="relay")["calls"] == "no":
        pytest.skip("a sanitizer keeps what was freed, unwiped")
    secrets = use_every_secret(relay)
    assert not in_files(relay, secrets)
    assert not any(memory.is_dumped(pid) for pid in [relay.process.pid, *relay.children()])
    # Passwords and keys that only passed through are wiped.  What is wiped when the last reply
    # leaves is gone within a moment.
    passing = {name: secret for name, secret in secrets.items() if name.startswith(PASSING)}
    assert len(passing) > 30
    wait_for(lambda: not in_memory(relay, passing, "st-relay", "parent"),
             "wiped; found: " + repr(in_memory(relay, passing, "st-relay", "parent")[:40]))
    texts = {name: secret for name, secret in secrets.items() if ".example." in name and " PEM " in name}
    assert len(texts) > 30
    wait_for(lambda: not in_memory(relay, texts, "st-signer"), "the text of the keys is wiped")
    relay.stop()
    assert not in_files(relay, secrets)


@pytest.mark.long
def test_a_core_that_root_takes_holds_no_secret(world, folder):
    """gcore goes by the filter that the processes set for themselves."""
    relay = start(world)
    secrets = use_every_secret(relay)
    for pid, name in {relay.process.pid: "parent", **relay.children()}.items():
        subprocess.run(["gcore", "-o", str(folder / "core"), str(pid)], capture_output=True,
                       check=True, timeout=120 * PATIENCE)
        core = (folder / f"core.{pid}").read_bytes()
        assert core[:4] == b"\x7fELF"
        assert not [what for what, secret in secrets.items() if secret in core], name


@pytest.mark.parametrize("process, mebibytes", [("st-relay", 4), ("st-signer", 64)])
def test_keys_lie_where_no_dump_and_no_swap_reaches(world, process, mebibytes):
    """The service's certificate in the relay, DKIM keys in the signer."""
    relay = start(world)
    relay.cli("domain", "add", "shop.example")
    relay.cli("dkim", "new", "shop.example", "--type", "rsa2048")
    pid = next(pid for pid, name in relay.children().items() if name == process)
    arenas = [(begin, end, flags) for begin, end, flags in memory.hidden(pid)
              if end - begin == mebibytes << 20]
    assert len(arenas) == 1, memory.hidden(pid)
    begin, end, flags = arenas[0]
    with open(f"/proc/{pid}/limits", encoding="ascii") as file:
        limit = re.search(r"Max locked memory +(\S+)", file.read())[1]
    if limit == "unlimited" or int(limit) >= end - begin:
        assert "lo" in flags
    octets = memory.read(pid, begin, end)
    file = relay.certificate.key if process == "st-relay" else \
        next((relay.folder / "data/keys").iterdir())
    key = {name: secret for name, secret in key_forms(file.name, file.read_bytes()).items()
           if " PEM " not in name and "big" not in name}
    assert key and any(secret in octets for secret in key.values()), key.keys()


def test_the_search_of_a_long_run_finds_what_is_left(world):
    """`--long` searches what each service of every test wrote: appliance.secrets_left()."""
    relay = start(world)
    name, password = relay.add_user(SENDER)
    relay.wait_delivered(relay.send((name, password), SENDER, RECIPIENT, PLAIN))
    relay.cli("domain", "add", "shop.example")
    relay.cli("dkim", "new", "shop.example", "--type", "rsa2048")
    assert secrets_left(relay) == []
    key = next((relay.folder / "data/keys").iterdir()).read_text()
    (relay.folder / "data/history/left").write_text(f"password={password}\n{key}")
    found = {what for _, what in secrets_left(relay)}
    assert "a password" in found and any(what.startswith("the key ") for what in found)
    (relay.folder / "data/history/left").unlink()


def test_what_is_searched_is_found(world):
    """The search sees what is there: a user's name in the relay, the host's in all three."""
    relay = start(world)
    relay.add_user(SENDER)
    assert {hit[0] for hit in in_memory(relay, {"host": b"relay.example"}, "parent", "st-relay")} \
        == {"parent", "st-relay"}
    assert any(name == "user" for _, name in in_files(relay, {"user": SENDER.encode()}))
