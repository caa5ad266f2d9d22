"""Attacks on sessions: malformed logins, absurd sizes, floods, storms, and what idle ones cost."""
import re
import resource
import socket
import statistics
import time

import pytest

from appliance import PATIENCE, sanitizer
from hostile import LISTENERS, RECIPIENT, SENDER, bdat, begin_data, plain, start_target
from wire import Wire, plain_token

pytestmark = pytest.mark.sanitized


@pytest.fixture(scope="module")
def relay(module_world):
    return start_target(module_world)


# ---- AUTH

def test_malformed_logins_stay_in_step(relay):
    good = plain_token(*relay.login)
    user, password = relay.login
    attacks = [
        "AUTH PLAIN !", "AUTH PLAIN A", "AUTH PLAIN AA", "AUTH PLAIN A=A=", "AUTH PLAIN " + good[:-1],
        "AUTH PLAIN " + good + "=", "AUTH PLAIN " + good + "\0", "AUTH PLAIN =" + good,
        "AUTH PLAIN " + good.lower(), "AUTH PLAIN \x7f", "AUTH PLAIN " + "A" * 1000,
        "AUTH PLAIN " + plain_token(user, password, "other@shop.example"),
        "AUTH PLAIN " + plain_token("", password), "AUTH PLAIN " + plain_token(user, ""),
        "AUTH PLAIN " + plain_token(user + "\0", password), "AUTH PLAIN AAAA", "AUTH PLAIN AAAAAAAA",
        "AUTH PLAIN AGE=", "AUTH", "AUTH ", "AUTH %s%n", "AUTH LOGIN !!!", "AUTH PLAIN " + good[4:]]
    for attack in attacks:
        with Wire(relay, tls=True, login=False) as one:
            reply = one.say(attack)
            assert reply[0] == "5" or reply.startswith("454"), (attack, reply)
            assert one.say("NOOP").startswith("250"), attack
            assert one.say(f"MAIL FROM:<{SENDER}>").startswith("530"), attack


@pytest.mark.parametrize("size", [12 * 1024, 200 * 1000])
def test_endless_logins_are_bounded(relay, size):
    with Wire(relay, tls=True, login=False) as one:
        assert one.say("AUTH PLAIN").startswith("334")
        one.raw(b"A" * size + b"\r\nNOOP\r\n")
        assert one.reply()[0] in "45"
        assert one.reply().startswith("250")
        assert one.say(f"MAIL FROM:<{SENDER}>").startswith("530")


def test_a_cancelled_login_is_none(relay):
    for first in ("AUTH PLAIN", "AUTH LOGIN"):
        with Wire(relay, tls=True, login=False) as one:
            assert one.say(first).startswith("334")
            assert one.say("*").startswith("501")
            assert one.say(f"MAIL FROM:<{SENDER}>").startswith("530")


def test_commands_behind_auth_are_no_password(relay):
    """Pipelined behind AUTH, MAIL is the answer to the 334: refused, and nothing was let in."""
    with Wire(relay, tls=True, login=False) as one:
        one.raw(f"AUTH PLAIN\r\nMAIL FROM:<{SENDER}>\r\nMAIL FROM:<{SENDER}>\r\n".encode())
        answers = one.replies(3)
        assert [a[:3] for a in answers] == ["334", "501", "530"], answers


def guess(relay, user, source):
    """Seconds until a wrong password is refused, from an address of its own (throttles count those)."""
    with socket.socket() as one:
        one.bind((source, 0))
        one.connect(relay.address("plain"))
        file = one.makefile("rb")
        file.readline()
        one.sendall(b"HELO x\r\nEHLO x\r\n")
        while not file.readline().startswith(b"250 LIMITS"):
            pass
        begin = time.monotonic()
        one.sendall(f"AUTH PLAIN {plain_token(user, 'a wrong password')}\r\n".encode())
        assert file.readline().startswith(b"535 5.7.8 "), user
        return time.monotonic() - begin


@pytest.mark.long  # compares times: not for a machine that others load; unit tests count the hashes
def test_unknown_users_cost_as_much_as_known_ones(world):
    relay = start_target(world)
    known, unknown = [], []
    for i in range(7):
        known.append(guess(relay, SENDER, f"127.9.{i}.1"))
        unknown.append(guess(relay, f"nobody{i}@shop.example", f"127.9.{i}.2"))
    medians = statistics.median(known), statistics.median(unknown)
    assert abs(medians[0] - medians[1]) < max(0.02 * PATIENCE, 0.1 * medians[0]), (known, unknown)


# ---- sizes and floods

@pytest.mark.parametrize("words", [
    "-1", "abc", "1x", "", "0x10", "+5", "1 LASTX", "1 LAST LAST", "18446744073709551616", "1" + "0" * 30,
    "9223372036854775808", "4294967301", "2147483648"])
def test_bdat_sizes(relay, words):
    mark = relay.log.mark()
    with plain(relay) as one:
        one.raw(f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{RECIPIENT}>\r\nBDAT {words}\r\n".encode())
        answers = one.replies(3)
        assert answers[2][:3] in ("501", "552", "554", "500", "521", "421"), answers
        one.raw(b"MAIL FROM:<forged@shop.example>\r\nRCPT TO:<victim@dest.example>\r\nDATA\r\n")
        time.sleep(0.05)
    assert not relay.log.all("queued", after=mark)


@pytest.mark.parametrize("value", ["18446744073709551617", "1" * 21, "-1", "abc", "1e9", "", "0x10"])
def test_odd_size_parameters(relay, value):
    with plain(relay) as one:
        assert one.say(f"MAIL FROM:<{SENDER}> SIZE={value}")[:3] in ("501", "552", "553")


def test_bdat_without_recipients_is_swallowed(relay):
    with plain(relay) as one:
        one.raw(b"BDAT 8\r\nNOOP x\r\nNOOP\r\n")
        assert [a[:3] for a in one.replies(2)] == ["503", "250"]


def test_a_flood_of_recipients(relay):
    with plain(relay) as one:
        one.say(f"MAIL FROM:<{SENDER}>")
        one.raw(b"".join(b"RCPT TO:<r%d@dest.example>\r\n" % i for i in range(1003)))
        answers = [a[:9] for a in one.replies(1003)]
        assert answers == ["250 2.1.5"] * 1000 + ["452 4.5.3"] * 3
        assert one.say("RSET").startswith("250")


def test_commands_without_end(relay):
    """100 MB of one line: refused once, in constant memory; then in step or closed."""
    with plain(relay) as one:
        try:
            for _ in range(100):
                one.raw(b"x" * 1000000)
            one.raw(b"\r\nNOOP\r\n")
            answers = one.replies(2)
            assert answers[0].startswith("500 5.5"), answers
            assert answers[1].startswith("250"), answers
        except OSError:
            pass  # closed: as good


def test_millions_of_header_lines(relay):
    mark = relay.log.mark()
    with plain(relay) as one:
        begin_data(one)
        try:
            one.raw(b"X: y\r\n" * 150000 + b"\r\nx\r\n.\r\n")
            assert one.reply().startswith("552 5.3.4")
            assert one.say("NOOP").startswith("250")
        except OSError:
            pass
    assert not relay.log.all("queued", after=mark)


def relay_memory(relay):
    """Resident bytes of the relay process."""
    for pid in relay.children():
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            file.read()
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            status = file.read()
        yield int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024


@pytest.mark.skipif(bool(sanitizer()), reason="a sanitizer's memory says nothing")
@pytest.mark.parametrize("kind,n,most", [("plain", 2000, 20000), ("submissions", 1000, 50000)])
def test_memory_of_idle_sessions(world, kind, n, most):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    relay = world.relay_to(world.sink(), "limits { per_address = 5000 }", listeners=LISTENERS)
    before = sum(relay_memory(relay))
    context = relay.tls_context()
    opened = []
    for _ in range(n):
        one = socket.create_connection(relay.address(kind), 30)
        if kind == "submissions":
            one = context.wrap_socket(one, server_hostname="127.0.0.1")
        opened.append(one)
    for one in opened:
        assert one.recv(200).startswith(b"220")
    each = (sum(relay_memory(relay)) - before) / n
    print(f"{kind}: {each:.0f} bytes a session")
    for one in opened:
        one.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert each < most


def test_one_who_never_reads_costs_little(relay):
    """Commands without reading the replies: our output is bounded, others go on."""
    with plain(relay) as deaf:
        deaf.socket.settimeout(1)
        try:
            for _ in range(200):
                deaf.raw(b"HELP\r\n" * 10000)
        except OSError:
            pass  # we stopped reading
        with plain(relay) as one:
            begin = time.monotonic()
            assert bdat(one, b"From: news@shop.example\r\n\r\nx\r\n").startswith("250")
            assert time.monotonic() - begin < 2 * PATIENCE


def test_a_client_is_served_amid_a_storm(relay):
    """Connections that come, reset and come again, half-open handshakes, drips."""
    def attack(host, port):
        one = socket.create_connection((host, port), 5)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        return one
    held = [attack(*relay.address("submissions")) for _ in range(200)]
    for one in held[::2]:
        one.sendall(b"\x16\x03\x01\x02\x00\x01")  # a hello that never ends
    slowest = 0
    for i in range(30):
        for _ in range(30):
            attack(*relay.address("submission")).close()  # with a reset
        begin = time.monotonic()
        with plain(relay) as one:
            assert bdat(one, b"From: news@shop.example\r\n\r\nx\r\n").startswith("250")
        slowest = max(slowest, time.monotonic() - begin)
        held[i].sendall(b"\x00")
    for one in held:
        one.close()
    assert slowest < 2 * PATIENCE
