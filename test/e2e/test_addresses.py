"""Which address mail leaves from and goes to: IPv6, our own, and names beyond ASCII."""
import datetime
import socket

import pytest

from appliance import PATIENCE, wait_for
from messages import PLAIN, assert_arrived
from receivers import Receiver

SENDER, RECIPIENT = "news@shop.example", "ann@dest.example"
# Of an address that nobody on loopback has, and libunbound knows nothing of by itself.
UNNAMED = "2a0a:4000::25"
UNNAMED_ZONE = "0.0.0.4.a.0.a.2.ip6.arpa"
UNNAMED_OWNER = "5.2" + ".0" * 22
ZONE = """
dest     MX 10 mx.dest
mx.dest  A {v4}
mx.dest  AAAA ::1
six      MX 10 mx.six
mx.six   AAAA ::1
many     MX 10 mx1.many
many     MX 20 mx2.many
many     MX 30 mx3.many
mx1.many AAAA ::1
mx2.many AAAA ::1
mx3.many AAAA ::1
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

    def __init__(self, port, behaviour=None):
        create = socket.create_server
        socket.create_server = lambda address, **more: create(
            address, family=socket.AF_INET6, **more)
        try:
            super().__init__(behaviour, host="::1", port=port)
        finally:
            socket.create_server = create


def start(world, bind, own="127.9.9.9", config="", ipv6="checked", zones=None, behaviour=None,
          retry="1s"):
    port = free_port("127.0.0.88", "::1")
    dns = world.name_server({"example": ZONE.format(v4="127.0.0.88", own=own), **(zones or {})})
    four = world.receiver(host="127.0.0.88", port=port)
    six = world.own(Receiver6(port, behaviour))
    relay = world.appliance(
        f'{dns.settings()}delivery {{ port = {port}  bind = {{ {bind} }}  retry = {{ "{retry}" }}  '
        f'ipv6 = "{ipv6}"  '
        f'expire = "60s"  allow_mx = {{ "127.0.0.88/32", "::1/128" }} }}\n{config}')
    relay.login = relay.add_user(SENDER)
    relay.dns = dns
    return relay, four, six


@pytest.mark.sanitized
def test_ipv6_is_used_where_an_address_of_it_is_set(world):
    relay, four, six = start(world, '"127.0.0.1", "::1"')
    named = relay.log.wait("egress_name", timeout=30 * PATIENCE)
    assert named["egress"] == "::1" and named["result"] == "confirmed", named
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


@pytest.mark.sanitized
def test_an_address_without_a_name_is_not_used(world):
    """It need not even be ours: nothing is sent from it before its PTR leads back to it."""
    relay, four, six = start(world, f'"127.0.0.1", "{UNNAMED}"', zones={UNNAMED_ZONE: ""})
    assert relay.log.wait("egress_name", timeout=30 * PATIENCE)["result"] == "missing"
    identifier = relay.send(relay.login, SENDER, RECIPIENT, PLAIN)
    relay.wait_delivered(identifier)
    assert relay.log.all("delivered", msg=identifier)[0]["egress"] == "127.0.0.1"
    assert len(four.taken) == 1 and not six.taken
    waiting = relay.send(relay.login, SENDER, "a@six.example", PLAIN)
    deferred = relay.log.wait("deferred", msg=waiting, timeout=30 * PATIENCE)
    assert "IPv6 is not used" in deferred["reply"]
    assert any("IPv6" in note for note in relay.json("health")[0]["notes"])

    relay.dns.set_zone(UNNAMED_ZONE, f"{UNNAMED_OWNER} PTR out.example.")
    wait_for_result(relay, "unconfirmed")
    relay.dns.add("example", f"out AAAA {UNNAMED}")
    wait_for_result(relay, "confirmed")
    assert not any("IPv6" in note for note in relay.json("health")[0]["notes"])


def wait_for_result(relay, result):
    """Each reload asks anew; the name server lets an answer be kept for a second."""
    mark = relay.log.mark()

    def is_there():
        relay.log.wait("reloaded", role="relay", after=relay.reload(), timeout=30 * PATIENCE)
        return relay.log.all("egress_name", after=mark, result=result)
    wait_for(is_there, f"the name is {result}", timeout=30 * PATIENCE, pause=0.3)


@pytest.mark.parametrize("ipv6", ["always", "never"])
def test_the_operator_may_have_the_last_word(world, ipv6):
    relay, four, six = start(world, f'"127.0.0.1", "{"::1" if ipv6 == "always" else UNNAMED}"',
                             ipv6=ipv6, zones={UNNAMED_ZONE: ""})
    relay.send(relay.login, SENDER, "a@six.example", PLAIN)
    if ipv6 == "always":
        relay.log.wait("delivered", egress="::1", timeout=30 * PATIENCE)
    else:
        relay.log.wait("bounced", timeout=30 * PATIENCE)
    assert not relay.log.all("egress_name")
    assert "IPv6" not in str(relay.json("health"))


@pytest.mark.sanitized
@pytest.mark.parametrize("phase", ["CONNECT", "MAIL", "RCPT", "DOT"])
def test_a_refusal_for_the_name_falls_back_to_ipv4(world, phase):
    """5.7.25 is about our IPv6 address: no report, the same mail goes by IPv4, and so do others."""
    refused = "554 5.7.25 No PTR for 2001:db8::1"
    relay, four, six = start(world, '"127.0.0.1", "::1"', ipv6="always",
                             behaviour={phase: refused})
    relay.wait_delivered(relay.send(relay.login, SENDER, RECIPIENT, PLAIN))
    assert len(four.taken) == 1 and not six.taken
    assert len(six.sessions) == 1
    relay.wait_delivered(relay.send(relay.login, SENDER, "b@dest.example", PLAIN))
    assert len(four.taken) == 2 and len(six.sessions) == 1
    assert not relay.log.all("bounced")


def test_refusals_for_the_name_by_host_after_host_go_by_the_steps(world):
    """One try soon, for IPv4; then it is a receiver like others, or new names cost a try a second."""
    relay, four, six = start(world, '"127.0.0.1", "::1"', ipv6="always", retry="1h",
                             behaviour={"MAIL": "554 5.7.25 No PTR for 2001:db8::1"})
    relay.send(relay.login, SENDER, "a@many.example", PLAIN)
    relay.log.wait("deferred", count=2, timeout=30 * PATIENCE)
    waiting = wait_for(lambda: next((r for r in relay.queue()[0]["recipients"]
                                     if r["attempts"] == 2), None), "the second is stored")
    due = datetime.datetime.fromisoformat(waiting["next"].replace("Z", "+00:00"))
    left = due - datetime.datetime.now(datetime.timezone.utc)
    assert left > datetime.timedelta(minutes=30), waiting
    assert len(six.sessions) == 2


def test_a_failure_over_ipv6_falls_back_to_ipv4(world):
    relay, four, six = start(world, '"127.0.0.1", "::1"')
    relay.log.wait("egress_name", timeout=30 * PATIENCE)
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
