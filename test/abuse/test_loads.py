"""Figure A2 and the bounds of what one peer may cost: sockets, memory, lines of log."""
import os
import re
import resource
import selectors
import socket
import time

import pytest

from appliance import PATIENCE, wait_for
from attackers import SMALL
from hostile import LISTENERS, SENDER, bdat, plain, start_target
from test_attacks import submit

MB = 1024 * 1024


@pytest.fixture
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def resident(relay):
    """Bytes of all processes of the service."""
    total = 0
    for pid in relay.children():
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            total += int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) * 1024
    return total


def open_silent(relay, listener, sources):
    """One socket from each source, not waited for."""
    opened = []
    for source in sources:
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((source, 0))
        one.settimeout(60 * PATIENCE)
        one.connect(relay.address(listener))
        opened.append(one)
    return opened


def first_words(opened):
    """What each was told first: "220", "421", or "" when it was closed or reset."""
    told, selector = {}, selectors.DefaultSelector()
    for one in opened:
        one.setblocking(False)
        selector.register(one, selectors.EVENT_READ)
    end = time.monotonic() + 60 * PATIENCE
    while len(told) < len(opened) and time.monotonic() < end:
        for key, _ in selector.select(1):
            try:
                told[key.fileobj] = key.fileobj.recv(3).decode()
            except OSError:
                told[key.fileobj] = ""
            selector.unregister(key.fileobj)
    assert len(told) == len(opened), f"{len(opened) - len(told)} heard nothing"
    return list(told.values())


def test_an_address_is_served_two_hundred_times_at_once(world, many_files):
    relay = world.relay_to(world.sink(), listeners=LISTENERS)
    relay.login = relay.add_user(SENDER)
    opened = open_silent(relay, "submission", ["127.77.0.1"] * 300)
    words = first_words(opened)
    assert (words.count("220"), words.count("421")) == (200, 100)
    submit(relay)  # from another address
    for one in opened:
        one.close()
    submit(relay)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_ten_thousand_silent_sockets(world, many_files):
    relay = world.relay_to(world.sink(), listeners=LISTENERS)
    relay.login = relay.add_user(SENDER)
    submit(relay)
    before = resident(relay)
    opened = open_silent(relay, "submission",
                         (f"127.78.{i % 500 // 250}.{i % 250 + 1}" for i in range(10000)))
    words = first_words(opened)
    more = resident(relay) - before
    served = words.count("220")
    print(f"A2: {served} of 10000 served, {words.count('421')} told 421; {more / MB:.0f} MB more, "
          f"{more / served:.0f} bytes a session")
    assert served + words.count("421") == 10000 and served >= 9000
    assert more <= 300 * MB and more / served <= 20000
    for one in opened:
        one.close()
    wait_for(lambda: submit(relay) < 2, "served as before")


# ---- lines of log

N_ERRORS = 1000
N_LOOPS_AT_MOST = max(2, os.cpu_count())


def break_handshake(relay):
    with socket.create_connection(relay.address("submissions"), 60 * PATIENCE) as one:
        one.sendall(b"\x16\x03\x01\x00\x05junk!" + b"x" * 40)
        try:
            while one.recv(1000):
                pass
        except OSError:
            pass  # reset


def forge_senders(relay, n):
    """n refused senders on connections that an accepted message keeps from being slow."""
    with plain(relay) as one:
        for _ in range(n):
            assert one.say("MAIL FROM:<ceo@bank.example>").startswith("550 5.7.1")
            assert bdat(one, SMALL).startswith("250")


@pytest.mark.sanitized
def test_lines_about_one_peer_are_few_and_their_number_is_exact(world):
    relay = start_target(world)
    begin = time.monotonic()
    for _ in range(N_ERRORS):
        break_handshake(relay)
    forge_senders(relay, 300)
    relay.stop()
    lines = len(relay.log.all("tls_failed")) + len(relay.log.all("refused"))
    left_out = sum(int(e["n"]) for e in relay.log.all("suppressed", ip="127.0.0.1"))
    assert lines + left_out == N_ERRORS + 300
    n_windows = 2 + (time.monotonic() - begin) // 60
    assert lines <= 200 * N_LOOPS_AT_MOST * n_windows and (left_out > 0 or n_windows > 2)
    assert len(relay.log.all("queued")) == 300  # what was accepted is never left out


def test_the_words_of_a_receiver_are_logged_up_to_a_kilobyte(world):
    receiver = world.receiver({"RCPT": "550-5.1.1 " + "no " * 1000 + "\n550 5.1.1 " + "never " * 1000})
    relay = world.relay_to(receiver)
    login = relay.add_user(SENDER)
    identifier = relay.send(login, SENDER, "ann@dest.example", SMALL.decode())
    event = relay.log.wait("bounced", msg=identifier, timeout=30 * PATIENCE)
    assert 100 < len(event["reply"]) <= 1024


def test_silent_connections_to_the_control_socket_are_bounded_and_end(world):
    """More than are taken: the rest waits outside, and when they are gone operators are heard."""
    relay = world.relay_to(world.sink())
    before = resident(relay)
    opened = []
    for _ in range(400):
        one = socket.socket(socket.AF_UNIX)
        one.setblocking(False)
        try:
            one.connect(str(relay.folder / "run/control.sock"))
        except BlockingIOError:
            break  # the backlog is full too
        opened.append(one)
    assert len(opened) >= 256
    assert resident(relay) - before < 64 * MB
    for one in opened:
        one.close()
    assert relay.command("health").returncode == 0
