"""Which address mail leaves from and goes to: IPv6, our own, and names beyond ASCII."""
import socket

import pytest

from appliance import PATIENCE
from messages import PLAIN, assert_arrived
from receivers import Receiver

SENDER, RECIPIENT = "news@shop.example", "ann@dest.example"
ZONE = """
dest     MX 10 mx.dest
mx.dest  A {v4}
mx.dest  AAAA ::1
six      MX 10 mx.six
mx.six   AAAA ::1
own      MX 10 mx.own
own      MX 20 mx.dest
mx.own   A {own}
xn--bcher-kva  MX 10 mx.dest
"""


def free_port(*hosts):
    """A port that is free on every host."""
    while True:
        with socket.create_server((hosts[0], 0)) as probe:
            port = probe.getsockname()[1]
        try:
            for host in hosts:
                family = socket.AF_INET6 if ":" in host else socket.AF_INET
                socket.create_server((host, port), family=family).close()
            return port
        except OSError:
            continue


class Receiver6(Receiver):
    """On ::1."""

    def __init__(self, port):
        create = socket.create_server
        socket.create_server = lambda address, **more: create(
            address, family=socket.AF_INET6, **more)
        try:
            super().__init__(host="::1", port=port)
        finally:
            socket.create_server = create


def start(world, bind, own="127.9.9.9", config=""):
    port = free_port("127.0.0.88", "::1")
    dns = world.name_server({"example": ZONE.format(v4="127.0.0.88", own=own)})
    four = world.receiver(host="127.0.0.88", port=port)
    six = world.own(Receiver6(port))
    relay = world.appliance(
        f'{dns.settings()}delivery {{ port = {port}  bind = {{ {bind} }}  retry = {{ "1s" }}  '
        f'expire = "60s"  allow_mx = {{ "127.0.0.88/32", "::1/128" }} }}\n{config}')
    relay.login = relay.add_user(SENDER)
    return relay, four, six


@pytest.mark.sanitized
def test_ipv6_is_used_where_an_address_of_it_is_set(world):
    relay, four, six = start(world, '"127.0.0.1", "::1"')
    identifier = relay.send(relay.login, SENDER, "a@six.example", PLAIN)
    relay.wait_delivered(identifier)
    assert_arrived(six.taken[0].data, PLAIN)
    assert relay.log.wait("delivered", msg=identifier)["egress"] == "::1"
    relay.wait_delivered(relay.send(relay.login, SENDER, RECIPIENT, PLAIN))
    assert len(six.taken) + len(four.taken) == 2


def test_without_one_only_ipv4_is_asked_for(world):
    relay, four, six = start(world, '"127.0.0.1"')
    relay.wait_delivered(relay.send(relay.login, SENDER, RECIPIENT, PLAIN))
    identifier = relay.send(relay.login, SENDER, "a@six.example", PLAIN)
    relay.log.wait_until(lambda events: any(
        e.name in ("bounced", "deferred") and e.get("msg") == identifier for e in events),
        timeout=30 * PATIENCE)
    assert len(four.taken) == 1 and not six.taken


def test_a_failure_over_ipv6_falls_back_to_ipv4(world):
    relay, four, six = start(world, '"127.0.0.1", "::1"')
    six.listener.shutdown(socket.SHUT_RDWR)
    relay.wait_delivered(relay.send(relay.login, SENDER, RECIPIENT, PLAIN))
    assert len(four.taken) == 1


def test_a_domain_beyond_ascii_is_looked_up_by_its_a_label(world):
    relay, four, _ = start(world, '"127.0.0.1"')
    with relay.client(relay.login) as client:
        client.command_encoding = "utf-8"
        assert client.mail(SENDER, ["SMTPUTF8"])[0] == 250
        assert client.rcpt("ann@bücher.example")[0] == 250
        assert client.data(PLAIN)[0] == 250
    relay.log.wait("delivered", timeout=30 * PATIENCE)
    assert_arrived(four.taken[0].data, PLAIN)
    assert relay.log.all("delivered")[0]["site"] != ""


def test_utf8_passes_where_it_is_taken(world):
    receiver = world.receiver()
    relay = world.relay_to(receiver)
    relay.login = relay.add_user(SENDER)
    original = PLAIN.replace(b"Subject: Prices", "Subject: Größe".encode())
    with relay.client(relay.login) as client:
        client.command_encoding = "utf-8"
        assert client.mail(SENDER, ["SMTPUTF8", "BODY=8BITMIME"])[0] == 250
        assert client.rcpt("grüße@dest.example")[0] == 250
        assert client.data(original)[0] == 250
    relay.log.wait("delivered", timeout=30 * PATIENCE)
    assert_arrived(receiver.taken[0].data, original)
    assert "SMTPUTF8" in receiver.taken[0].sender_line


def test_a_header_in_utf8_without_smtputf8_there_bounces(world):
    """RFC 6531 3.5: 5.6.7, for addresses and for header fields."""
    receiver = world.receiver(extensions=["PIPELINING", "8BITMIME"])
    sink = world.sink()
    relay = world.relay_to(receiver, f'route "shop.example" {{ via = "{sink.address}" }}\n')
    relay.login = relay.add_user(SENDER)
    with relay.client(relay.login) as client:
        assert client.mail(SENDER, ["SMTPUTF8", "BODY=8BITMIME"])[0] == 250
        assert client.rcpt(RECIPIENT)[0] == 250
        assert client.data(PLAIN.replace(b"Subject: Prices", "Subject: Größe".encode()))[0] == 250
    assert relay.log.wait("bounced", timeout=30 * PATIENCE)["enhanced"] == "5.6.7"
    assert not receiver.taken
