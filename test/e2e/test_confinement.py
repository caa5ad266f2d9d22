"""Who the processes run as where they cannot have users of their own, and what keeps them apart."""
import os
import subprocess

import pytest

from messages import PLAIN
import proc
from signatures import signatures_of

SENDER, RECIPIENT = "news@shop.example", "ann@dest.example"
NOBODY = 65534


def works(relay, receiver):
    """Everything that needs files: users, keys, a signed message, a restart."""
    login = relay.add_user(SENDER)
    relay.cli("domain", "add", "shop.example")
    relay.cli("dkim", "new", "shop.example", "--type", "rsa2048")
    relay.wait_delivered(relay.send(login, SENDER, RECIPIENT, PLAIN))
    relay.restart()
    relay.wait_delivered(relay.send(login, SENDER, RECIPIENT, PLAIN))
    assert all(len(signatures_of(taken.data)) == 1 for taken in receiver.taken)
    assert len(receiver.taken) == 2


def test_started_by_anybody_landlock_keeps_them_apart(world):
    """As the packaged unit does: one user, not root, for all processes."""
    receiver = world.receiver()
    relay = world.appliance(
        f'route "*" {{ via = "{receiver.address}" }}\n', start=False,
        prefix=["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"])
    os.chown(relay.folder, NOBODY, NOBODY)
    relay.start()
    for pid in relay.children():
        assert proc.user_of(pid) == NOBODY
    for process in ("relay", "signer"):
        event = relay.log.wait("confined", process=process)
        if event["landlock"] == "0":
            assert relay.log.wait("not_confined", process=process)
    if relay.log.wait("confined", process="relay")["landlock"] != "0":
        assert not [e for e in relay.log.all("not_confined") if "sanitizer" not in e["reason"]]
    works(relay, receiver)


def test_a_relay_that_is_root_as_asked_is_kept_from_the_keys_too(world):
    receiver = world.receiver()
    relay = world.relay_to(receiver, user="root")
    assert relay.log.wait("not_confined", process="relay")["landlock"] in ("yes", "missing")
    assert "Landlock" in " ".join(relay.json("health")[0]["notes"])
    works(relay, receiver)


def test_with_users_of_their_own_there_is_nothing_to_note(world):
    relay = world.relay_to(world.sink())
    notes = relay.json("health")[0]["notes"]
    assert not [note for note in notes if "sanitizer is built in" not in note]
    assert not [e for e in relay.log.all("not_confined") if "sanitizer" not in e["reason"]]


def test_a_user_that_does_not_exist_is_said(world):
    receiver = world.receiver()
    relay = world.relay_to(receiver, user="no-such-user")
    assert relay.log.wait("not_confined", process="relay")["reason"] == "no such user"
    works(relay, receiver)


def test_too_few_files_are_said(world):
    relay = world.appliance('route "*" { via = "127.0.0.1:9" }\n', start=False, prefix=[
        "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "prlimit",
        "--nofile=2000:2000"])
    os.chown(relay.folder, NOBODY, NOBODY)
    relay.start()
    assert relay.log.wait("file_limit", process="relay")["files"] == "2000"
    assert len(relay.log.all("file_limit")) == 1  # not once more by the parent
    assert any("files" in note for note in relay.json("health")[0]["notes"])


RESOLV_CONF = "/etc/resolv.conf"


def with_resolv_conf(path):
    """A mount namespace in which the system's name server is another; None where that is refused."""
    words = ["unshare", "--mount", "sh", "-c",
             f'mount --bind {path} "$(readlink -f {RESOLV_CONF})" && exec "$@"', "sh"]
    return None if subprocess.run([*words, "true"], check=False).returncode else words


@pytest.mark.parametrize("user", [None, "root"])
def test_the_name_servers_of_the_system_are_read(world, folder, user):
    """Without `resolver { forward }`, behind all walls."""
    dns = world.name_server({"example": "dest MX 10 mx.dest\nmx.dest A 127.0.0.88\n"})
    path = folder / "resolv.conf"
    path.write_text(f"nameserver {dns.host}\n")
    path.chmod(0o644)
    prefix = with_resolv_conf(path)
    if not prefix:
        pytest.skip("the kernel refuses a mount namespace here")
    receiver = world.receiver(host="127.0.0.88")
    relay = world.appliance(
        f'delivery {{ port = {receiver.port}  allow_mx = {{ "127.0.0.0/8" }} }}\n',
        prefix=prefix, user=user)
    login = relay.add_user(SENDER)
    relay.wait_delivered(relay.send(login, SENDER, RECIPIENT, PLAIN))
