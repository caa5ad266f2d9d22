"""Delivery by MX: knot with DNSSEC answers, sinks on loopback addresses receive."""
import random
import socket
import time

import pytest

from appliance import PATIENCE, wait_for
from messages import EIGHT_BIT, PLAIN, assert_arrived, text
from peers import Exim, OpenSmtpd, Postfix
from receivers import DROP

SENDER = "news@shop.example"


class Net:
    """Loopback addresses that share one port, as MX hosts of the world share port 25."""

    def __init__(self):
        for _ in range(50):
            self.prefix = f"127.{random.randint(2, 250)}.{random.randint(1, 250)}"
            with socket.socket() as probe:
                probe.bind((self.host(1), 0))
                self.port = probe.getsockname()[1]
            if self.is_free():
                return
        raise AssertionError("no free port")

    def host(self, n):
        return f"{self.prefix}.{n}"

    def is_free(self):
        for n in range(1, 10):
            with socket.socket() as probe:
                try:
                    probe.bind((self.host(n), self.port))
                except OSError:
                    return False
        return True


ZONE = """
two          MX 10 first.two
two          MX 20 second.two
owt          MX 5 second.two
owt          MX 7 first.two
first.two    A {h1}
second.two   A {h2}
bare         A {h3}
null         MX 0 .
away         CNAME two
many         MX 10 m1.many
many         MX 10 m2.many
m1.many      A {h4}
m2.many      A {h5}
private      MX 10 mx.private
mx.private   A 10.1.2.3
empty        TXT "no mail here"
dangling     MX 10 nowhere
shop         MX 10 first.two
postfix      MX 10 mx.postfix
mx.postfix   A {h6}
exim         MX 10 mx.exim
mx.exim      A {h7}
opensmtpd    MX 10 mx.opensmtpd
mx.opensmtpd A {h8}
posing       MX 10 first.two.example\\,second.two.example.
"""


def settings(net, dns, more=""):
    return (f'{dns.settings()}delivery {{ port = {net.port}  allow_mx = {{ "127.0.0.0/8" }}  '
            f'retry = {{ "1s" }}  expire = "60s"  {more} }}\n')


@pytest.fixture
def net():
    return Net()


def zone(net):
    return ZONE.format(**{f"h{n}": net.host(n) for n in range(1, 10)})


def start(world, net, more="", config=""):
    dns = world.name_server({"example": zone(net)})
    relay = world.appliance(settings(net, dns, more) + config)
    relay.login = relay.add_user(SENDER)
    return relay


def sink_at(world, net, n, **options):
    return world.sink(listen=f"{net.host(n)}:{net.port}", **options)


@pytest.mark.sanitized
def test_the_best_mx_gets_it_with_tls(world, net):
    first, second = sink_at(world, net, 1, tls=True), sink_at(world, net, 2)
    relay = start(world, net)
    identifier = relay.send(relay.login, SENDER, "ann@two.example", PLAIN)
    relay.wait_delivered(identifier)
    event = relay.log.wait("delivered", msg=identifier)
    assert event["mx"].rstrip(".") == "first.two.example" and event["code"] == "250"
    assert event["tls"] and event["rcpt"] == "1" and event["to"] == "ann@two.example"
    assert_arrived(first.messages()[0].data, PLAIN)
    assert first.messages()[0].tls and first.messages()[0].helo == "relay.example"
    assert not second.messages()


def test_each_domain_tries_the_hosts_in_its_own_order(world, net):
    """Two domains of the same hosts are one site, with the limits of one; what is first is the domain's to say."""
    sinks = {"two": sink_at(world, net, 1, script="DOT -> delay=100ms\n"),
             "owt": sink_at(world, net, 2, script="DOT -> delay=100ms\n")}
    relay = start(world, net, "site_connections = 2  connection_messages = 1")
    for n in range(6):
        for domain in sinks:
            relay.send(relay.login, SENDER, f"r{n}@{domain}.example", text())
    relay.log.wait("delivered", count=12, timeout=60 * PATIENCE)
    for domain, sink in sinks.items():
        assert [to.split("@")[1] for m in sink.messages() for to in m.recipients] == [f"{domain}.example"] * 6
    assert len({event["site"] for event in relay.log.all("delivered")}) == 1


def test_a_host_that_is_named_like_two_is_nobody(world, net):
    """posing.example's one MX host has a comma in a label: written out it is two.example's list."""
    sink_at(world, net, 1)
    relay = start(world, net)
    relay.wait_delivered(relay.send(relay.login, SENDER, "ann@two.example", text()))
    posing = relay.send(relay.login, SENDER, "ann@posing.example", text())
    assert "no usable mail host" in relay.log.wait("bounced", msg=posing, timeout=30 * PATIENCE)["reply"]
    relay.wait_delivered(relay.send(relay.login, SENDER, "bob@two.example", text()))


def test_the_next_mx_when_the_first_does_not_answer(world, net):
    second = sink_at(world, net, 2)
    relay = start(world, net)
    relay.wait_delivered(relay.send(relay.login, SENDER, "ann@two.example", text()))
    assert len(second.messages()) == 1


def test_the_next_mx_when_the_first_greets_with_4xx(world, net):
    sink_at(world, net, 1, script="CONNECT -> 421 4.3.2 Busy\n")
    second = sink_at(world, net, 2)
    relay = start(world, net)
    relay.wait_delivered(relay.send(relay.login, SENDER, "ann@two.example", text()))
    assert len(second.messages()) == 1


def test_the_next_mx_waits_its_turn(world, net):
    """15 a minute: what follows a connection at once is its 2.5 seconds late."""
    sink_at(world, net, 1, script="CONNECT -> 421 4.3.2 Busy\n")
    second = sink_at(world, net, 2)
    relay = start(world, net, "site_connections_per_minute = 15")
    began = time.monotonic()
    relay.wait_delivered(relay.send(relay.login, SENDER, "ann@two.example", text()))
    assert time.monotonic() - began > 2
    assert len(second.messages()) == 1
    assert not relay.log.all("deferred")


def test_equal_preferences_share(world, net):
    sinks = [sink_at(world, net, 4), sink_at(world, net, 5)]
    relay = start(world, net, "site_connections = 1  connection_messages = 1")
    for i in range(24):
        relay.send(relay.login, SENDER, f"r{i}@many.example", text(f"s{i}"))
    relay.log.wait("delivered", count=24, timeout=60 * PATIENCE)
    shares = [len(sink.messages()) for sink in sinks]
    assert sum(shares) == 24 and min(shares) > 0, shares


def test_no_mx_means_the_address_itself(world, net):
    sink = sink_at(world, net, 3)
    relay = start(world, net)
    relay.wait_delivered(relay.send(relay.login, SENDER, "ann@bare.example", text()))
    assert len(sink.messages()) == 1


def test_an_alias_is_followed(world, net):
    sink = sink_at(world, net, 1)
    relay = start(world, net)
    relay.wait_delivered(relay.send(relay.login, SENDER, "ann@away.example", text()))
    assert sink.messages()[0].recipients == ["ann@away.example"]


@pytest.mark.sanitized
@pytest.mark.parametrize("domain,enhanced", [
    ("null.example", "5.1.10"), ("nosuch.example", "5.1.2"), ("empty.example", "5.1.2")])
def test_domains_that_take_no_mail_bounce_at_once(world, net, domain, enhanced):
    sink = sink_at(world, net, 1)
    relay = start(world, net)
    identifier = relay.send(relay.login, SENDER, f"ann@{domain}", text())
    event = relay.log.wait("bounced", msg=identifier, timeout=30 * PATIENCE)
    assert event["enhanced"] in (enhanced, "5.4.4") and event["to"] == f"ann@{domain}"
    # The report goes to the sender's own MX.
    relay.log.wait("delivered", to=SENDER, timeout=30 * PATIENCE)
    assert sink.messages()[0].sender == ""


def test_an_mx_in_a_private_network_is_refused(world, net):
    relay = start(world, net)
    identifier = relay.send(relay.login, SENDER, "ann@private.example", text())

    def is_decided(events):
        return any(e.name in ("bounced", "deferred") and e.get("msg") == identifier for e in events)
    relay.log.wait_until(is_decided, timeout=30 * PATIENCE)
    assert not relay.log.all("delivered", msg=identifier)


def test_a_failing_name_server_defers(world, net):
    """The server refuses names outside its zones: SERVFAIL for us, so later."""
    relay = start(world, net)
    identifier = relay.send(relay.login, SENDER, "ann@outside.invalidzone", text())
    event = relay.log.wait("deferred", msg=identifier, timeout=60 * PATIENCE)
    assert event["enhanced"].startswith("4.")


def test_mail_for_one_site_shares_a_connection(world, net):
    sink = sink_at(world, net, 1)
    relay = start(world, net, "site_connections = 1")
    with relay.client(relay.login) as client:
        from appliance import submit
        for i in range(30):
            submit(client, SENDER, [f"r{i}@two.example"], text(f"s{i}"))
    relay.log.wait("delivered", count=30, timeout=60 * PATIENCE)
    counts = sink.stop()
    assert counts["messages"] == 30 and counts["most_connections"] == 1
    assert counts["connections"] < 15, counts


def test_recipients_at_one_site_share_a_transaction(world, net):
    sink = sink_at(world, net, 1)
    relay = start(world, net)
    identifier = relay.send(relay.login, SENDER, [f"r{i}@two.example" for i in range(50)], text())
    relay.wait_delivered(identifier, 50)
    assert sorted(m.recipients.__len__() for m in sink.messages()) == [50]


def test_limits_of_connections_hold_at_the_receiver(world, net):
    sink = sink_at(world, net, 1, script="DOT -> delay=50ms\n")
    relay = start(world, net, "site_connections = 3")
    with relay.client(relay.login) as client:
        from appliance import submit
        for i in range(60):
            submit(client, SENDER, [f"r{i}@two.example"], text(f"s{i}"))
    relay.log.wait("delivered", count=60, timeout=60 * PATIENCE)
    assert sink.stop()["most_connections"] <= 3


def test_a_dead_site_does_not_delay_another(world, net):
    sink = sink_at(world, net, 3)
    relay = start(world, net)
    for i in range(20):
        relay.send(relay.login, SENDER, f"r{i}@dangling.example", text(f"s{i}"))
        relay.send(relay.login, SENDER, f"r{i}@two.example", text(f"t{i}"))
    identifier = relay.send(relay.login, SENDER, "ann@bare.example", text())
    relay.wait_delivered(identifier, timeout=20)
    assert len(sink.messages()) == 1


@pytest.mark.parametrize("kind,domain,n", [(Postfix, "postfix", 6), (Exim, "exim", 7),
                                           (OpenSmtpd, "opensmtpd", 8)])
def test_real_mail_servers_receive(world, net, authority, kind, domain, n):
    """By MX, with STARTTLS.  Debian's OpenSMTPD offers STARTTLS and always fails it (6.8 does not
    fit OpenSSL 3), so it also shows the fall-back."""
    certificate = authority.issue(f"mx.{domain}.example", net.host(n), kind="rsa")
    peer = world.own(kind(world.new_path(domain), certificate, host=net.host(n), port=net.port))
    relay = start(world, net)
    to = f"ann@{domain}.example"
    ids = [relay.send(relay.login, SENDER, to, original) for original in (PLAIN, EIGHT_BIT)]
    for identifier in ids:
        relay.wait_delivered(identifier, timeout=60)
    if kind is OpenSmtpd:
        assert relay.log.all("tls_fallback")
    else:
        assert all(relay.log.wait("delivered", msg=i)["tls"] for i in ids)
    stored = sorted(peer.wait_files(2), key=len)
    for octets, original in zip(stored, (PLAIN, EIGHT_BIT)):
        assert octets.endswith(original), octets


def test_one_message_to_many_sites(world, net):
    sinks = [sink_at(world, net, n) for n in (1, 3, 4)]
    relay = start(world, net)
    identifier = relay.send(relay.login, SENDER,
                            ["a@two.example", "b@bare.example", "c@many.example"], PLAIN)
    relay.wait_delivered(identifier, 3)
    assert [len(s.messages()) for s in sinks] == [1, 1, 1]
    wait_for(lambda: not relay.queue(), "the queue is empty")


def test_a_lost_connection_after_the_dot_is_doubtful(world, net):
    seen = []

    def drop_once(_, data):
        seen.append(data)
        return DROP if len(seen) == 1 else None
    receiver = world.receiver({"DOT": drop_once}, host=net.host(3), port=net.port)
    relay = start(world, net)
    identifier = relay.send(relay.login, SENDER, "ann@bare.example", text())
    relay.log.wait("doubtful", msg=identifier, timeout=30 * PATIENCE)
    relay.wait_delivered(identifier)
    assert len(receiver.offered) == 2 and len(receiver.taken) == 1
