"""The test receivers themselves, spoken to by Python's smtplib."""
import smtplib
import socket
import ssl

import pytest

from appliance import PATIENCE, wait_for


def connect(sink):
    client = smtplib.SMTP(sink.host, sink.port, timeout=30)
    client.ehlo()
    return client


def test_a_message_is_kept_octet_for_octet(world):
    sink = world.sink()
    octets = b"Subject: caf\xc3\xa9\r\n\r\n.dot\r\n..two\r\n\x80\xff\r\n.\r\n" + b"x" * 3000 + b"\r\n"
    with connect(sink) as client:
        client.sendmail("a@x.example", ["b@y.example", "c@y.example"], octets)
    kept = sink.messages()
    assert [m.data for m in kept] == [octets]
    assert kept[0].sender == "a@x.example" and kept[0].recipients == ["b@y.example", "c@y.example"]
    assert kept[0].tls is None
    counts = sink.stop()
    assert (counts["messages"], counts["recipients"], counts["octets"]) == (1, 2, len(octets))


def test_starttls_is_offered_and_noted(world, authority):
    sink = world.sink(tls=True)
    with connect(sink) as client:
        client.starttls(context=ssl.create_default_context(cafile=str(authority.file)))
        client.sendmail("a@x.example", ["b@y.example"], b"Subject: x\r\n\r\n")
    assert sink.messages()[0].tls.startswith("TLSv1.3 ")


def test_the_script_decides(world):
    sink = world.sink(script="RCPT match=@bad\\. -> 550 5.1.1 No such user\n"
                             "DOT every=2 -> 451 4.3.0 Later\n"
                             "NOOP -> drop\n")
    with connect(sink) as client:
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            client.sendmail("a@x.example", ["b@bad.example"], b"x\r\n")
        client.sendmail("a@x.example", ["b@good.example"], b"x\r\n")
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail("a@x.example", ["b@good.example"], b"x\r\n")
        assert refused.value.smtp_code == 451
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.noop()
    assert len(sink.messages()) == 1


def test_a_hundred_connections_at_once(world):
    sink = world.sink()
    clients = [connect(sink) for _ in range(100)]
    for client in clients:
        client.sendmail("a@x.example", ["b@y.example"], b"x\r\n")
    for client in clients:
        client.close()
    assert len(sink.messages()) == 100
    assert sink.stop()["most_connections"] == 100


def test_a_receiver_drops_whom_it_lets_wait_in_a_handshake(world):
    """Half a positive reply to STARTTLS: the one waits for its rest, the other for a handshake."""
    receiver = world.receiver({"STARTTLS": b"2"}, tls=True)
    with socket.create_connection((receiver.host, receiver.port), 20 * PATIENCE) as one:
        one.sendall(b"EHLO x\r\nSTARTTLS\r\n")
        session = wait_for(lambda: next(iter(receiver.sessions), None), "a session")
        wait_for(lambda: session.socket.fileno() < 0, "the socket is OpenSSL's")
        receiver.drop_sessions()
        octets = one.makefile("rb").read()  # to the end of the connection
    assert octets.endswith(b"\r\n2"), octets
