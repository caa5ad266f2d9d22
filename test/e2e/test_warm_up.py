"""Young addresses of ours: so many messages a day to a provider, counted by the provider's own
receivers, over kills, restarts and days (which pass in the database while the service is down)."""
import collections
import datetime
import sqlite3

import pytest

from appliance import PATIENCE, wait_for
from test_delivery import Net
from test_reply_rules import Scene

DAY_MS = 86400000
SLOW = "suspend on lane_provider for 1h"  # a rule that no reply here fits


@pytest.fixture
def net():
    return Net()


def plant(world, net, curve, pool, behaviour=None, more=""):
    """A young address and a warm one; `one` and `two` are sites of one provider."""
    counts = collections.Counter()

    def count(session, _):
        counts[session.socket.getpeername()[0]] += 1
    scene = Scene(world, net, SLOW, {"DOT": count, **(behaviour or {})},
                  f'egress "young" {{ address = "{net.host(11)}"  warm_up = "{curve}"  weight = 1000 }}\n'
                  f'egress "warm" {{ address = "{net.host(12)}" }}\n'
                  f'pool "default" {{ egress = {pool} }}\n{more}')
    scene.two.behaviour["DOT"] = count
    scene.young, scene.seen = net.host(11), counts
    return scene


def stored(scene, change=None):
    """(address, provider, day, used, taken) of the only pair."""
    with sqlite3.connect(scene.relay.folder / "data/db/staffetta.db") as database:
        if change:
            database.execute("UPDATE warm_ups SET " + change)
        row = database.execute("SELECT address, provider, day, used, well FROM warm_ups").fetchone()
    database.close()
    return row


def pass_a_day(scene):
    """What the database knows of today happened yesterday."""
    return stored(scene, f"starts = starts - {DAY_MS}, ends = ends - {DAY_MS}")


def is_same_time(one, other):
    """One is stored, the other a span from now: they may differ by the time that telling them takes."""
    one, other = (datetime.datetime.fromisoformat(said.replace("Z", "+00:00")) for said in (one, other))
    return abs((one - other).total_seconds()) <= 2


def wait_taken(scene, n):
    wait_for(lambda: scene.seen.total() >= n, f"{n} messages came")


def send_and_wait(scene, n):
    before = scene.seen.total()
    for i in range(n):
        scene.send("one" if i % 2 else "two", i)
    wait_taken(scene, before + n)


def use_up(scene, most):
    """Sends until the young address has sent so much, then more; which it must not send."""
    for _ in range(20):
        if scene.seen[scene.young] < most:
            send_and_wait(scene, 8)  # more than the connections that are open
    send_and_wait(scene, 8)
    assert scene.seen[scene.young] == most, scene.seen


@pytest.mark.sanitized
def test_the_overflow_leaves_from_a_warm_address(world, net):
    scene = plant(world, net, "4, 8", '{ "young", "warm" }')
    use_up(scene, 4)
    wait_for(lambda: stored(scene)[4] == 4, "it is noted that these were taken")
    scene.relay.kill()
    scene.relay.start()  # and no burst after it
    send_and_wait(scene, 6)
    assert scene.seen[scene.young] == 4, scene.seen
    for n in range(4):  # nobody's: not counted
        scene.relay.wait_delivered(scene.send("other", n))
    scene.relay.stop()
    assert pass_a_day(scene) == (scene.young, "big", 1, 4, 4)
    scene.relay.start()
    use_up(scene, 4 + 8)
    event = scene.relay.log.wait("warm_up_advanced")
    assert (event["egress"], event["provider"]) == (scene.young, "big")
    assert (event["day"], event["limit"], event["taken"]) == ("2", "8", "4"), event


def test_without_a_warm_address_it_waits_until_the_next_day_and_says_so(world, net):
    scene = plant(world, net, "2, 4", '"young"')
    for n in range(2):
        scene.relay.wait_delivered(scene.send("one", n))
    late = [scene.send("one", n) for n in range(2, 6)]
    row = wait_for(lambda: [r for r in scene.relay.json("queue", "why", late[-1])
                            if r["why"] == "warm_up" and "day 1" in (r["reason"] or "")],
                   "it waits for the next day")[0]
    assert row["reason"] == f"{scene.young}: day 1 of 2, 2 of 2 messages today", row
    assert row["until"] and row["since"], row
    shown = scene.relay.json("destination", "show", "mx.one.big.example")[0]
    assert shown["state"] == "warm_up" and shown["reason"] == row["reason"], shown
    assert is_same_time(shown["until"], row["until"])
    young, warm = scene.relay.json("egress", "list")
    assert (young["egress"], young["address"], young["provider"]) == ("young", scene.young, "big"), young
    assert (young["state"], young["day"], young["days"], young["used"], young["limit"]) == ("used_up", 1, 2, 2, 2)
    wait_for(lambda: scene.relay.json("egress", "list")[0]["taken"] == 2, "what was taken is told")
    assert young["since"] and is_same_time(young["until"], row["until"])
    assert (warm["egress"], warm["state"]) == ("warm", "warm") and "provider" not in warm
    scene.relay.stop()
    pass_a_day(scene)
    scene.relay.start()
    wait_taken(scene, 6)
    assert scene.seen == {scene.young: 6}


def test_many_deferrals_step_back(world, net):
    scene = plant(world, net, "20, 40", '"young"', {"MAIL": "451 4.7.0 We do not know you"},
                  'delivery { retry = { "1h" } }\n')
    scene.relay.wait_delivered(scene.send("two", 0))
    scene.relay.stop()
    stored(scene, "day = 2")
    scene.relay.start()
    for n in range(12):
        scene.send("one", n)
    event = scene.relay.log.wait("warm_up_stepped_back", timeout=15 * PATIENCE)
    assert (event["day"], event["limit"]) == ("1", "20") and int(event["put_off"]) >= 10, event


def test_a_clean_stop_gives_back_what_was_not_used(world, net):
    scene = plant(world, net, "200", '"young"')
    scene.relay.wait_delivered(scene.send("one", 0))
    scene.relay.stop()
    assert pass_a_day(scene) == (scene.young, "big", 1, 1, 1)


@pytest.mark.parametrize("curve", ["50, 20", "soon", "0"])
def test_a_curve_rises(world, curve):
    relay = world.appliance(f'egress "a" {{ address = "127.0.0.11"  warm_up = "{curve}" }}', start=False)
    relay.write_config()
    done = relay.command("config", "check", relay.config_file)
    assert done.returncode == 78 and "rising numbers" in done.stderr
