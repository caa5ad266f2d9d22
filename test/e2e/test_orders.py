"""Operators' orders: what stands still, goes slower or another way, over restarts, and until when."""
import json
import shlex
import sqlite3
import time

import pytest

from appliance import PATIENCE, submit, wait_for
from messages import text
from paced import Town, most_in_window

SENDER = "news@shop.example"


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


SUBJECTS = [("--user", SENDER, "user_suspended"), ("--campaign", f"{SENDER}/spring", "campaign_suspended"),
            ("--address", "127.0.0.11", "address_suspended")]


@pytest.fixture
def plant(world):
    """Mail of one user and one campaign leaves from one address."""
    receiver = world.receiver()
    relay = world.relay_to(receiver, 'egress "a" { address = "127.0.0.11" }\n'
                                     'pool "default" { egress = "a" }\n')
    relay.receiver = receiver
    relay.login = relay.add_user(SENDER)
    return relay


def send_campaign(relay, to="ann@dest.example", name="Spring", login=None, sender=SENDER):
    message = (f"X-Staffetta-Campaign: {name}\r\n".encode()
               + text("hello", sender=sender).encode().replace(b"\n", b"\r\n"))
    return relay.send(login or relay.login, sender, to, message)


@pytest.mark.parametrize("option,name,why", SUBJECTS)
def test_it_stands_still_over_a_restart_until_resumed(plant, option, name, why):
    relay = plant
    relay.cli("destination", "suspend", option, name, "--reason", "they asked")
    identifier = send_campaign(relay)
    assert wait_why(relay, identifier, why)["reason"] == "they asked"
    relay.restart()
    assert wait_why(relay, identifier, why)["reason"] == "they asked"
    assert orders(relay) == [(f"{option[2:]}:{name}", "suspend")]
    assert relay.receiver.taken == []
    relay.cli("destination", "resume", option, name)
    relay.wait_delivered(identifier)


def test_an_address_stands_still_where_a_rule_limited_it_before_the_restart(plant):
    relay = plant
    relay.cli("destination", "suspend", "--address", "127.0.0.11", "--reason", "listed")
    identifier = send_campaign(relay)
    site = wait_why(relay, identifier, "address_suspended")["site"]
    relay.stop()
    with sqlite3.connect(f"{relay.folder}/data/db/staffetta.db") as database:
        database.execute("INSERT INTO rule_words VALUES ('lane', ?, 'a', 'limit', '5 0 0 0 0 0', 'a rule', ?, '', 0)",
                         (site, int(time.time() + 3600) * 1000))
    relay.start()
    assert wait_why(relay, identifier, "address_suspended")["reason"] == "listed"
    assert relay.receiver.taken == []
    relay.cli("destination", "resume", "--address", "127.0.0.11")
    relay.wait_delivered(identifier)


@pytest.mark.parametrize("option,name,why", SUBJECTS[:1] + [
    pytest.param(*subject, marks=pytest.mark.long) for subject in SUBJECTS[1:]])
def test_it_stands_still_until_its_time_is_over(plant, option, name, why):
    relay = plant
    relay.cli("destination", "suspend", option, name, "--reason", "they asked", "--for", "3s")
    identifier = send_campaign(relay)
    wait_why(relay, identifier, why)
    relay.wait_delivered(identifier)
    wait_for(lambda: orders(relay) == [], "the order has ended")


def test_others_go_on_meanwhile(plant):
    relay = plant
    other = relay.add_user("other@shop.example")
    relay.cli("destination", "suspend", "--user", SENDER, "--reason", "a complaint")
    relay.cli("destination", "suspend", "--campaign", f"{SENDER}/autumn", "--reason", "a complaint")
    relay.cli("destination", "suspend", "--campaign", "*/autumn", "--reason", "a complaint")
    identifier = send_campaign(relay)
    wait_why(relay, identifier, "user_suspended")
    relay.wait_delivered(relay.send(other, "other@shop.example", "ann@dest.example", text("hello")))
    assert len(relay.receiver.taken) == 1
    # Without the user nobody would keep the mail back.
    assert "is suspended" in relay.command("user", "delete", SENDER).stderr
    wait_why(relay, identifier, "user_suspended")
    assert len(orders(relay)) == 3 and len(relay.receiver.taken) == 1
    relay.cli("queue", "delete", identifier)
    relay.cli("destination", "resume", "--user", SENDER)
    relay.cli("destination", "throttle", "--user", SENDER, "--per-minute", "1", "--reason", "a complaint")
    relay.cli("destination", "resume", "--campaign", f"{SENDER}/autumn")
    relay.cli("user", "delete", SENDER)
    assert orders(relay) == [("campaign:*/autumn", "suspend")]  # the user's went with it


def slowed(relay, ids):
    rows = [r for i in ids for r in queued(relay, i)]
    return [r for r in rows if r["why"].endswith("message_rate")]


def wait_slowed(relay):
    """Of two messages at most one leaves at once; the other says what it waits for."""
    ids = [send_campaign(relay), send_campaign(relay)]
    assert wait_for(lambda: slowed(relay, ids), "one waits for its turn")[0]["until"]
    return ids


def queued(relay, identifier):
    done = relay.command("--json", "queue", "why", identifier)
    return [json.loads(line) for line in done.stdout.splitlines()] if done.returncode == 0 else []


@pytest.mark.parametrize("words", [
    ("dest.example",), ("--user", SENDER), pytest.param(("--campaign", "*/spring"), marks=pytest.mark.long),
    pytest.param(("--address", "127.0.0.11"), marks=pytest.mark.long)])
def test_it_goes_slower_over_a_restart_until_resumed(plant, words):
    relay = plant
    relay.cli("destination", "throttle", *words, "--per-hour", "2", "--reason", "slowly")
    ids = wait_slowed(relay)
    relay.restart()
    assert [order for _, order in orders(relay)] == ["throttle"]
    ids += wait_slowed(relay)
    wait_for(lambda: len(slowed(relay, ids)) >= len(ids) - 1, "a start lets none pass")
    relay.cli("destination", "resume", *words, "--order", "throttle")
    wait_for(lambda: len(relay.receiver.taken) == len(ids), "all have left")


@pytest.mark.parametrize("words", [("--user", "nobody@shop.example"), ("--address", "mx.example"),
                                   ("--provider", "a b")])
def test_names_of_nothing_are_refused(relay, words):
    assert relay.command("destination", "suspend", *words, "--reason", "r").returncode in (65, 67)
    assert orders(relay) == []


# ---- campaigns

def test_the_command_may_be_pasted_whatever_the_campaign_is_called(plant):
    relay = plant
    name = "mother's $(day); x"
    relay.cli("campaign", "hold", name, "--user", SENDER, "--reason", "wrong link")
    identifier = send_campaign(relay, name=name)
    command = wait_why(relay, identifier, "campaign_suspended")["command"]
    assert command == f"campaign release 'mother'\\''s $(day); x' --user {SENDER}"
    relay.cli(*shlex.split(command))
    relay.wait_delivered(identifier)


def test_a_campaign_is_held_released_and_stopped(plant):
    relay = plant
    relay.cli("campaign", "hold", "Spring", "--user", SENDER, "--reason", "wrong link")
    ids = [send_campaign(relay) for _ in range(3)]
    row = wait_why(relay, ids[0], "campaign_suspended")
    assert row["reason"] == "wrong link" and row["command"] == f"campaign release spring --user {SENDER}"
    relay.wait_delivered(send(relay, "ann@dest.example"))
    relay.cli("campaign", "release", "spring", "--user", SENDER)
    wait_for(lambda: len(relay.receiver.taken) == 4, "it has left")
    relay.cli("campaign", "hold", "spring", "--all-users")
    ids = [send_campaign(relay) for _ in range(2)]
    wait_why(relay, ids[1], "campaign_suspended")
    other = send_held(relay)
    assert relay.json("campaign", "stop", "SPRING", "--user", SENDER, "--delete",
                      "--dry-run")[0]["selected"] == 2
    assert relay.json("campaign", "stop", "SPRING", "--all-users", "--delete")[0]["selected"] == 2
    relay.log.wait("deleted", count=2)
    assert [m["id"] for m in relay.queue()] == [other]
    assert relay.command("campaign", "stop", "spring", "--all-users").returncode == 64
    for verb in (("stop", "--delete"), ("hold",), ("release",)):
        assert relay.command("campaign", verb[0], "spring", *verb[1:]).returncode == 64


def test_a_campaign_of_one_user_is_not_anothers(plant):
    relay = plant
    other = relay.add_user("other@shop.example")
    relay.cli("campaign", "hold", "Spring", "--user", SENDER, "--reason", "wrong link")
    mine = send_campaign(relay)
    wait_why(relay, mine, "campaign_suspended")
    relay.wait_delivered(send_campaign(relay, login=other, sender="other@shop.example"))
    relay.cli("campaign", "hold", "Spring", "--all-users", "--reason", "all of them")
    theirs = send_campaign(relay, login=other, sender="other@shop.example")
    row = wait_why(relay, theirs, "campaign_suspended")
    assert row["command"] == "campaign release spring --all-users" and row["reason"] == "all of them"
    relay.cli("campaign", "release", "Spring", "--all-users")
    relay.wait_delivered(theirs)
    assert len(relay.receiver.taken) == 2
    relay.cli("campaign", "release", "Spring", "--user", SENDER)
    relay.wait_delivered(mine)
    # The loops tell their counts a few times a second.
    wait_for(lambda: {(item["name"], item["user"]): item["messages"] for item in relay.json("campaign", "list")} ==
             {("Spring", SENDER): 1, ("Spring", "other@shop.example"): 2}, "both are counted")
    assert relay.command("campaign", "hold", "Spring", "--user", "nobody").returncode == 67


def send_held(relay):
    relay.cli("destination", "suspend", "later.example", "--reason", "wait")
    return send(relay, "ann@later.example")


def test_orders_on_the_queue_select_a_campaign(plant):
    relay = plant
    relay.cli("destination", "suspend", "dest.example", "--reason", "wait")
    mine, other = send_campaign(relay), send(relay, "ann@dest.example")
    wait_why(relay, other, "suspended")
    assert relay.json("queue", "hold", "--campaign", "spring", "--user", SENDER)[0]["selected"] == 1
    wait_why(relay, mine, "held")
    assert relay.command("queue", "show", "--campaign", "spring").returncode == 64
    assert relay.command("queue", "release", "--campaign", "spring").returncode != 0  # whose?
    assert relay.json("queue", "release", "--campaign", "spring", "--all")[0]["selected"] == 1


# ---- why

def test_why_names_who_since_when_and_what_would_change_it(plant):
    relay = plant
    relay.cli("destination", "throttle", "dest.example", "--per-minute", "6", "--reason", "slowly")
    relay.cli("destination", "suspend", "--user", SENDER, "--reason", "a complaint", "--for", "1h")
    identifier = send(relay, "ann@dest.example")
    row = wait_why(relay, identifier, "user_suspended")
    assert row["about"] == f"user:{SENDER}" and row["since"] and row["until"] > row["since"]
    relay.cli(*row["command"].split())
    relay.wait_delivered(identifier)
    ids = [send(relay, "ann@dest.example") for _ in range(3)]
    row = wait_for(lambda: [r for i in ids for r in queued(relay, i) if r["why"] == "message_rate"],
                   "they wait for their turn")[0]
    assert row["until"] and row["last_delivery"] >= row["until"]
    relay.cli("destination", "resume", "dest.example")
    wait_for(lambda: len(relay.receiver.taken) == 4, "they have left")


def test_a_throttle_leaves_a_site_with_its_domain(world, relay):
    """Others' mail for the same hosts waits with it, and no longer than it leads there."""
    other = world.receiver()
    relay.cli("destination", "throttle", "dest.example", "--per-hour", "1", "--reason", "slowly")
    ids = [send(relay, "ann@dest.example") for _ in range(2)]
    row = wait_for(lambda: [r for i in ids for r in queued(relay, i) if r["why"] == "message_rate"],
                   "the second waits for its turn")[0]
    neighbour = send(relay, "ann@else.example")
    wait_why(relay, neighbour, "message_rate")
    relay.cli("destination", "reroute", "dest.example", "--via", other.address, "--reason", "moved")
    relay.wait_delivered(neighbour)
    relay.wait_delivered(row["id"])
    assert len(other.taken) == 1 and len(relay.receiver.taken) == 2


def test_a_throttle_ends_with_its_order_also_without_mail(relay):
    relay.cli("destination", "throttle", "dest.example", "--per-hour", "1", "--reason", "slowly")
    relay.wait_delivered(send(relay, "ann@dest.example"))
    neighbour = send(relay, "ann@else.example")
    wait_why(relay, neighbour, "message_rate")
    relay.cli("destination", "resume", "dest.example", "--order", "throttle")
    relay.wait_delivered(neighbour)


# ---- providers, and paces as receivers count them

@pytest.fixture
def town(world):
    """Two domains of a provider and one of nobody, each with a receiver that writes down the time."""
    town = Town(world, {"one": "", "two": "", "else": ""}, provider="big")
    table = world.new_path("providers")
    table.write_text("provider big\n    domain one.example two.example\n")
    rules = world.new_path("rules")
    rules.write_text("")
    relay = world.appliance(town.settings('retry = { "1s" }  expire = "10m"',
                                          f'policy {{ providers = "{table}"  reply_rules = "{rules}" }}\n'))
    relay.login = relay.add_user(SENDER)
    relay.town = town
    return relay


def test_a_provider_stands_still_with_all_its_domains(town):
    relay = town
    relay.cli("destination", "suspend", "--provider", "big", "--reason", "they asked")
    ids = [send(relay, "ann@one.example"), send(relay, "ann@two.example")]
    for identifier in ids:
        row = wait_why(relay, identifier, "provider_suspended")
        assert row["about"] == "provider:big" and row["reason"] == "they asked"
    relay.wait_delivered(send(relay, "ann@else.example"))
    relay.restart()
    for identifier in ids:
        row = wait_why(relay, identifier, "provider_suspended")
    relay.cli(*row["command"].split())
    for identifier in ids:
        relay.wait_delivered(identifier)


@pytest.mark.parametrize("words", [("--provider", "big"), ("--user", SENDER)])
def test_no_second_sees_more_than_was_ordered(town, words):
    relay = town
    relay.cli("destination", "throttle", *words, "--per-second", "6", "--reason", "slowly")
    with relay.client(relay.login) as client:
        for i in range(24):
            submit(client, SENDER, [f"u{i}@{'one' if i % 2 else 'two'}.example"], text("hello"))
    relay.log.wait("delivered", count=24, timeout=60 * PATIENCE)
    times = sorted(t for name in ("one", "two") for t in relay.town[name].times("MAIL"))
    assert len(times) == 24
    assert most_in_window(times, 1) <= 6


LONG = (pytest.mark.long, pytest.mark.timeout(1800))


@pytest.mark.parametrize("words,sites,seconds", [
    (("--user", SENDER, "--per-second", "1"), 5, 1),
    pytest.param(("--user", SENDER, "--per-minute", "1"), 4, 60, marks=LONG),
    pytest.param(("--campaign", "*/spring", "--per-minute", "1"), 4, 60, marks=LONG)])
def test_one_is_one_over_all_loops(world, words, sites, seconds):
    """Several sites on as many loops as there are: a sender's pace is one for all, also over a restart."""
    names = [f"site{n}" for n in range(sites)]
    town = Town(world, dict.fromkeys(names, ""))
    relay = world.appliance(town.settings('retry = { "1s" }  expire = "1h"'))
    relay.login = relay.add_user(SENDER)
    relay.cli("destination", "throttle", *words, "--reason", "slowly")
    for name in names:
        send_campaign(relay, f"ann@{name}.example")
    relay.log.wait("delivered", timeout=3 * seconds + 30 * PATIENCE)
    relay.restart()
    wait_for(lambda: sum(len(town[name].times("DOT")) for name in names) == sites, "all have left",
             2 * sites * seconds + 30)
    assert most_in_window([t for name in names for t in town[name].times("MAIL")], seconds) == 1
