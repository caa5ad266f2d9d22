"""Processes that end when they should not, two of one kind, and what a service manager hears."""
import os
import signal
import socket
import subprocess

import pytest

from appliance import PATIENCE, Appliance, wait_for
from messages import PLAIN

SENDER, RECIPIENT = "news@shop.example", "ann@dest.example"


def start(world, **options):
    relay = world.relay_to(world.receiver(), **options)
    relay.login = relay.add_user(SENDER)
    return relay


def is_gone(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_children_do_not_outlive_the_parent(world):
    relay = start(world)
    children = relay.children()
    identifier = relay.send(relay.login, SENDER, RECIPIENT, PLAIN)
    relay.wait_delivered(identifier)
    os.kill(relay.process.pid, signal.SIGKILL)
    relay.process.wait()
    wait_for(lambda: all(is_gone(pid) for pid in children), "the children end")
    relay.start()  # the spool's lock and the socket are free again
    relay.wait_delivered(relay.send(relay.login, SENDER, RECIPIENT, PLAIN))


def test_a_start_waits_for_a_port_that_its_predecessor_still_holds(world):
    """After kill -9 of the parent the children take a moment to die: here one takes a second."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        relay = world.appliance(listeners=f'listen "a" {{ address = "127.0.0.1:{port}" }}\n',
                                start=False)
        relay.start(ready=False)
        wait_for(lambda: (relay.folder / "data").exists(), "the start is under way")
        with pytest.raises(subprocess.TimeoutExpired):
            relay.process.wait(1)
    relay.log.wait("ready", timeout=30 * PATIENCE)


def test_both_children_killed_at_once_come_back(world):
    relay = start(world)
    mark = relay.log.mark()
    for pid in relay.children():
        os.kill(pid, signal.SIGKILL)
    relay.log.wait("child_started", count=2, after=mark, timeout=60 * PATIENCE)
    relay.log.wait("ready", after=mark, timeout=60 * PATIENCE)
    relay.wait_delivered(relay.send(relay.login, SENDER, RECIPIENT, PLAIN))


def test_a_second_service_on_the_same_folders_is_refused(world):
    relay = start(world)
    second = Appliance(relay.folder, relay.config, certificate=relay.certificate,
                       authority=relay.authority)
    second.start(ready=False)
    assert second.process.wait(30 * PATIENCE) != 0
    relay.wait_delivered(relay.send(relay.login, SENDER, RECIPIENT, PLAIN))
    assert relay.command("health").returncode == 0


def test_a_service_manager_hears_ready_reloading_and_stopping(world, monkeypatch):
    path = str(world.folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        os.chmod(path, 0o777)
        listener.settimeout(30 * PATIENCE)
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        heard = []

        def hear(wanted):
            while not any(wanted in text for text in heard):
                heard.append(listener.recv(4096).decode())
            heard.clear()
        relay = start(world)
        hear("READY=1")
        relay.reload()
        hear("RELOADING=1")
        hear("READY=1")
        relay.stop()
        hear("STOPPING=1")


def test_a_port_that_is_taken_is_told_and_nothing_starts(world):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        relay = world.appliance(listeners=f'listen "a" {{ address = "127.0.0.1:{port}" }}\n',
                                start=False)
        relay.start(ready=False)
        assert relay.process.wait(30 * PATIENCE) != 0
        relay.log.join(10)
        assert f"127.0.0.1:{port}" in relay.log.tail()
