"""Operators' orders: what stands still, goes slower or another way, over restarts, and until when."""
import pytest

from appliance import wait_for
from messages import text

SENDER = "news@shop.example"
REFUSED = 65


@pytest.fixture
def relay(world):
    receiver = world.receiver()
    service = world.relay_to(receiver)
    service.receiver = receiver
    service.login = service.add_user(SENDER)
    return service


def send(relay, to, subject="hello"):
    return relay.send(relay.login, SENDER, to, text(subject))


def wait_why(relay, identifier, why):
    return wait_for(lambda: [r for r in relay.json("queue", "why", identifier) if r["why"] == why],
                    f"{identifier} waits: {why}")[0]


def orders(relay):
    return [(o["name"], o["order"]) for o in relay.json("destination", "orders")]


def test_a_domain_goes_another_way_until_resumed(world, relay):
    other = world.receiver()
    relay.cli("destination", "reroute", "Dest.example", "--via", other.address, "--reason", "mx down")
    assert relay.log.wait("destination_rerouted")["dest"] == "dest.example"
    relay.wait_delivered(send(relay, "ann@dest.example"))
    relay.wait_delivered(send(relay, "ann@else.example"))
    assert len(other.taken) == 1 and len(relay.receiver.taken) == 1
    relay.restart()
    assert orders(relay) == [("dest.example", "reroute")]
    relay.wait_delivered(send(relay, "ann@dest.example"))
    assert len(other.taken) == 2
    relay.cli("destination", "resume", "dest.example")
    relay.wait_delivered(send(relay, "ann@dest.example"))
    assert len(other.taken) == 2 and len(relay.receiver.taken) == 2
    assert orders(relay) == []


def test_another_way_ends_by_itself(world, relay):
    """What waits for a next hop that is away goes the old way when the order's time is over."""
    relay.cli("destination", "reroute", "dest.example", "--via", "127.0.0.1:1", "--reason", "try it",
              "--for", "3s")
    identifier = send(relay, "ann@dest.example")
    assert wait_why(relay, identifier, "retry_time")["site"] == "127.0.0.1:1"
    wait_for(lambda: orders(relay) == [], "the order has ended")
    relay.cli("queue", "requeue", identifier)
    relay.wait_delivered(identifier)
    assert len(relay.receiver.taken) == 1


@pytest.mark.parametrize("words", [
    ("suspend", "--reason", "r"), ("suspend", "a.example", "--user", SENDER, "--reason", "r"),
    ("suspend", "a.example"), ("reroute", "a.example", "--reason", "r"),
    ("suspend", "a.example", "--reason", "r", "--for", "soon"),
    ("resume",), ("resume", "a.example", "--user", SENDER)])
def test_words_that_say_too_little_or_too_much(relay, words):
    assert relay.command("destination", *words).returncode == 64
    assert orders(relay) == []
