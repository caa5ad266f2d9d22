"""A wrong clock must not end mail: what waits gets one more attempt before it may expire."""
import sqlite3

import pytest

from appliance import PATIENCE
from messages import PLAIN

SENDER, RECIPIENT = "news@shop.example", "ann@dest.example"
DAY_MS = 86400000


@pytest.mark.parametrize("days", [2, -2])
def test_a_clock_that_was_set_while_we_were_stopped(world, days):
    receiver = world.receiver({"CONNECT": "421 4.3.2 Later"})
    relay = world.relay_to(receiver, 'delivery { retry = { "1h" } }\n')
    login = relay.add_user(SENDER)
    identifier = relay.send(login, SENDER, RECIPIENT, PLAIN)
    relay.log.wait("deferred", msg=identifier, timeout=30 * PATIENCE)
    relay.stop()
    # As if the clock had been moved on by so many days: everything stored is older.
    with sqlite3.connect(relay.folder / "spool/queue.db") as database:
        database.execute("UPDATE fact SET value = value - ? WHERE name = 'committed'",
                         (days * DAY_MS,))
        database.execute("UPDATE message SET expires = 1000")
        database.execute("UPDATE recipient SET next = 0")
    database.close()
    receiver.behaviour.clear()
    relay.start()
    jumped = relay.log.wait("clock_jumped", timeout=30 * PATIENCE)
    assert abs(float(jumped["by"]) - days * 86400) < 600
    relay.wait_delivered(identifier)
    assert not relay.log.all("expired")


def test_what_is_overdue_expires_after_that_attempt(world):
    receiver = world.receiver({"RCPT": "450 4.2.1 Later"})
    relay = world.relay_to(receiver, 'delivery { retry = { "1s" } }\n')
    login = relay.add_user(SENDER)
    identifier = relay.send(login, SENDER, RECIPIENT, PLAIN)
    relay.log.wait("deferred", msg=identifier, timeout=30 * PATIENCE)
    relay.stop()
    with sqlite3.connect(relay.folder / "spool/queue.db") as database:
        database.execute("UPDATE message SET expires = 1000")
    database.close()
    before = len(receiver.sessions)
    relay.start()
    relay.log.wait("expired", msg=identifier, timeout=30 * PATIENCE)
    assert len(receiver.sessions) > before


def test_the_time_zone_of_the_settings_is_that_of_our_dates(world):
    receiver = world.receiver()
    relay = world.relay_to(receiver, 'timezone = "Asia/Tokyo"\n')
    login = relay.add_user(SENDER)
    relay.wait_delivered(relay.send(login, SENDER, RECIPIENT,
                                    "From: news@shop.example\nSubject: undated\n\nx\n"))
    head = receiver.taken[0].data.split(b"\r\n\r\n")[0]
    assert head.count(b" +0900") == 2, head  # Received and Date
