"""Users share a destination by their weights; what replies brought upon one an operator lifts
(that `why` says "slowed_down" is unit/bound's)."""
import collections

from appliance import wait_for
from messages import text

HEAVY, LIGHT = "news@shop.example", "office@shop.example"


def test_a_user_of_weight_three_has_three_of_four_turns(world):
    receiver = world.receiver()
    relay = world.appliance(f'route "*" {{ via = "{receiver.address}"  connections = 1 }}\n')
    logins = {name: relay.add_user(name) for name in (HEAVY, LIGHT)}
    relay.cli("destination", "suspend", "dest.example", "--reason", "until all are there")
    for name, login in logins.items():
        for _ in range(60):
            relay.send(login, name, "ann@dest.example", text("hello"))
    assert relay.command("user", "limit", HEAVY, "weight=101").returncode == 65
    relay.cli("user", "limit", HEAVY, "weight=3")
    assert relay.json("user", "show", HEAVY)[0]["limits"]["weight"] == 3
    relay.cli("destination", "resume", "dest.example")
    wait_for(lambda: len(receiver.taken) == 120, "all have left")
    of_first = collections.Counter(mail.sender for mail in receiver.taken[:40])
    assert of_first[HEAVY] == 30, of_first


def test_resume_lifts_a_pace_that_replies_brought(world):
    receiver = world.receiver({"DOT": "421 4.7.0 Slower"})
    relay = world.relay_to(receiver, 'delivery { retry = { "1h" } }\n')
    relay.send(relay.add_user(HEAVY), HEAVY, "ann@dest.example", text("hello"))
    relay.log.wait("deferred")
    # Nothing is under way now, and no order stands: only what the reply brought can be lifted.
    assert relay.command("destination", "resume", "dest.example").returncode == 0
    assert relay.command("destination", "resume", "dest.example").returncode != 0
    assert relay.command("destination", "resume", "nobody.example").returncode == 67
