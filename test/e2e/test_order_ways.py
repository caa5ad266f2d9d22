"""Orders that lead mail another way: a provider's to a next hop, and anybody's to another pool of our
addresses; over restarts, until their end."""
import sqlite3

import pytest

from appliance import PATIENCE, wait_for
from messages import text
from test_delivery import Net
from test_egress import OTHER, PLAN, SENDER, plant, seen, send  # noqa: F401 (plant is a fixture)
from test_orders import orders, send_campaign, wait_why
from test_reply_rules import Scene

A, B, C = "127.0.0.11", "127.0.0.12", "127.0.0.13"
POOLS = 'pool "default" { egress = "a" }\npool "second" { egress = "b" }\npool "third" { egress = "c" }\n'


def addresses(relay):
    """From which of ours the sink got how much."""
    return {peer: n for (peer, _), n in seen(relay).items()}


@pytest.mark.parametrize("words,others", [
    (("--user", SENDER), "user"), (("--campaign", f"{SENDER}/spring"), "campaign"),
    (("dest.example",), "domain"), (("--address", A), None)])
def test_to_a_pool_over_a_restart_until_resumed(plant, words, others):  # noqa: F811
    relay = plant(POOLS)
    relay.login = relay.add_user(SENDER)
    other = relay.add_user(OTHER)
    relay.cli("destination", "reroute", *words, "--via", "pool:second", "--reason", "listed")
    for restarts in range(2):
        relay.wait_delivered(send_campaign(relay))
        assert addresses(relay) == {B: restarts + 1}
        if not restarts:
            relay.restart()
    assert [order for _, order in orders(relay)] == ["reroute"]
    if others == "user":
        send(relay, other, OTHER)
    elif others == "campaign":
        send(relay, relay.login)
    elif others == "domain":
        send(relay, relay.login, to="ann@else.example")
    assert addresses(relay) == ({A: 1, B: 2} if others else {B: 2})
    relay.cli("destination", "resume", *words)
    relay.wait_delivered(send_campaign(relay))
    assert addresses(relay) == ({A: 2, B: 2} if others else {A: 1, B: 2})


def test_what_waits_goes_the_new_way_at_once_and_back(plant):  # noqa: F811
    relay = plant(POOLS)
    relay.login = relay.add_user(SENDER)
    relay.cli("destination", "suspend", "--address", A, "--reason", "listed")
    ids = [send_campaign(relay, to=f"r{n}@dest.example") for n in range(3)]
    wait_why(relay, ids[2], "address_suspended")
    relay.cli("destination", "reroute", "--user", SENDER, "--via", "pool:third", "--reason", "urgent",
              "--for", "4s")
    for identifier in ids:
        relay.wait_delivered(identifier)
    assert addresses(relay) == {C: 3}
    wait_for(lambda: [o for _, o in orders(relay)] == ["suspend"], "the way has ended", 30 * PATIENCE)
    last = send_campaign(relay)
    wait_why(relay, last, "address_suspended")
    relay.cli("destination", "resume", "--address", A)
    relay.wait_delivered(last)
    assert addresses(relay) == {A: 1, C: 3}


def test_a_way_with_an_end_outlives_a_restart_and_ends(plant):  # noqa: F811
    relay = plant(POOLS)
    relay.login = relay.add_user(SENDER)
    relay.cli("destination", "reroute", "dest.example", "--via", "pool:second", "--reason", "r", "--for", "1h")
    relay.cli("destination", "throttle", "--user", SENDER, "--per-hour", "1000", "--reason", "r", "--for", "1h")
    relay.restart()
    relay.wait_delivered(send_campaign(relay))
    assert addresses(relay) == {B: 1}
    assert all(o["until"] for o in relay.json("destination", "orders"))
    relay.stop()
    with sqlite3.connect(relay.folder / "data/db/staffetta.db") as database:  # their hour is over
        assert database.execute("UPDATE orders SET until = 1000").rowcount == 2
    database.close()
    relay.start()
    assert orders(relay) == []
    relay.wait_delivered(send_campaign(relay))
    assert addresses(relay) == {A: 1, B: 1}


def test_pools_keep_their_mail_over_a_reload(plant):  # noqa: F811
    """A pool that comes or goes before it in the file does not lead another's mail astray."""
    relay = plant(POOLS.replace('"third" { egress = "c" }', '"third" { egress = "c"  user = "' + SENDER + '" }'))
    relay.login = relay.add_user(SENDER)
    relay.cli("destination", "suspend", "dest.example", "--reason", "wait")
    identifier = send_campaign(relay)
    wait_why(relay, identifier, "suspended")
    relay.config = relay.config.replace('pool "second" { egress = "b" }\n', "")
    mark = relay.reload()
    relay.log.wait("reloaded", after=mark, timeout=30 * PATIENCE)
    relay.cli("destination", "resume", "dest.example")
    relay.wait_delivered(identifier)
    assert addresses(relay) == {C: 1}


def test_either_address_of_a_pair_names_both(world, plant):  # noqa: F811
    relay = plant(POOLS.replace('pool "default" { egress = "a" }', 'pool "default" { egress = "d" }')
                  + f'egress "d" {{ address = {{ "{A[:-1]}4", "::1" }} }}\n')
    relay.login = relay.add_user(SENDER)
    relay.cli("destination", "suspend", "--address", "::1", "--reason", "listed")
    identifier = send_campaign(relay)
    assert wait_why(relay, identifier, "address_suspended")["reason"] == "listed"
    relay.cli("destination", "resume", "--address", "::1")
    relay.wait_delivered(identifier)


@pytest.mark.parametrize("words,said", [
    (("--user", SENDER, "--via", "127.0.0.1:25"), "pool"), (("--address", A, "--via", "mx.example"), "pool"),
    (("dest.example", "--via", "pool:nobody"), "no pool")])
def test_ways_that_there_are_not(plant, words, said):  # noqa: F811
    relay = plant(POOLS)
    relay.add_user(SENDER)
    done = relay.command("destination", "reroute", *words, "--reason", "r")
    assert done.returncode == 65 and said in done.stderr, done
    assert orders(relay) == []


def test_two_addresses_cannot_lead_to_each_other(plant):  # noqa: F811
    """And an address that is led away stands in for no other one."""
    relay = plant(POOLS)
    relay.login = relay.add_user(SENDER)

    def lead(address, pool):
        return relay.command("destination", "reroute", "--address", address, "--via", f"pool:{pool}", "--reason", "r")
    assert lead(A, "second").returncode == 0
    for circle in (lead(B, "default"), lead(A, "default")):
        assert circle.returncode == 65 and "none would be left" in circle.stderr, circle
    assert lead(B, "third").returncode == 0  # A to B to C
    relay.wait_delivered(send_campaign(relay))
    assert addresses(relay) == {C: 1}


def test_a_providers_mail_goes_to_a_next_hop(world):
    scene = Scene(world, Net(), "suspend on lane_provider for 1h")
    smart = world.receiver()
    scene.relay.cli("destination", "reroute", "--provider", "big", "--via", smart.address, "--reason", "down")
    scene.relay.wait_delivered(scene.send("one"))
    scene.relay.wait_delivered(scene.send("other"))
    assert (len(smart.taken), len(scene.one.taken), len(scene.other.taken)) == (1, 0, 1)
    scene.relay.restart()
    scene.relay.wait_delivered(scene.send("two"))
    assert (len(smart.taken), len(scene.two.taken)) == (2, 0)
    scene.relay.cli("destination", "resume", "--provider", "big")
    scene.relay.wait_delivered(scene.send("one"))
    scene.relay.wait_delivered(scene.send("two"))
    assert (len(smart.taken), len(scene.one.taken), len(scene.two.taken)) == (2, 1, 1)
