"""WordPress opens a connection for every mail: TLS that resumes, and replies that do not dawdle."""
import socket
import ssl
import time

import pytest

from appliance import PATIENCE, queue_id
from messages import PLAIN, stuffed

pytestmark = pytest.mark.sanitized
SENDER, RECIPIENT = "news@shop.example", "ann@dest.example"


@pytest.fixture
def relay(world):
    relay = world.relay_to(world.sink())
    relay.login = relay.add_user(SENDER)
    return relay


def secured(relay, context, session=None):
    """A connection after STARTTLS: (was it resumed, its session)."""
    with socket.create_connection(relay.address("submission"), 30 * PATIENCE) as raw:
        raw.recv(500)
        raw.sendall(b"EHLO client.example\r\n")
        raw.recv(2000)
        raw.sendall(b"STARTTLS\r\n")
        assert raw.recv(100).startswith(b"220")
        with context.wrap_socket(raw, server_hostname="127.0.0.1", session=session) as secure:
            secure.sendall(b"EHLO client.example\r\n")
            secure.recv(2000)
            return secure.session_reused, secure.session


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3],
                         ids=["tls12", "tls13"])
def test_resumption_holds_over_loops_and_reloads(relay, version):
    context = relay.tls_context()
    context.minimum_version = context.maximum_version = version
    _, session = secured(relay, context)
    for _ in range(12):  # they spread over the loops
        resumed, session = secured(relay, context, session)
        assert resumed
    relay.config += 'limits { recipients = 200 }\n'
    relay.log.wait("reloaded", role="relay", after=relay.reload(), timeout=30 * PATIENCE)
    for _ in range(4):
        resumed, session = secured(relay, context, session)
        assert resumed, "a reload made all clients shake hands anew"


def test_messages_in_small_pieces_are_not_held_up(relay):
    """PHPMailer and nodemailer write a message line by line; with delayed ACKs and Nagle's
    algorithm 50 messages took 2.3 s, since every second piece waited 40 ms."""
    with relay.client(relay.login) as client:
        octets = stuffed(PLAIN) + b".\r\n"
        pieces = octets.splitlines(keepends=True)
        begin = time.monotonic()
        for _ in range(50):
            client.sock.sendall(f"MAIL FROM:<{SENDER}>\r\n".encode())
            assert client.getreply()[0] == 250
            client.sock.sendall(f"RCPT TO:<{RECIPIENT}>\r\n".encode())
            assert client.getreply()[0] == 250
            client.sock.sendall(b"DATA\r\n")
            assert client.getreply()[0] == 354
            for piece in pieces:
                client.sock.sendall(piece)
            code, reply = client.getreply()
            assert code == 250
            queue_id(reply)
        spent = time.monotonic() - begin
    assert spent < 50 * 0.040 * PATIENCE, f"50 messages took {spent:.2f} s"
    print(f"50 messages in small pieces: {spent:.2f} s")
