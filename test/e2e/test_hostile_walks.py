"""Random walks: clients that say anything and vanish, receivers that answer anything and vanish.
Afterwards nothing may be left over, lost, decided twice or unclean.  A walk is told by its seed."""
import os
import random
import re
import socket
import threading
import time

import pytest

from appliance import PATIENCE, wait_for
from hostile import LISTENERS, SENDER, bdat, plain, start_target
from receivers import DROP, Receiver
from test_hostile_receivers import ODD_REPLIES
from wire import plain_token

pytestmark = pytest.mark.sanitized
SECONDS = 4
SMALL = b"From: news@shop.example\r\n\r\nx\r\n"
LARGE = b"From: news@shop.example\r\n\r\n" + (b"x" * 998 + b"\r\n") * 600  # spills to a file


# ---- clients

def words(login):
    token = plain_token(*login).encode()
    return [
        b"EHLO x\r\n", b"HELO x\r\n", b"NOOP\r\n", b"RSET\r\n", b"HELP\r\n", b"VRFY a\r\n", b"QUIT\r\n",
        b"STARTTLS\r\n", b"AUTH PLAIN " + token + b"\r\n", b"AUTH LOGIN\r\n", b"*\r\n", b".\r\n",
        b"MAIL FROM:<news@shop.example>\r\n", b"MAIL FROM:<>\r\n", b"RCPT TO:<ann@dest.example>\r\n" * 3,
        b"DATA\r\n", SMALL + b".\r\n", b"BDAT %d LAST\r\n" % len(SMALL) + SMALL, b"BDAT 10\r\n0123456789",
        b"BDAT 0\r\n", b"BDAT 0 LAST\r\n", b"BDAT %d LAST\r\n" % len(LARGE) + LARGE,
        b"DATA\r\n" + LARGE + b".\r\n", LARGE, b"\0\xff\r\n", b"x" * 70000 + b"\r\n", b"\x16\x03\x01\x00\x05"]


def say_anything(one, chance, vocabulary):
    usual = [vocabulary[0], vocabulary[8], vocabulary[12], vocabulary[14]]
    for octets in usual[:chance.randint(0, 4)]:
        one.sendall(octets)
    for octets in chance.choices(vocabulary, k=chance.randint(0, 6)):
        if chance.random() < 0.2:
            octets = octets[:chance.randint(0, len(octets))]
        one.sendall(octets)
        if chance.random() < 0.3:
            one.recv(65536)
    if chance.random() < 0.3:
        one.shutdown(socket.SHUT_WR)
        one.recv(1000)


def walk(relay, chance, end):
    vocabulary = words(relay.login)
    while time.monotonic() < end:
        listener = chance.choice(["plain", "plain", "old", "submission"])
        with socket.create_connection(relay.address(listener), 30) as one:
            one.settimeout(0.2)
            try:
                say_anything(one, chance, vocabulary)
            except OSError:
                pass  # it was ended, or has nothing more to say
            if chance.random() < 0.6:  # with a reset
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


@pytest.mark.parametrize("seed", [1, 2])
def test_clients_that_say_anything(world, seed):
    relay = start_target(world)
    end = time.monotonic() + SECONDS
    walkers = [threading.Thread(target=walk, args=(relay, random.Random(seed * 100 + i), end))
               for i in range(8)]
    for walker in walkers:
        walker.start()
    for walker in walkers:
        walker.join()
    with plain(relay) as one:
        assert bdat(one, SMALL).startswith("250")
    wait_for(lambda: not os.listdir(relay.folder / "spool/large"), "no file is left over")
    wait_for(lambda: not relay.queue(), "the queue is empty")
    for stored in relay.sink.messages():
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\0", stored.data)


# ---- receivers

PHASES = ("CONNECT", "EHLO", "HELO", "STARTTLS", "MAIL", "RCPT", "DATA", "DOT", "RSET", "QUIT")
REPLIES = [r for r in ODD_REPLIES.values() if len(r) < 100000] + [DROP] * 4 + [
    "421 4.3.2 bye", "450 4.2.0 later", "452 4.3.1 full", "250 ok", "250-a\n250 b", "354 go", "220 x",
    "221 x", "235 x", "334 x", b"250 o", b"2", b""]
EXTENSIONS = [list(Receiver.EXTENSIONS), ["PIPELINING"], [], ["LIMITS RCPTMAX=2 MAILMAX=3", "PIPELINING"],
              ["CHUNKING", "SIZE 10000000"]]


def send_some(relay, chance, n):
    """Messages to several domains; returns queue id -> number of recipients."""
    sent = {}
    for i in range(n):
        message = SMALL + (b"\xe9" * 500 + b"\r\n") * chance.choice([0, 1, 800])
        count = chance.randint(1, 6)
        with plain(relay) as one:
            one.raw(f"MAIL FROM:<{SENDER}>\r\n".encode() +
                    b"".join(b"RCPT TO:<r%d@d%d.example>\r\n" % (k, i) for k in range(count)) +
                    b"BDAT %d LAST\r\n" % len(message) + message)
            sent[one.replies(count + 2)[-1].split()[-1]] = count
    return sent


@pytest.mark.parametrize("seed,tls", [(1, True), (2, False)])
def test_receivers_that_answer_anything(world, seed, tls):
    chance = random.Random(seed)
    receiver = world.receiver(tls=tls)
    receiver.behaviour = {phase: lambda _, __: chance.choice(REPLIES) if chance.random() < 0.25 else None
                          for phase in PHASES}
    relay = world.relay_to(receiver, 'delivery { retry = { "1s" }  expire = "1h" }\n', listeners=LISTENERS)
    relay.login = relay.add_user(SENDER)
    sent = send_some(relay, chance, 30)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        receiver.extensions = chance.choice(EXTENSIONS)
        time.sleep(0.2)
    receiver.behaviour, receiver.extensions = {}, Receiver.EXTENSIONS
    receiver.drop_sessions()
    relay.log.wait_until(lambda events: sum(e.name == "delivered" for e in events) == sum(sent.values()),
                         timeout=60 * PATIENCE)
    final = [(e["msg"], e["rcpt"]) for e in relay.log.events
             if e.name in ("delivered", "bounced", "expired", "deleted")]
    assert len(final) == len(set(final))  # one verdict each
    assert all(sum(msg == identifier for msg, _ in final) == n for identifier, n in sent.items())
    taken = {address for transaction in receiver.taken for address in transaction.recipients}
    assert {e["to"] for e in relay.log.all("delivered")} <= taken  # none was claimed only
    for transaction in receiver.taken:
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\0", transaction.data)
