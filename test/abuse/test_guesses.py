"""Figures A3 and A4: how fast passwords can be guessed, and that neither text nor time tells who
exists.  The growth of delays and the bound of failures in a row are held with a clock of its own by
test/unit/policy/throttle_test.c; here the whole service is asked."""
import itertools
import socket
import statistics
import threading
import time

import pytest

from appliance import PATIENCE
from hostile import SENDER, start_target
from wire import plain_token


def connect(relay, source):
    one = socket.socket()
    one.settimeout(60 * PATIENCE)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind((source, 0))
    one.connect(relay.address("plain"))
    file = one.makefile("rb")
    file.readline()
    one.sendall(b"EHLO x\r\n")
    while not file.readline().startswith(b"250 "):
        pass
    return one, file


def guess(relay, user, password, source):
    """(the reply, its seconds)"""
    one, file = connect(relay, source)
    with one, file:
        begin = time.monotonic()
        one.sendall(f"AUTH PLAIN {plain_token(user, password)}\r\n".encode())
        return file.readline().decode(), time.monotonic() - begin


@pytest.mark.sanitized
def test_who_exists_is_not_told(world):
    relay = start_target(world)
    relay.add_user("disabled@shop.example")
    relay.cli("user", "disable", "disabled@shop.example")
    names = [SENDER, "disabled@shop.example", "nobody@shop.example", "x", "a" * 255, "ü@shop.example"]
    replies = {guess(relay, name, "wrong password", f"127.8.{i}.1")[0] for i, name in enumerate(names)}
    assert len(replies) == 1 and replies.pop().startswith("535 5.7.8 ")


@pytest.mark.sanitized
def test_an_address_guesses_five_times_a_second(world):
    """Twenty connections at once, each guess another user and another password: so only the
    address's own pace holds them back, and its growing delays."""
    relay = start_target(world)
    numbers, begin, checked = itertools.count(), time.monotonic(), []

    def attack():
        for _ in range(3):
            n = next(numbers)
            reply, _ = guess(relay, f"u{n}@shop.example", f"guess {n}", "127.8.8.8")
            if reply.startswith("535"):
                checked.append(time.monotonic() - begin)
    attackers = [threading.Thread(target=attack) for _ in range(20)]
    for attacker in attackers:
        attacker.start()
    for attacker in attackers:
        attacker.join()
    checked.sort()
    print(f"A3: {len(checked)} guesses checked in {checked[-1]:.1f} s")
    assert 5 <= len(checked) <= 5 + 5 * checked[-1]
    # Another address is served at once, and the one that attacked is told when to come back.
    assert guess(relay, *relay.login, "127.0.0.1")[0].startswith("235")
    assert relay.log.all("login_failed", reason="too many guesses")


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_an_account_fails_a_hundred_times_in_a_row_at_most(world):
    """From 200 addresses, each password another; a known address goes on meanwhile."""
    relay = start_target(world)
    assert guess(relay, *relay.login, "127.0.0.1")[0].startswith("235")
    n_checked, n_sent_away = 0, 0
    numbers = itertools.count()
    while n_sent_away < 40 and next(numbers) < 3000:
        n = next(numbers)
        reply, _ = guess(relay, SENDER, f"guess {n}", f"127.8.{n % 200}.9")
        n_checked += reply.startswith("535")
        n_sent_away = 0 if reply.startswith("535") else n_sent_away + 1
        if n_sent_away:
            time.sleep(0.5)
    print(f"A3: {n_checked} failures in a row")
    assert n_checked == 100
    assert guess(relay, *relay.login, "127.0.0.1")[0].startswith("235")


@pytest.mark.long
def test_medians_of_known_and_unknown_users_agree(world):
    relay = start_target(world)
    known, unknown = [], []
    for i in range(19):  # from its 20th failure on a user is slowed, as meant
        known.append(guess(relay, SENDER, f"wrong {i}", f"127.9.{i}.1")[1])
        unknown.append(guess(relay, f"nobody{i}@shop.example", "wrong", f"127.9.{i}.2")[1])
        time.sleep(0.1)
    medians = [statistics.median(times) for times in (known, unknown)]
    print(f"A4: known {medians[0] * 1000:.1f} ms, unknown {medians[1] * 1000:.1f} ms")
    assert abs(medians[0] - medians[1]) <= max(0.003, 0.1 * medians[0])
