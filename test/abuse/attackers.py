"""Attacks on the intake, one function each, run as processes of their own:

    attackers.py NAME SECONDS < {"ports": {...}, "login": [user, password], "first": "127.66.0.1"}

An attack is a generator: each round does something and yields, until the time is up; SECONDS 0 means
one round.  Attackers come from addresses of 127/8 that no healthy client has.  Whatever the service
does to them is fine; what it does to others is what the tests look at."""
import base64
import contextlib
import ctypes
import ipaddress
import itertools
import json
import random
import socket
import ssl
import sys
import time

HOST = "127.0.0.1"
OPTIONS = {}
SMALL = b"From: news@shop.example\r\n\r\nx\r\n"


def sources():
    first = int(ipaddress.ip_address(OPTIONS["first"]))
    for number in itertools.count():
        yield str(ipaddress.ip_address(first + number % 4000))


SOURCE = sources()


def connect(listener="submission", source=None, timeout=2):
    one = socket.socket()
    one.settimeout(timeout)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    one.bind((source or next(SOURCE), 0))
    one.connect((HOST, OPTIONS["ports"][listener]))
    return one


def reset(one):
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    one.close()


@contextlib.contextmanager
def carelessly():
    """Refusals, resets and full buffers are the service's good right."""
    try:
        yield
    except (OSError, ssl.SSLError):
        pass


def hold(n, listener="submission", first=b""):
    held = []
    for _ in range(n):
        with carelessly():
            one = connect(listener)
            if first:
                one.sendall(first)
            held.append(one)
    return held


def trickle(held, octets):
    for one in held:
        with carelessly():
            one.sendall(octets)


def logged_in(source=None):
    """On the listener that takes passwords in clear, so that no time goes into TLS."""
    one = connect("plain", source, timeout=5)
    token = base64.b64encode("\0".join(["", *OPTIONS["login"]]).encode())
    one.sendall(b"EHLO x\r\n")
    read_until(one, b"250 ")
    one.sendall(b"AUTH PLAIN " + token + b"\r\n")
    read_until(one, b"235 ")
    return one


def read_until(one, begin):
    octets = b""
    while not any(line.startswith(begin) for line in octets.split(b"\r\n")):
        more = one.recv(65536)
        if not more:
            raise ConnectionAbortedError
        octets += more


def open_message(one):
    one.sendall(b"MAIL FROM:<news@shop.example>\r\nRCPT TO:<a@dest.example>\r\nDATA\r\n")
    read_until(one, b"354 ")


# ---- slowness

def slow_commands():
    held = hold(400)
    for letter in itertools.cycle(b"EHLO " + b"x" * 200):
        trickle(held, bytes([letter]))
        yield


def slow_tls_hello():
    held = hold(400, "submissions", b"\x16\x03\x01\x02\x00")
    while True:
        trickle(held, b"\1")
        yield


def slow_data():
    held = []
    for _ in range(60):
        with carelessly():
            one = logged_in()
            open_message(one)
            held.append(one)
    while True:
        trickle(held, b"X: y\r\n")
        yield


def silent():
    held = hold(1000) + hold(500, "submissions")
    while held:
        yield


def half_closed():
    held = []
    while True:
        for one in hold(50, "submission", b"EHLO x\r\nNOOP\r\n"):
            with carelessly():
                one.shutdown(socket.SHUT_WR)
            held.append(one)
        held = held[-500:]
        yield


def never_reads():
    held = hold(20, "submission", b"EHLO x\r\n")
    for one in held:
        one.settimeout(0.01)
    while True:
        for one in held:
            with carelessly():
                one.sendall(b"HELP\r\n" * 2000)
        yield


# ---- storms

def connect_and_reset():
    while True:
        for _ in range(100):
            with carelessly():
                reset(connect())
        yield


def connect_and_leave():
    while True:
        for one in hold(50, "submission", b"QUIT\r\n"):
            one.close()
        yield


def starttls_and_abort():
    while True:
        for _ in range(20):
            with carelessly():
                one = connect()
                one.sendall(b"EHLO x\r\nSTARTTLS\r\n")
                read_until(one, b"220 2.0.0")
                one.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
                reset(one)
        yield


def tls_handshakes():
    context = ssl._create_unverified_context()  # pylint: disable=protected-access
    while True:
        for _ in range(10):
            with carelessly():
                reset(context.wrap_socket(connect("submissions")))
        yield


class LibSsl:
    """What Python's ssl does not offer: OpenSSL's own functions on its connections."""

    def __init__(self):
        self.library = ctypes.CDLL("libssl.so.3")
        for name in ("SSL_key_update", "SSL_do_handshake", "SSL_renegotiate"):
            getattr(self.library, name).argtypes = [ctypes.c_void_p] + (
                [ctypes.c_int] if name == "SSL_key_update" else [])

    @staticmethod
    def pointer(one):
        """struct PySSLSocket: the head of an object, its socket, then the SSL."""
        return ctypes.c_void_p.from_address(id(one._sslobj) + 24)  # pylint: disable=protected-access

    def update_key(self, one):
        return (self.library.SSL_key_update(self.pointer(one), 0) == 1 and
                self.library.SSL_do_handshake(self.pointer(one)) == 1)

    def renegotiate(self, one):
        return (self.library.SSL_renegotiate(self.pointer(one)) == 1 and
                self.library.SSL_do_handshake(self.pointer(one)) == 1)


def tls_repeated(version, again):
    """The same connection, over and over; when it breaks, another."""
    context = ssl._create_unverified_context()  # pylint: disable=protected-access
    context.minimum_version = context.maximum_version = version
    while True:
        with carelessly():
            one = context.wrap_socket(connect("submissions"))
            for number in itertools.count():
                if not again(one):
                    break
                if number % 200 == 0:
                    yield
        yield


def tls_renegotiation():
    return tls_repeated(ssl.TLSVersion.TLSv1_2, LibSsl().renegotiate)


def key_updates():
    """TLS 1.3: records that carry nothing, and cost the receiver a derivation each."""
    return tls_repeated(ssl.TLSVersion.TLSv1_3, LibSsl().update_key)


def junk_tls():
    chance = random.Random(1)
    while True:
        for _ in range(50):
            with carelessly():
                one = connect("submissions")
                one.sendall(bytes([22, 3, chance.randrange(5)]) + chance.randbytes(600))
                reset(one)
        yield


def http_verbs():
    while True:
        for verb in (b"GET / HTTP/1.1", b"POST / HTTP/1.0", b"CONNECT x:25 HTTP/1.1", b"PRI * HTTP/2.0"):
            for one in hold(10, "submission", verb + b"\r\nHost: x\r\n\r\n" + b"x" * 10000):
                one.close()
        yield


def login_guesses():
    numbers = itertools.count()
    while True:
        for _ in range(5):
            with carelessly():
                one = connect("plain", timeout=0.3)
                one.sendall(b"EHLO x\r\n")
                read_until(one, b"250 ")
                token = base64.b64encode(b"\0%s\0guess%d" % (OPTIONS["login"][0].encode(), next(numbers)))
                one.sendall(b"AUTH PLAIN " + token + b"\r\n")
                read_until(one, b"535")
        yield


# ---- floods

def flood(octets, listener="submission", most=100 << 20, start=connect):
    """Sends octets over and over; when cut off, it comes again."""
    while True:
        with carelessly():
            one = start(listener) if start is connect else start()
            for _ in range(most // len(octets)):
                one.sendall(octets)
                one.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    one.recv(1 << 20)
                one.settimeout(1)
                yield
        yield


def recipient_flood():
    head = b"MAIL FROM:<news@shop.example>\r\n"
    return flood(head + b"".join(b"RCPT TO:<r%d@dest.example>\r\n" % i for i in range(2000)) + b"RSET\r\n",
                 start=logged_in)


def long_lines():
    return flood(b"x" * 1000000)


def commands_flood():
    return flood(b"NOOP\r\nRSET\r\n" * 5000)


def pipelining_flood():
    return flood(b"MAIL FROM:<news@shop.example>\r\nRSET\r\nVRFY x\r\n" * 2000, start=logged_in)


def nul_flood():
    return flood(b"\0" * 100000)


def huge_auth():
    return flood(b"AUTH PLAIN " + b"A" * 12270 + b"\r\nAUTH PLAIN\r\n" + b"A" * 200000 + b"\r\n", "plain")


def mail_flood(octets, verb=b"DATA\r\n"):
    """Messages that must be refused."""
    while True:
        with carelessly():
            one = logged_in()
            one.sendall(b"MAIL FROM:<news@shop.example>\r\nRCPT TO:<a@dest.example>\r\n" + verb)
            if verb == b"DATA\r\n":
                read_until(one, b"354 ")
            for _ in range(40):
                one.sendall(octets)
                yield
            one.sendall(b"\r\n.\r\nRSET\r\n")
            one.recv(1000)
            one.close()
        yield


def giant_chunks():
    return mail_flood(b"y" * 500000, b"BDAT 60000000\r\n")


def header_bomb():
    return mail_flood(b"X: y\r\n" * 50000)


def mail_loop():
    return mail_flood(b"Received: from x by y; Sun, 22 Nov 2026 17:25:03 +0000\r\n" * 30)


def oversized():
    return mail_flood(SMALL + b"\r\n" + b"z" * 998 + (b"\r\n" + b"z" * 998) * 1500)


ATTACKS = [
    slow_commands, slow_tls_hello, slow_data, silent, half_closed, never_reads, connect_and_reset,
    connect_and_leave, starttls_and_abort, tls_handshakes, tls_renegotiation, key_updates, junk_tls, http_verbs,
    login_guesses, recipient_flood, long_lines, commands_flood, pipelining_flood, nul_flood, huge_auth,
    giant_chunks, header_bomb, mail_loop, oversized]
NAMES = [attack.__name__ for attack in ATTACKS]
AT_LEISURE = {"slow_commands", "slow_tls_hello", "slow_data", "silent", "half_closed"}


def main():
    name, seconds = sys.argv[1], float(sys.argv[2])
    OPTIONS.update(json.load(sys.stdin))
    attack = ATTACKS[NAMES.index(name)]()
    next(attack)
    print("attacking", flush=True)
    end, n = time.monotonic() + seconds, 1
    while time.monotonic() < end:
        next(attack)
        n += 1
        if name in AT_LEISURE:
            time.sleep(0.2)
    print(n, "rounds", flush=True)
    attack.close()


if __name__ == "__main__":
    main()
