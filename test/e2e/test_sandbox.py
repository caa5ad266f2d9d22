"""What relay and signer may not do, tried by themselves: staffetta_probe is the same program with
test/support/probe.c linked to it, which makes the tries on a signal."""
import os
import re
import signal
import socket

import pytest

from appliance import BINARY, PATIENCE, sanitizer, wait_for
from messages import PLAIN
from proc import status_of, user_of
from signatures import signatures_of

PROBE = BINARY.with_name("staffetta_probe")
SENDER, RECIPIENT = "news@shop.example", "ann@dest.example"
LINE = re.compile(r"probe pid=(\d+) what=(\S+) result=(\S+)")

# What a try comes to: of the relay, of the signer.
DENIED = {
    "read_shadow": ("EACCES", "EACCES"),
    "read_outside": ("EACCES", "EACCES"),
    "write_outside": ("EACCES", "EACCES"),
    "write_library": ("EACCES", "EACCES"),
    "parent_memory": ("EACCES", "EACCES"),
    "list_keys": ("EACCES", "done"),
    "bind": ("EACCES", "EPERM"),
    "bind_any": ("done", "EPERM"),
    "connect": ("EACCES", "EPERM"),
    "connect_open": ("done", "EPERM"),
    "socket_tcp": ("done", "EPERM"),
    "socket_udp": ("done", "EPERM"),
    "connect_by_sending": ("EOPNOTSUPP", "EPERM"),
    **{what: ("EPERM", "EPERM") for what in (
        "mount", "exec", "execveat", "fork", "ptrace", "process_vm_readv", "kill_parent",
        "unshare", "setuid", "chown", "setrlimit", "dumpable", "io_uring_setup", "bpf",
        "userfaultfd", "exec_memory", "clock_settime", "socket_packet", "socket_raw",
        "socket_unix", "socket_audit", "socket_mptcp", "socket_netlink", "fchmod", "fchmodat",
        "futimens", "fcntl_setown", "fcntl_setsig", "fcntl_setlease", "fcntl_async",
        "fcntl_notify", "prlimit_parent", "sched_setaffinity")},
}
# Refused by Landlock or by rights, also where no seccomp is: sanitizers, older kernels.
WITHOUT_SECCOMP = ("read_shadow", "read_outside", "write_outside", "write_library", "list_keys",
                   "bind", "connect", "mount", "ptrace", "process_vm_readv", "kill_parent",
                   "setuid", "chown", "bpf", "clock_settime", "socket_packet", "socket_raw")
NOTES = {
    "landlock": "no Landlock", "ports": "knows no ports", "seccomp": "no seccomp filters",
    "sanitizer": "a sanitizer is built in"}


def child(relay, name):
    return next(pid for pid, comm in relay.children().items() if comm == f"st-{name}")


@pytest.fixture
def doors():
    """Two ports that listen: one to be granted, one not."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    yield [door.getsockname()[1] for door in sockets]
    for door in sockets:
        door.close()


def start(world, doors, folder, user=None, config=None, **env):
    """A service with the probe, and a receiver; ready for the tries."""
    closed, granted = doors
    outside = folder / "outside"
    outside.mkdir()
    (outside / "readable").write_text("anybody may read this")
    outside.chmod(0o777)
    receiver = world.receiver()
    port = receiver.address.rsplit(":", 1)[1]
    if config is None:
        config = f"sandbox {{ connect_ports = {{ 25, {port}, {granted} }} }}\n"
    relay = world.appliance(f'route "*" {{ via = "{receiver.address}" }}\n{config}', start=False,
                            binary=PROBE, user=user)
    relay.env = {"PROBE_KEYS": f"{relay.folder}/data/keys", "PROBE_OUTSIDE": str(outside),
                 "PROBE_PORT": str(closed), "PROBE_OPEN_PORT": str(granted), **env}
    relay.receiver = receiver
    relay.may_be_refused = None  # everything: they are made on purpose
    return relay.start()


def results(relay, name):
    """{what: result} of the tries that a process makes now."""
    pid = child(relay, name)
    os.kill(pid, signal.SIGUSR2)

    def done():
        with relay.log.changed:
            lines = list(relay.log.other_lines)
        found = [match for match in map(LINE.match, lines) if match and int(match[1]) == pid]
        return {match[2]: match[3] for match in found} if any(
            match[2] == "exec" for match in found) else None

    return wait_for(done, f"the tries of the {name}")


def delivers(relay):
    """Mail comes through, signed."""
    login = relay.add_user(SENDER)
    relay.cli("domain", "add", "shop.example")
    relay.cli("dkim", "new", "shop.example", "--type", "rsa2048")
    relay.wait_delivered(relay.send(login, SENDER, RECIPIENT, PLAIN))
    assert len(signatures_of(relay.receiver.taken[0].data)) == 1
    return login


def is_filtered(relay):
    return relay.log.wait("confined", process="relay")["calls"] == "yes"


@pytest.mark.sanitized
@pytest.mark.parametrize("user", [None, pytest.param("root", marks=pytest.mark.skipif(
    sanitizer() == "tsan", reason="ThreadSanitizer's own thread is older than the relay's drop of "
    "root's capabilities and keeps them, so setresuid() of the probe succeeds in that thread alone, "
    "for which glibc ends the process"))])
def test_each_try_is_refused(world, doors, folder, user):
    relay = start(world, doors, folder, user=user)
    delivers(relay)
    for column, name in enumerate(("relay", "signer")):
        found = results(relay, name)
        if not is_filtered(relay):  # a sanitizer's build: what Landlock and rights refuse
            for what in WITHOUT_SECCOMP:
                assert found[what] == "done" == DENIED[what][column] or found[what] in (
                    "EACCES", "EPERM"), (what, found[what])
            continue
        assert found == {what: row[column] for what, row in DENIED.items()}
        for call in ("execve", "clone", "socket", "mount", "bpf"):
            relay.log.wait("call_refused", process=name, name=call)
    relay.wait_delivered(relay.send(relay.add_user("b@shop.example"), "b@shop.example", RECIPIENT,
                                    PLAIN))


def test_refused_calls_are_told_once(world, doors, folder):
    relay = start(world, doors, folder)
    if not is_filtered(relay):
        pytest.skip("this build has no filter")
    results(relay, "relay")
    relay.log.wait("call_refused", process="relay", name="execve")
    n_before = len(relay.log.all("call_refused", process="relay"))
    os.kill(child(relay, "relay"), signal.SIGUSR2)
    wait_for(lambda: relay.log.other_lines.count("probe end") == 2, "the second round")
    relay.cli("health")  # the relay's thread came by since
    assert len(relay.log.all("call_refused", process="relay")) == n_before


def test_processes_have_no_rights_left(world):
    relay = world.relay_to(world.sink())
    kept = 0
    for number in (2, 5, 6, 7, 8, 10):  # DAC_READ_SEARCH KILL SETGID SETUID SETPCAP NET_BIND_SERVICE
        kept |= 1 << number
    for pid, bounds in {relay.process.pid: kept, **{pid: 0 for pid in relay.children()}}.items():
        status = status_of(pid)
        for name in ("CapPrm", "CapEff", "CapBnd"):
            assert int(status[name], 16) == bounds, (pid, name, status[name])
        assert int(status["CapInh"], 16) == int(status["CapAmb"], 16) == 0
        assert status["NoNewPrivs"] == "1"
        with open(f"/proc/{pid}/limits", encoding="ascii") as file:
            assert re.search(r"Max core file size +0 +0 ", file.read())
        # Not dumpable: its files belong to root, whoever it is.
        assert os.stat(f"/proc/{pid}/mem").st_uid == 0
    if relay.log.wait("confined", process="relay")["calls"] == "yes":
        assert all(status_of(pid)["Seccomp"] == "2" for pid in relay.children())
    assert 0 not in [user_of(pid) for pid in relay.children()]


@pytest.mark.parametrize("env, lack", [
    ({"PROBE_LANDLOCK": "0"}, "landlock"), ({"PROBE_LANDLOCK": "1"}, "ports"),
    ({"PROBE_LANDLOCK": "3"}, "ports"), ({"PROBE_NO_SECCOMP": "1"}, "seccomp")])
def test_older_kernels_work_and_say_what_they_lack(world, doors, folder, env, lack):
    relay = start(world, doors, folder, config="", **env)
    delivers(relay)
    if any(NOTES["sanitizer"] in event["reason"] for event in relay.log.all("not_confined")) \
            and lack == "seccomp":
        lack = "sanitizer"
    for process in ("relay", "signer"):
        events = relay.log.all("not_confined", process=process)
        assert any(NOTES[lack] in event["reason"] for event in events), events
    assert NOTES[lack] in " ".join(relay.json("health")[0]["notes"])
    relay.restart()
    relay.wait_delivered(relay.send(relay.add_user("b@shop.example"), "b@shop.example", RECIPIENT,
                                    PLAIN))


def test_without_a_sandbox_the_tries_succeed(world, doors, folder):
    """So that a refusal is the sandbox's doing, not the try's."""
    relay = start(world, doors, folder, config="", PROBE_LANDLOCK="0", PROBE_NO_SECCOMP="1")
    pid = child(relay, "relay")
    os.kill(pid, signal.SIGUSR2)
    relay.log.wait("child_ended", role="relay", status="0")  # it ran /bin/true
    found = {match[2]: match[3] for match in map(LINE.match, relay.log.other_lines) if match}
    assert "exec" not in found
    for what in ("read_outside", "write_outside", "fork", "exec_memory", "dumpable", "socket_unix",
                 "socket_tcp", "bind", "connect", "connect_open", "fchmod", "fchmodat", "futimens",
                 "fcntl_setown", "fcntl_setsig", "fcntl_async", "sched_setaffinity"):
        assert found[what] == "done", (what, found[what])
    relay.log.wait("ready", count=2, timeout=30 * PATIENCE)


def test_seccomp_missing_leaves_the_rest(world, doors, folder):
    relay = start(world, doors, folder, PROBE_NO_SECCOMP="1")
    pid = child(relay, "relay")
    os.kill(pid, signal.SIGUSR2)

    def all_found():
        found = {match[2]: match[3] for match in map(LINE.match, relay.log.other_lines) if match}
        return found if "exec" in found else None

    found = wait_for(all_found, "the tries")
    for what in WITHOUT_SECCOMP:
        assert found[what] in ("EACCES", "EPERM"), (what, found[what])
    assert found["exec"] == "EACCES"  # Landlock grants no file to run


def test_more_than_granted_needs_a_restart(world, doors, folder):
    closed, granted = doors
    relay = start(world, doors, folder)
    login = delivers(relay)
    before = relay.config
    relay.config += f'route "far.example" {{ via = "127.0.0.1:{closed}" }}\n'
    mark = relay.reload()
    reason = relay.log.wait("reload_failed", after=mark)["reason"]
    assert f"port {closed} is not among the connect_ports" in reason
    relay.config = relay.config.replace(f", {granted} }}", f", {granted}, {closed} }}")
    mark = relay.reload()
    assert relay.log.wait("restart_needed", after=mark)["setting"] == "connect_ports"
    reason = relay.log.wait("reload_failed", after=mark, role="relay")["reason"]
    assert "restart needed" in reason and str(closed) in reason
    relay.wait_delivered(relay.send(login, SENDER, RECIPIENT, PLAIN))  # as before
    relay.config = before.replace(f", {granted} }}", " }")  # less: nothing to grant
    relay.config = relay.config + "log { level = \"debug\" }\n"
    mark = relay.reload()
    relay.log.wait("reloaded", after=mark, role="relay")


def test_a_new_spool_folder_needs_a_restart(world):
    relay = world.relay_to(world.receiver())
    login = relay.add_user(SENDER)
    spool = f'spool_dir = "{relay.folder}/spool"'
    config_text = relay.config_text
    relay.config_text = lambda: config_text().replace(spool, spool.replace("spool\"", "other\""))
    mark = relay.reload()
    assert relay.log.wait("restart_needed", after=mark)["setting"] == "spool_dir"
    relay.log.wait("reloaded", after=mark, role="relay")
    relay.wait_delivered(relay.send(login, SENDER, RECIPIENT, PLAIN))
    assert not (relay.folder / "other").exists()


def test_the_probe_is_not_in_the_program():
    for word in (b"PROBE_KEYS", b"connect_by_sending"):
        assert word in PROBE.read_bytes()
        assert word not in BINARY.read_bytes()
