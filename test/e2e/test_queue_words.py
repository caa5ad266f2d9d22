"""The queue by filter words, and orders on all that they select: counted, done, undone."""
import threading
import urllib.parse
from datetime import datetime

import pytest

from appliance import PATIENCE, submit, wait_for
from messages import text
from test_api import API, ask, problem
from test_history import get

pytestmark = pytest.mark.sanitized
ANNA, BERTA = "anna@shop.example", "berta@other.example"
MAIL = [  # user, recipients, size of the text
    (ANNA, ["one@dest.example"], 10), (ANNA, ["two@dest.example", "x@third.example"], 10),
    (ANNA, ["big@dest.example"], 40_000), (BERTA, ["one@dest.example"], 10),
    (BERTA, ["y@third.example"], 10)]


@pytest.fixture(scope="module")
def relay(module_world):
    receiver = module_world.receiver({"RCPT": "450 4.2.1 Come back, friend"})
    service = module_world.relay_to(receiver, 'delivery { retry = { "1h" } }\n')
    logins = {name: service.add_user(name) for name in (ANNA, BERTA)}
    service.ids = []
    for user, recipients, size in MAIL:
        with service.client(logins[user]) as client:
            service.ids.append(submit(client, user, recipients, padded(user, size)))
    wait_for(lambda: ask(service, "GET", API + "/queue/summary")[2]["by_state"]["deferred"] == 6,
             "all is deferred")
    return service


def padded(sender, size):
    return text("words", sender=sender, body=("x" * 70 + "\n") * (size // 71 + 1))


def moment(time):
    return datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()


def found(relay, words, **query):
    return [item["id"] for item in get(relay, "/queue", filter=words, **query)["items"]]


@pytest.mark.parametrize("words, places", [
    ("", [0, 1, 2, 3, 4]), (f"user:{ANNA}", [0, 1, 2]), ("to:one@dest.example", [0, 3]),
    ("to:third.example", [1, 4]), (f"from:{BERTA}", [3, 4]), ("from:other.example", [3, 4]),
    ("state:deferred", [0, 1, 2, 3, 4]), ("state:held", []), ("size:30k", [2]), ("older:1h", []),
    ("reply:FRIEND", [0, 1, 2, 3, 4]), ("reply:enemy", []), ("third", [1, 4]),
    ("state:deferred reply:friend", [0, 1, 2, 3, 4]), ("state:queued,held reply:friend", []),
    ("to:one@dest.example state:deferred reply:4.2.1", [0, 3]), ("dest:third.example reply:friend", [1, 4]),
    (f"user:{BERTA} to:third.example", [4]), ("user:nobody", []), (f"user:{ANNA} two@", [1]),
    ("dest:third.example state:deferred,held", [1, 4])])
def test_words_find_what_they_say(relay, words, places):
    assert found(relay, words) == [relay.ids[place] for place in places]


def test_the_exact_number_comes_with_the_page(relay):
    page = get(relay, "/queue", filter=f"user:{ANNA}", limit=1)
    assert page["total"] == 4 and page["total_is_estimate"] is False
    assert [item["id"] for item in page["items"]] == relay.ids[:1]
    page = get(relay, "/queue", filter=f"user:{ANNA}", limit=2, cursor=page["next_cursor"])
    assert [item["id"] for item in page["items"]] == relay.ids[1:3]
    assert found(relay, f"msgid:{relay.ids[3]}") == [relay.ids[3]]


def test_what_only_rows_know_is_not_asked_of_the_loops(relay):
    """They would go through the whole queue for each page: no number comes with these."""
    page = get(relay, "/queue", filter="state:deferred reply:friend", limit=2)
    assert page["total"] is None and [item["id"] for item in page["items"]] == relay.ids[:2]
    page = get(relay, "/queue", filter="state:deferred reply:friend", limit=3, cursor=page["next_cursor"])
    assert [item["id"] for item in page["items"]] == relay.ids[2:]


def test_a_recipient_is_shown_without_the_others(relay):
    item = get(relay, "/queue", filter="to:x@third.example")["items"][0]
    assert [row["address"] for row in item["recipients"]] == ["x@third.example"]


@pytest.mark.parametrize("query", [{"filter": ""}, {"filter": "state:deferred"}, {"state": "deferred"}])
def test_a_list_may_show_few_recipients_of_each(relay, query):
    few, all_of = (get(relay, "/queue", **query, **more)["items"] for more in ({"recipients": 1}, {}))
    assert [len(item["recipients"]) for item in few] == [1] * 5
    assert [len(item["recipients"]) for item in all_of] == [item["n_recipients"] for item in few] == [1, 2, 1, 1, 1]
    assert len(get(relay, f"/queue/{relay.ids[1]}")["recipients"]) == 2


@pytest.mark.parametrize("query, code", [
    ({"recipients": "0"}, "bad_limit"), ({"recipients": "x", "state": "held"}, "bad_limit"),
    ({"filter": "to:"}, "bad_filter"), ({"filter": "state:delivered"}, "bad_state"),
    ({"filter": "msgid:-"}, "bad_id"), ({"sort": "colour"}, "bad_sort"),
    ({"filter": "size:big"}, "bad_filter"), ({"filter": "", "cursor": "!"}, "bad_cursor")])
def test_what_is_not_understood_is_refused(relay, query, code):
    assert problem(relay, "GET", API + "/queue?" + urllib.parse.urlencode(query)) == (422, code)


def order(relay, **body):
    return ask(relay, "POST", API + "/queue/actions", body)


@pytest.mark.parametrize("body, code", [
    ({"verb": "delete"}, "nothing_selected"), ({"verb": "delete", "ids": []}, "nothing_selected"),
    ({"verb": "burn", "filter": ""}, "bad_verb"), ({"filter": ""}, "bad_verb"),
    ({"verb": "hold", "filter": "colour:red"}, "bad_filter"),
    ({"verb": "hold", "ids": ["-"]}, "bad_id"),
    ({"verb": "hold", "filter": "x", "ids": ["7Q2F"]}, "nothing_selected")])
def test_orders_are_read_strictly(relay, body, code):
    assert problem(relay, "POST", API + "/queue/actions", body) == (422, code)


def test_a_dry_run_says_who_is_concerned(relay):
    status, _, said = order(relay, verb="delete", filter="to:dest.example", dry_run=True)
    assert status == 200 and (said["messages"], said["recipients"]) == (4, 4)
    assert {row["name"]: row["recipients"] for row in said["users"]} == {ANNA: 3, BERTA: 1}
    assert sum(row["recipients"] for row in said["destinations"]) == 4
    status, _, said = order(relay, verb="hold", filter="reply:friend third", dry_run=True)
    assert (said["messages"], said["recipients"]) == (2, 2)  # of what the rows found, whom they name
    status, _, said = order(relay, verb="hold", filter="reply:nothing", dry_run=True)
    assert (said["messages"], said["recipients"]) == (0, 0)
    assert found(relay, "state:held") == []


def job(relay, number):
    return ask(relay, "GET", API + f"/jobs/{number}")[2]


def done(relay, number, state="done"):
    return wait_for(lambda: (lambda said: said if said["state"] == state else None)(
        job(relay, number)), f"job {number} is {state}", timeout=30 * PATIENCE)


def test_hold_and_release_as_jobs(relay):
    status, _, said = order(relay, verb="hold", filter=f"user:{BERTA}", reason="wait")
    assert status == 202 and said["state"] == "running"
    said = done(relay, said["id"])
    assert (said["done"], said["total"], said["undo_until"]) == (2, 2, None)
    wait_for(lambda: found(relay, "state:held") == relay.ids[3:], "they are held")
    done(relay, order(relay, verb="release", ids=relay.ids[3:])[2]["id"])
    wait_for(lambda: found(relay, "state:held") == [], "they are released")
    line = get(relay, "/logs", event="queue_command")["items"][-1]
    assert line["fields"]["verb"] == "hold" and line["fields"]["nrcpt"] == "2"


def test_what_is_deleted_can_be_undone(relay):
    done(relay, order(relay, verb="hold", ids=relay.ids[:1])[2]["id"])
    wait_for(lambda: found(relay, "state:held") == relay.ids[:1], "one is held before")
    said = done(relay, order(relay, verb="delete", filter=f"from:{ANNA}", reason="spam")[2]["id"])
    assert said["undo_until"] and said["done"] == 4
    wait_for(lambda: found(relay, "state:held") == relay.ids[:3], "all of it is held")
    assert get(relay, "/queue", filter="two@")["items"][0]["recipients"][0]["reply"] == "to_be_deleted: spam"
    status, _, _ = ask(relay, "POST", API + f"/jobs/{said['id']}:undo", {})
    assert status == 200
    wait_for(lambda: job(relay, said["id"])["undone"], "it is undone")
    wait_for(lambda: found(relay, "state:held") == relay.ids[:1], "what was held before stays so")
    assert problem(relay, "POST", API + f"/jobs/{said['id']}:undo", {}) == (409, "undo_over")
    assert problem(relay, "DELETE", API + f"/jobs/{said['id']}") == (409, "job_over")
    done(relay, order(relay, verb="release", ids=relay.ids[:1])[2]["id"])
    assert problem(relay, "GET", API + "/jobs/1") == (404, "not_found")


def states_of(relay, place):
    return {row["address"]: row["state"] for row in get(relay, f"/queue/{relay.ids[place]}")["recipients"]}


def test_words_of_rows_order_the_recipients_they_name(relay):
    done(relay, order(relay, verb="hold", filter="third")[2]["id"])
    both = {"two@dest.example": "deferred", "x@third.example": "held"}
    wait_for(lambda: states_of(relay, 1) == both, "one of two is held")
    wait_for(lambda: ask(relay, "GET", API + "/queue/summary")[2]["by_state"]["deferred"] == 4, "all else waits")
    said = done(relay, order(relay, verb="delete", filter="state:deferred", reason="spam")[2]["id"])
    assert said["done"] == 4
    wait_for(lambda: set(states_of(relay, 1).values()) == {"held"}, "the other one, too")
    assert ask(relay, "POST", API + f"/jobs/{said['id']}:undo", {})[0] == 200
    wait_for(lambda: job(relay, said["id"])["undone"], "it is undone")
    wait_for(lambda: states_of(relay, 1) == both, "what another order held stays so")
    done(relay, order(relay, verb="release", filter="state:held")[2]["id"])
    wait_for(lambda: found(relay, "state:held") == [], "they are released")


def test_an_undone_delete_gives_back_what_a_quota_held_with_its_time(world):
    relay = world.relay_to(world.receiver())
    login = relay.add_user(ANNA)
    relay.cli("user", "limit", ANNA, "recipients_per_day=1")
    relay.wait_delivered(relay.send(login, ANNA, "one@dest.example", padded(ANNA, 10)))
    held = relay.send(login, ANNA, "two@dest.example", padded(ANNA, 10))
    relay.log.wait("held", msg=held, timeout=30 * PATIENCE)
    before, = relay.json("queue", "why", held)
    said = done(relay, order(relay, verb="delete", filter=f"from:{ANNA}", reason="spam")[2]["id"])
    relay.log.wait("held", msg=held, count=2, timeout=30 * PATIENCE)
    binned, = relay.json("queue", "why", held)
    assert (before["why"], binned["why"], binned["until"]) == ("quota", "held", None)
    assert ask(relay, "POST", API + f"/jobs/{said['id']}:undo", {})[0] == 200
    wait_for(lambda: job(relay, said["id"])["undone"], "it is undone")
    after = wait_for(lambda: [row for row in relay.json("queue", "why", held) if row["why"] == "quota"],
                     "it is held as before")[0]
    assert abs(moment(after["until"]) - moment(before["until"])) <= 3, (before, after)


def test_an_undone_delete_does_not_hold_what_was_being_sent(world):
    reached, gate = threading.Event(), threading.Event()

    def late(session, argument):
        reached.set()
        gate.wait(60 * PATIENCE)
        return "450 4.2.1 Come back"

    relay = world.relay_to(world.receiver({"RCPT": late}), 'delivery { retry = { "1h" } }\n')
    login = relay.add_user(ANNA)
    with relay.client(login) as client:
        identifier = submit(client, ANNA, ["one@dest.example"], padded(ANNA, 10))
    try:
        assert reached.wait(30 * PATIENCE)
        said = done(relay, order(relay, verb="delete", ids=[identifier])[2]["id"])
        assert ask(relay, "POST", API + f"/jobs/{said['id']}:undo", {})[0] == 200
        relay.log.wait("queue_command", verb="undo", timeout=30 * PATIENCE)
        assert job(relay, said["id"])["state"] == "running"
    finally:
        gate.set()
    wait_for(lambda: job(relay, said["id"])["undone"], "it is undone", timeout=30 * PATIENCE)
    assert found(relay, "state:deferred") == [identifier] and found(relay, "state:held") == []


@pytest.mark.long
def test_a_minute_later_it_is_gone(relay):
    said = done(relay, order(relay, verb="delete", ids=relay.ids[4:])[2]["id"])
    assert found(relay, "") == relay.ids
    wait_for(lambda: found(relay, "") == relay.ids[:4], "the bin is emptied", timeout=90 * PATIENCE)
    assert job(relay, said["id"])["undo_until"] is None
    wait_for(lambda: get(relay, "/deliveries", filter=f"msgid:{relay.ids[4]} state:deleted")["items"],
             "history knows")


@pytest.mark.long
def test_the_bin_ends_only_whom_words_selected(relay):
    done(relay, order(relay, verb="hold", filter="to:x@third.example")[2]["id"])
    wait_for(lambda: states_of(relay, 1)["x@third.example"] == "held", "one of two is held")
    done(relay, order(relay, verb="delete", filter="to:dest.example state:deferred size:30k")[2]["id"])
    done(relay, order(relay, verb="delete", filter=f"msgid:{relay.ids[1]} state:deferred")[2]["id"])
    wait_for(lambda: found(relay, f"to:dest.example user:{ANNA}") == relay.ids[:1], "the bins are emptied",
             timeout=90 * PATIENCE)
    assert states_of(relay, 1) == {"x@third.example": "held"}
    done(relay, order(relay, verb="release", filter="state:held")[2]["id"])
    wait_for(lambda: found(relay, "state:held") == [], "it is released")


def test_a_restart_within_the_minute_keeps_it(relay):
    done(relay, order(relay, verb="delete", ids=relay.ids[3:4], reason="wrong")[2]["id"])
    relay.restart()
    assert found(relay, "state:held") == relay.ids[3:4]
