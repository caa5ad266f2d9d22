"""kill -9 at random moments under load; then count.  Every message that got its 250 is delivered,
and only what was in flight may come twice.  KILL_ROUNDS says how often (20 unless set)."""
import os
import random
import re
import socket
import threading
import time

import pytest

from appliance import PATIENCE, wait_for

ROUNDS = int(os.environ.get("KILL_ROUNDS", "20"))
SENDER = "news@shop.example"
SENDERS = 6
MARK = re.compile(rb"^X-Mark: (\S+)\r$", re.M)


class Load(threading.Thread):
    """Submits without pause until told to end; remembers which marks got a 250."""

    def __init__(self, relay, name):
        super().__init__(daemon=True)
        self.relay, self.prefix = relay, name
        self.acknowledged, self.sent = [], 0
        self.ending = False
        self.start()

    def run(self):
        while not self.ending:
            try:
                with self.relay.client(self.relay.login) as client:
                    while not self.ending:
                        self.one(client)
            except (OSError, EOFError, AssertionError):
                time.sleep(0.02)  # the service is down; there is no event for a client to await
            except Exception as problem:  # smtplib's own: the connection broke in a reply
                if type(problem).__module__ != "smtplib":
                    raise

    def one(self, client):
        self.sent += 1
        mark = f"{self.prefix}.{self.sent}"
        body = random.choice((b"x" * 100, b"y" * 900)) + b"\r\n"
        data = (f"From: {SENDER}\r\nTo: a@dest.example\r\nX-Mark: {mark}\r\n"
                f"Subject: {mark}\r\n\r\n").encode() + body * random.choice((1, 10, 500))
        client.sendmail(SENDER, ["a@dest.example"], data)
        self.acknowledged.append(mark)


def delivered_marks(sink):
    return [MARK.search(m.data)[1].decode() for m in sink.messages()]


def start(world, script=None):
    sink = world.sink(script=script)
    relay = world.relay_to(sink, 'delivery { retry = { "1s" } }\n',
                           listeners='listen "submission" { address = "127.0.0.1:0" }\n')
    relay.login = relay.add_user(SENDER)
    return relay, sink


def settle(relay):
    wait_for(lambda: relay.queue() == [] or None, "the queue drains", timeout=120)


def fix_port(relay):
    """The port of the first start is kept, so that clients find the service again."""
    relay.listeners = f'listen "submission" {{ address = "127.0.0.1:{relay.port()}" }}\n'


def test_nothing_acknowledged_is_lost(world):
    relay, sink = start(world)
    fix_port(relay)
    in_flight = 0
    loads = [Load(relay, f"s{i}") for i in range(SENDERS)]
    for _ in range(ROUNDS):
        before = sum(len(load.acknowledged) for load in loads)
        wait_for(lambda: sum(len(load.acknowledged) for load in loads) > before + 5, "progress",
                 timeout=60)
        time.sleep(random.uniform(0, 0.15))  # the moment of the kill is the random input
        relay.kill()
        # At most one transaction on each connection was between its dot and its commit.
        in_flight += 20
        relay.start()
    for load in loads:
        load.ending = True
    for load in loads:
        load.join(60 * PATIENCE)
    settle(relay)
    marks = delivered_marks(sink)
    acknowledged = [mark for load in loads for mark in load.acknowledged]
    lost = set(acknowledged) - set(marks)
    repeats = len(marks) - len(set(marks))
    print(f"{ROUNDS} kills, {len(acknowledged)} acknowledged, {len(marks)} delivered, "
          f"{len(lost)} lost, {repeats} repeated")
    assert not lost, sorted(lost)[:20]
    assert repeats <= in_flight, (repeats, in_flight)
    assert len(acknowledged) > ROUNDS * 5


def test_a_killed_relay_child_loses_nothing(world):
    """The parent lives and starts the child again; sockets stay open throughout."""
    relay, sink = start(world)
    loads = [Load(relay, f"s{i}") for i in range(SENDERS)]
    for _ in range(3):
        before = sum(len(load.acknowledged) for load in loads)
        wait_for(lambda: sum(len(load.acknowledged) for load in loads) > before + 20, "progress",
                 timeout=60)
        mark = relay.log.mark()
        child = next(pid for pid, name in relay.children().items() if "sign" not in name)
        os.kill(child, 9)
        relay.log.wait("ready", after=mark, timeout=60 * PATIENCE)
    for load in loads:
        load.ending = True
    for load in loads:
        load.join(60 * PATIENCE)
    settle(relay)
    acknowledged = {mark for load in loads for mark in load.acknowledged}
    assert acknowledged <= set(delivered_marks(sink))


def test_a_client_that_leaves_before_its_250_may_be_served_but_never_twice(world):
    relay, sink = start(world)
    for i in range(20):
        client = relay.client(relay.login)
        client.mail(SENDER)
        client.rcpt("a@dest.example")
        client.putcmd("data")
        client.getreply()
        client.sock.sendall(f"From: {SENDER}\r\nX-Mark: m{i}\r\n\r\nx\r\n.\r\n".encode())
        client.sock.close()
    identifier = relay.send(relay.login, SENDER, "a@dest.example",
                            f"From: {SENDER}\nX-Mark: last\n\nx\n")
    relay.wait_delivered(identifier)
    settle(relay)
    marks = delivered_marks(sink)
    assert len(marks) == len(set(marks)) and "last" in marks


@pytest.mark.sanitized
def test_an_interrupted_transaction_leaves_nothing(world):
    relay, sink = start(world)
    for octets in (b"From: a@b.example\r\n", b"From: a@b.example\r\n\r\nhalf a message"):
        client = relay.client(relay.login)
        client.mail(SENDER)
        client.rcpt("a@dest.example")
        client.putcmd("data")
        client.getreply()
        client.sock.sendall(octets)
        client.sock.shutdown(socket.SHUT_RDWR)
        client.close()
    assert relay.queue() == []
    relay.wait_delivered(relay.send(relay.login, SENDER, "a@dest.example",
                                    f"From: {SENDER}\nX-Mark: one\n\nx\n"))
    assert delivered_marks(sink) == ["one"]
