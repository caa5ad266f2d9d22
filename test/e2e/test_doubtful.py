"""Deliveries in doubt: the final dot has left, the answer never came, because the service was killed
or the connection was lost.  Exactly those are told, shown, and treated as their destination's
setting says."""
import contextlib
import re
import sqlite3
import threading

import pytest

from appliance import PATIENCE, wait_for
from messages import text
from receivers import DROP, HANG

SENDER = "news@shop.example"
CONFIG = """
route "*" {{ via = "127.0.0.1:{port}"  tls = "never" }}
delivery {{ retry = {{ "1s" }}  doubtful_wait = "3h" }}
destination "wait.example" {{ doubtful = "wait" }}
destination "ask.example"  {{ doubtful = "ask" }}
"""


class Silence:
    """Final dots that are taken and not answered, as long as it lasts."""
    is_on = True

    def __call__(self, session, _):
        return HANG if self.is_on else None


@pytest.fixture(name="silence")
def make_silence():
    return Silence()


def behind_dots(receiver):
    return [recipient for mail in receiver.offered for recipient in mail.recipients]


def begin(world, behaviour):
    receiver = world.receiver(behaviour)
    relay = world.appliance(CONFIG.format(port=receiver.port))
    relay.login = relay.add_user(SENDER, "--sender", "*")
    return relay, receiver


def shown(relay, identifier):
    """Recipient number -> what `queue show` says of it."""
    item = relay.json("queue", "show", identifier)[0]
    return {recipient["n"]: recipient for recipient in item["recipients"]}


@pytest.mark.sanitized
def test_after_kill_9_exactly_those_behind_the_dot_are_in_doubt(world, silence):
    relay, receiver = begin(world, {
        "DOT": silence,
        "RCPT": lambda _, line: "450 4.2.0 later" if silence.is_on and "later@" in line else None})
    recipients = ["a@one.example", "later@one.example", "b@wait.example", "c@ask.example"]
    first = relay.send(relay.login, SENDER, recipients, text())
    wait_for(lambda: len(behind_dots(receiver)) == 3, "three recipients behind a final dot")
    relay.kill()
    silence.is_on = False
    relay.start()
    doubtful = {int(event["rcpt"]): event for event in relay.log.all("doubtful")}
    assert sorted(doubtful) == [1, 3, 4]
    assert all(event["msg"] == first and event["mx"] == "127.0.0.1" and event["cause"] == "crash"
               for event in doubtful.values())
    assert doubtful[4]["to"] == "c@ask.example"
    relay.log.wait("delivered", msg=first, rcpt="1", timeout=30 * PATIENCE)  # retry
    relay.log.wait("delivered", msg=first, rcpt="2", timeout=30 * PATIENCE)
    left = wait_for(lambda: (lambda rows: rows if sorted(rows) == [3, 4] else None)(
        shown(relay, first)), "two recipients are left")
    assert left[3]["state"] == "deferred" and left[4]["state"] == "held"
    assert all(row["doubtful"]["host"] == "127.0.0.1" and row["doubtful"]["at"]
               for row in left.values())
    assert "may have been delivered" in left[4]["reply"]
    why = {row["n"]: row for row in relay.json("queue", "why", first)}
    assert why[3]["doubtful"] and why[4]["doubtful"]
    assert "MAY BE DELIVERED" in relay.cli("queue", "show", first)
    # It is settled: another start tells nothing of them again.
    relay.restart()
    assert not relay.log.all("doubtful")
    relay.cli("queue", "retry", first)
    relay.cli("queue", "release", first)
    relay.wait_delivered(first, 2)
    wait_for(lambda: not relay.queue(), "the queue is empty")
    assert sorted(r for mail in receiver.taken for r in mail.recipients) == sorted(recipients)


def test_mail_marked_at_its_arrival_is_in_doubt_after_kill_9(world, silence):
    relay, receiver = begin(world, {"DOT": silence})
    silence.is_on = False
    relay.wait_delivered(relay.send(relay.login, SENDER, "a@ask.example", text()))
    silence.is_on = True
    second = relay.send(relay.login, SENDER, "a@ask.example", text())
    wait_for(lambda: len(behind_dots(receiver)) == 2, "the second final dot")
    relay.kill()
    silence.is_on = False
    relay.start()
    events = relay.log.all("doubtful")
    assert [(event["msg"], event["rcpt"]) for event in events] == [(second, "1")]
    assert shown(relay, second)[1]["state"] == "held"
    relay.cli("queue", "delete", second)
    wait_for(lambda: not relay.queue(), "the queue is empty")


def test_a_connection_lost_behind_the_dot_asks_where_that_is_set(world):
    relay, receiver = begin(world, {"DOT": lambda _s, _d: DROP if not receiver.taken else None})
    identifier = relay.send(relay.login, SENDER, ["a@ask.example", "b@wait.example"], text())
    relay.log.wait("doubtful", count=2, msg=identifier, timeout=30 * PATIENCE)
    relay.log.wait("held", msg=identifier, rcpt="1", timeout=30 * PATIENCE)
    relay.log.wait("deferred", msg=identifier, rcpt="2", timeout=30 * PATIENCE)
    rows = wait_for(lambda: (lambda r: r if r[1]["state"] == "held" else None)(
        shown(relay, identifier)), "held")
    assert rows[1]["doubtful"]["host"] == "127.0.0.1" and rows[2]["doubtful"]
    relay.cli("queue", "delete", identifier)
    wait_for(lambda: not relay.queue(), "the queue is empty")


@contextlib.contextmanager
def no_commits(relay):
    """As with a disk that hangs: somebody else holds the lock of the queue's database."""
    database = sqlite3.connect(relay.folder / "spool/queue.db", isolation_level=None, timeout=30)
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        database.close()


def marked(relay, end):
    """How many recipients the record that ends so has marked as delivered."""
    marks = [re.findall(re.escape(end) + rb"\r\n(\xd1*)", segment.read_bytes())
             for segment in (relay.folder / "spool/segments").iterdir()]
    return sum(len(run) for runs in marks for run in runs)


@pytest.mark.sanitized
def test_what_was_delivered_and_not_committed_is_not_sent_again_after_kill_9(world):
    """A verdict that waits for its commit is in the record already."""
    gate = threading.Event()
    relay, receiver = begin(world, {"DOT": lambda *_: gate.wait(60 * PATIENCE) and None})
    identifier = relay.send(relay.login, SENDER, ["a@one.example", "b@ask.example"],
                            text(body="the last line"))
    wait_for(lambda: len(behind_dots(receiver)) == 2, "two recipients behind a final dot")
    with no_commits(relay):
        gate.set()
        wait_for(lambda: marked(relay, b"the last line") == 2 or None, "the marks are written")
        relay.kill()
    relay.start()
    found = [relay.log.wait("delivered", msg=identifier, rcpt=n, timeout=30 * PATIENCE)
             for n in "12"]
    wait_for(lambda: not relay.queue(), "the queue is empty")
    assert {event["to"]: event["site"] for event in found} == {
        "a@one.example": "one.example", "b@ask.example": "ask.example"}
    assert all("before the service ended" in event["reply"] for event in found)
    assert not relay.log.all("doubtful")
    relay.restart()
    assert not relay.log.all("delivered") and relay.queue() == []
    assert sorted(behind_dots(receiver)) == ["a@one.example", "b@ask.example"]
