"""How it goes, in figures: counters, the overview, destinations, users."""
import urllib.parse

import pytest

from appliance import wait_for
from test_api import API, problem
from test_history import SENDER, get, get_text, one_of_each

pytestmark = pytest.mark.sanitized


@pytest.fixture(scope="module")
def relay(module_world):
    return one_of_each(module_world)


def total(relay, metric, **query):
    series = get(relay, "/stats", metric=metric, **query)["series"][0]
    return sum(n or 0 for n in series["sum"])


def test_counters_say_what_the_rows_say(relay):
    wait_for(lambda: total(relay, "bounced", range="24h") >= 1, "counters are stored",
             timeout=60)
    for span in ("24h", "week", "month", "year"):
        assert total(relay, "accepted", range=span) >= 3
        assert total(relay, "delivered", range=span) >= 1
    assert total(relay, "accepted", range="24h", by="user:" + SENDER) >= 3
    assert total(relay, "accepted", range="24h", by="user:nobody") == 0
    said = get(relay, "/stats", metric="delivered,queued,latency_p95", range="week")
    assert said["step"] == 1800 and len(said["times"]) == 336 == len(said["series"][0]["mean"])
    assert said["times"][1] - said["times"][0] == 1800 and said["gaps"] == []
    for name in ("mean", "min", "max"):
        assert len(said["series"][2][name]) == 336
    csv = get_text(relay, "/stats.csv", metric="accepted", range="24h").splitlines()
    assert csv[0] == "time,accepted" and sum(float(line.split(",")[1]) for line in csv[1:]) >= 3


@pytest.mark.parametrize("query, code", [
    ({"metric": "luck"}, "bad_metric"), ({"by": "moon:1"}, "bad_by"), ({"by": "user"}, "bad_by"),
    ({"range": "ever"}, "bad_range"), ({"step": "7"}, "bad_step"),
    ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "bad_time"),
    ({"range": "year", "step": "60"}, "bad_step")])
def test_stats_are_asked_for_strictly(relay, query, code):
    path = API + "/stats?" + urllib.parse.urlencode(query)
    assert problem(relay, "GET", path) == (422, code)


def test_overview(relay):
    said = wait_for(lambda: (lambda seen: seen if seen["tiles"]["bounced_24h"] else None)(
        get(relay, "/overview")), "the day is summed up", timeout=60)
    assert said["state"] in ("ok", "attention") and said["version"]
    assert said["tiles"]["queued"] >= 1 and said["tiles"]["held"] == 0
    assert said["tiles"]["oldest_seconds"] >= 0 and said["tiles"]["accepted_24h"] >= 3
    assert len(said["spark"]["delivered"]) == 24 and sum(said["spark"]["accepted"]) >= 3
    top = said["top_destinations"][0]
    assert top["name"] == "other.example" and top["queued"] == 1 and top["rate"] >= 0
    assert said["certificate"]["days_left"] > 0 and said["certificate"]["name"] == "default"
    assert said["top_users"][0]["name"] == SENDER and said["disk"]["free"] > 0


def test_how_each_destination_fares(relay):
    def found():
        said = get(relay, "/destinations")
        assert said["total"] == len(said["items"]) == 1  # both domains go to one next hop
        row = said["items"][0]
        # One message, and the report about the one that was refused.
        return row if row["oldest_seconds"] is not None and row["day"]["delivered"] == 2 else None
    row = wait_for(found, "it has been counted and looked at", timeout=60)
    assert row["domains"] == ["other.example"] and row["provider"] is None
    assert (row["waiting"], row["oldest_seconds"] >= 0, row["rate"] >= 0) == (1, True, True)
    for span in ("hour", "day"):
        assert (row[span]["delivered"], row[span]["deferred"], row[span]["bounced"]) == (2, 1, 1)
        assert row[span]["percent"] == 50
    last = row["last_reply"]
    assert last["state"] == "delivered" and last["code"] == 250 and last["at"] and last["text"]
    assert row["drain_forecast"] is None  # nothing is due now
    get(relay, "/destinations", name="other.example", limit=1)
    assert problem(relay, "GET", API + "/destinations?limit=0") == (422, "bad_limit")


def test_limits_of_destinations(relay):
    relay.cli("destination", "throttle", "other.example", "--per-hour", "120", "--connections", "2", "--reason", "r")
    try:
        row = wait_for(lambda: [r for r in get(relay, "/destinations")["items"] if r["limits"]],
                       "the order is known")[0]
        assert row["limits"]["messages_per_hour"] == 120 and row["limits"]["connections"] == 2
        assert row["limit"] == 2
    finally:
        relay.cli("destination", "resume", "other.example")


def test_how_each_user_fares(relay):
    def found():
        row = get(relay, "/users")["items"][0]
        return row if row["queued"] and row["day"]["delivered"] == 2 else None
    row = wait_for(found, "it has been counted and looked at", timeout=60)
    assert row["last_used"] and (row["queued"], row["held"]) == (1, 0)
    assert 33 < row["day"]["bounce_percent"] < 34 and row["day"]["accepted"] >= 3
    assert row["used"]["recipients_per_month"] >= 3 and row["quotas"] == {}
    one = get(relay, "/users/" + SENDER)
    assert {name: one[name] for name in ("last_used", "used", "quotas", "queued", "held", "day")} == {
        name: row[name] for name in ("last_used", "used", "quotas", "queued", "held", "day")}
