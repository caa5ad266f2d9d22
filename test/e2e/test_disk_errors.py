"""The disk under the queue's database fails while mail comes in and goes out: 451 and unhealthy,
nothing acknowledged lost, and all by itself again when the disk is back."""
import smtplib
import threading

import pytest

from appliance import BINARY, submit, wait_for
from messages import text

SENDER = "news@shop.example"
UNAVAILABLE = 69
SHIM = BINARY.parent / "test/libfailing_disk.so"
CONFIG = """
route "*" {{ via = "127.0.0.1:{port}"  tls = "never" }}
delivery {{ retry = {{ "1s" }} }}
"""


class Disk:
    """What the service's queue databases stand on."""

    def __init__(self, path):
        self.path = path
        self.set_failing(False)

    def set_failing(self, is_failing):
        with open(self.path, "r+b" if self.path.exists() else "wb", buffering=0) as file:
            file.write(b"1" if is_failing else b"0")


class Load(threading.Thread):
    """Sends one message after another and notes what was answered."""

    def __init__(self, relay, name):
        super().__init__()
        self.relay, self.login = relay, name
        self.accepted, self.refused, self.is_over = [], [], threading.Event()

    def run(self):
        while not self.is_over.is_set():
            try:
                with self.relay.client(self.login) as client:
                    while not self.is_over.is_set():
                        self.send_one(client)
            except (smtplib.SMTPServerDisconnected, ConnectionError):
                continue

    def send_one(self, client):
        try:
            self.accepted.append(submit(client, SENDER, ["a@dest.example"], text()))
        except smtplib.SMTPResponseException as error:
            self.refused.append(error.smtp_code)
            client.rset()

    def end(self):
        self.is_over.set()
        self.join()


@pytest.fixture(name="disk")
def make_disk(folder):
    disk = Disk(folder / "disk")
    yield disk
    disk.set_failing(False)  # or the service could not end


def start(world, disk):
    assert SHIM.exists(), "build everything: the preset's default target makes it"
    receiver = world.receiver({})
    relay = world.appliance(
        CONFIG.format(port=receiver.port),
        prefix=["env", f"LD_PRELOAD={SHIM}", f"FAILING_DISK={disk.path}"])
    relay.login = relay.add_user(SENDER)
    return relay, receiver


def test_a_failing_database_closes_intake_and_loses_nothing(world, disk):
    relay, receiver = start(world, disk)
    load = Load(relay, relay.login)
    load.start()
    try:
        for _ in range(2):
            n_accepted, n_refused = len(load.accepted), len(load.refused)
            wait_for(lambda: len(load.accepted) > n_accepted + 10, "mail comes in")
            disk.set_failing(True)
            wait_for(lambda: len(load.refused) > n_refused + 3, "451")
            wait_for(lambda: not relay.health()["queue"], "unhealthy")
            unhealthy = relay.command("health")
            assert unhealthy.returncode == UNAVAILABLE and "unhealthy" in unhealthy.stdout
            assert "the queue cannot be written" in unhealthy.stdout
            assert relay.log.all("spool_failed")
            disk.set_failing(False)
            n_accepted = len(load.accepted)
            wait_for(lambda: len(load.accepted) > n_accepted + 5, "250 again")
            wait_for(lambda: relay.health()["queue"], "healthy")
            relay.cli("health")
    finally:
        disk.set_failing(False)
        load.end()
    assert set(load.refused) == {451}
    for identifier in load.accepted:
        relay.wait_delivered(identifier, timeout=60)
    assert len(receiver.taken) >= len(load.accepted)
    wait_for(lambda: not relay.queue(), "the queue is empty")
    relay.restart()
    assert not relay.queue()
