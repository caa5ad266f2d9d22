"""Addresses of ours and their pools: where mail leaves from, and how it greets there.  A receiver on
loopback sees the address of each connection."""
import collections
import json
import threading

import pytest

from appliance import PATIENCE
from messages import text

SENDER, OTHER = "news@shop.example", "alerts@shop.example"
PLAN = """
egress "a" { address = "127.0.0.11"  hostname = "mx11.relay.example" }
egress "b" { address = "127.0.0.12"  hostname = "mx12.relay.example"  weight = 3 }
egress "c" { address = "127.0.0.13" }
"""


@pytest.fixture
def plant(world):
    """A service with these pools before a sink."""
    def make(pools, more=""):
        sink = world.sink()
        relay = world.appliance(f'route "*" {{ via = "{sink.address}" }}\nhostname = "relay.example"\n'
                                + PLAN + pools + more)
        relay.sink = sink
        return relay
    return make


def seen(relay):
    """(peer, EHLO name) of every message that came, with how often."""
    notes = [json.loads(p.read_text()) for p in (relay.sink.folder / "new").glob("*.json")]
    return collections.Counter((n["peer"].rsplit(":", 1)[0], n["helo"]) for n in notes)


def send(relay, login, sender=SENDER, to="ann@dest.example"):
    relay.wait_delivered(relay.send(login, sender, to, text("hello")))


def test_mail_leaves_from_the_pool_of_its_user_domain_or_class(plant):
    relay = plant("""
        pool "alerts"  { egress = "a"  user = "alerts@shop.example" }
        pool "brand"   { egress = "b"  domain = "brand.example" }
        pool "default" { egress = "c" }
    """)
    news = relay.add_user(SENDER, "--sender", "brand.example", "--sender", "shop.example")
    alerts = relay.add_user(OTHER, "--sender", "brand.example")
    send(relay, news)
    assert seen(relay) == {("127.0.0.13", "relay.example"): 1}
    send(relay, alerts, OTHER)
    send(relay, alerts, "x@brand.example")
    send(relay, news, "x@brand.example")
    assert seen(relay) == {("127.0.0.13", "relay.example"): 1,
                           ("127.0.0.11", "mx11.relay.example"): 2,
                           ("127.0.0.12", "mx12.relay.example"): 1}
    line = relay.log.all("delivered")[1]
    assert line["egress"] == "127.0.0.11"


def test_addresses_of_a_pool_share_its_connections_by_weight(world):
    """A kept connection is used again first, so this receiver keeps none (RFC 9422)."""
    peers = []
    receiver = world.receiver(extensions=("LIMITS MAILMAX=1",))
    receiver.behaviour["DOT"] = lambda session, _: peers.append(session.socket.getpeername()[0])
    relay = world.relay_to(receiver, PLAN + 'pool "default" { egress = { "a", "b" } }\n')
    login = relay.add_user(SENDER)
    for _ in range(16):
        send(relay, login)
    assert collections.Counter(peers) == {"127.0.0.11": 4, "127.0.0.12": 12}


def test_the_pool_is_known_again_after_a_restart(plant, world):
    relay = plant("""
        pool "alerts"  { egress = "a"  user = "alerts@shop.example" }
        pool "brand"   { egress = "b"  domain = "brand.example" }
    """)
    alerts = relay.add_user(OTHER)
    news = relay.add_user(SENDER, "--sender", "brand.example")
    relay.cli("destination", "suspend", "dest.example", "--reason", "wait")
    ids = [relay.send(alerts, OTHER, "ann@dest.example", text("one")),
           relay.send(news, "x@brand.example", "ann@dest.example", text("two"))]
    relay.restart()
    relay.cli("destination", "resume", "dest.example")
    for identifier in ids:
        relay.wait_delivered(identifier)
    assert seen(relay) == {("127.0.0.11", "mx11.relay.example"): 1,
                           ("127.0.0.12", "mx12.relay.example"): 1}


def test_a_connection_that_is_busy_at_a_reload_is_not_used_again(world):
    """Its next transaction would leave under the name of before."""
    may_go, began = threading.Event(), threading.Event()

    def decide(_, __):
        began.set()
        may_go.wait(60 * PATIENCE)
    receiver = world.receiver({"DOT": decide})
    relay = world.relay_to(receiver, PLAN + 'pool "default" { egress = "a" }\n')
    login = relay.add_user(SENDER)
    first = relay.send(login, SENDER, "ann@dest.example", text("one"))
    assert began.wait(60 * PATIENCE)
    relay.config = relay.config.replace("mx11.relay", "new11.relay")
    relay.log.wait("reloaded", after=relay.reload(), role="relay", timeout=30 * PATIENCE)
    may_go.set()
    relay.wait_delivered(first)
    send(relay, login)
    assert [s.helo for s in receiver.sessions] == ["mx11.relay.example", "new11.relay.example"]


def test_a_reload_changes_names_and_pools(plant):
    relay = plant('pool "default" { egress = "a" }\n')
    login = relay.add_user(SENDER)
    send(relay, login)
    relay.config = relay.config.replace("mx11.relay", "new11.relay")
    relay.log.wait("reloaded", after=relay.reload(), role="relay", timeout=30 * PATIENCE)
    send(relay, login)
    relay.config = relay.config.replace('pool "default" { egress = "a" }', 'pool "default" { egress = "b" }')
    relay.config = relay.config.replace('egress "a" { address = "127.0.0.11"  hostname = "new11.relay.example" }', "")
    relay.log.wait("reloaded", after=relay.reload(), role="relay", timeout=30 * PATIENCE)
    send(relay, login)
    assert list(seen(relay)) and seen(relay) == {("127.0.0.11", "mx11.relay.example"): 1,
                                                 ("127.0.0.11", "new11.relay.example"): 1,
                                                 ("127.0.0.12", "mx12.relay.example"): 1}


def test_another_address_goes_on_for_one_that_is_suspended(plant):
    relay = plant('pool "default" { egress = { "a", "c" } }\n')
    login = relay.add_user(SENDER)
    relay.cli("destination", "suspend", "--address", "127.0.0.11", "--reason", "listed")
    for _ in range(4):
        send(relay, login)
    assert seen(relay) == {("127.0.0.13", "relay.example"): 4}
    relay.cli("destination", "suspend", "--address", "127.0.0.13", "--reason", "listed")
    relay.cli("destination", "resume", "--address", "127.0.0.11")
    for _ in range(4):
        send(relay, login)
    assert seen(relay) == {("127.0.0.13", "relay.example"): 4,
                           ("127.0.0.11", "mx11.relay.example"): 4}


@pytest.mark.parametrize("wrong,said", [
    ('egress "d" { address = { "127.0.0.14", "127.0.0.15" } }', "one IPv4 address"),
    ('egress "d" { address = "::1" }', "one IPv4 address"),
    ('pool "p" { egress = "nobody" }', 'no egress "nobody"'), ('pool "p" { user = "x" }', "no egress"),
    ("".join(f'egress "e{i}" {{ address = "127.0.1.{i}" }}\n' for i in range(14)), "more than 15")])
def test_settings_that_are_refused(world, wrong, said):
    relay = world.appliance(PLAN + wrong, start=False)
    relay.write_config()
    done = relay.command("config", "check", relay.config_file)
    assert done.returncode == 78 and said in done.stderr
