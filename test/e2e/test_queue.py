"""The queue commands, and what `--json` says."""
import pytest

from appliance import PATIENCE, wait_for
from messages import PLAIN, parse, text

pytestmark = pytest.mark.sanitized
SENDER = "news@shop.example"


@pytest.fixture
def relay(world):
    """Everything for dest.example is deferred for an hour until the receiver is told otherwise."""
    receiver = world.receiver(
        {"RCPT": lambda _, a: "450 4.2.1 Come back" if "@dest.example" in a else None})
    relay = world.relay_to(receiver, 'delivery { retry = { "1h" } }\n')
    relay.receiver = receiver
    relay.login = relay.add_user(SENDER)
    return relay


def deferred(relay, subject="s", to="ann@dest.example"):
    mark = relay.log.mark()
    identifier = relay.send(relay.login, SENDER, to, text(subject))
    relay.log.wait("deferred", after=mark, msg=identifier, timeout=30 * PATIENCE)
    return identifier


def test_list_show_and_why(relay):
    identifier = deferred(relay)
    item = wait_for(relay.queue, "an item")[0]
    assert item["id"] == identifier and item["user"] == SENDER and item["sender"] == SENDER
    assert item["size"] > 100 and item["arrived"]
    recipient = item["recipients"][0]
    assert recipient["n"] == 1 and recipient["address"] == "ann@dest.example"
    assert recipient["state"] == "deferred" and recipient["attempts"] == 1
    assert "Come back" in recipient["reply"] and recipient["next"]
    assert relay.json("queue", "list", "--dest", "dest.example")
    assert relay.json("queue", "list", "--state", "deferred", "--user", SENDER, "--limit", "5")
    assert not relay.json("queue", "list", "--dest", "else.example")
    assert not relay.json("queue", "list", "--state", "held")
    assert identifier in relay.cli("queue", "list")
    assert identifier in relay.cli("queue", "show", identifier)
    assert "Come back" in relay.cli("queue", "why", identifier)
    assert "dest.example" in relay.cli("queue", "summary")
    assert relay.command("queue", "show", "ZZZZZZ").returncode == 67


def test_retry(relay):
    identifier = deferred(relay)
    relay.receiver.behaviour.clear()
    relay.cli("queue", "retry", identifier)
    relay.wait_delivered(identifier)
    wait_for(lambda: not relay.queue(), "the queue is empty")


def test_retry_by_destination_and_all(relay):
    first, second = deferred(relay, "a"), deferred(relay, "b")
    relay.receiver.behaviour.clear()
    relay.cli("queue", "retry", "--dest", "dest.example")
    relay.wait_delivered(first)
    relay.wait_delivered(second)
    relay.receiver.behaviour["RCPT"] = "450 4.2.1 Come back"
    third = deferred(relay, "c")
    relay.receiver.behaviour.clear()
    relay.cli("queue", "retry", "--all")
    relay.wait_delivered(third)


def test_hold_and_release(relay):
    identifier = deferred(relay)
    relay.cli("queue", "hold", identifier)
    relay.log.wait("held", msg=identifier)
    assert relay.json("queue", "list", "--state", "held")[0]["id"] == identifier
    relay.receiver.behaviour.clear()
    relay.cli("queue", "retry", "--all")
    relay.cli("queue", "release", identifier)
    relay.log.wait("released", msg=identifier)
    relay.wait_delivered(identifier)


def test_delete_by_ids_on_stdin(relay):
    ids = [deferred(relay, f"s{i}") for i in range(3)]
    relay.cli("queue", "delete", "-", stdin="\n".join(ids[:2]) + "\n")
    relay.log.wait("deleted", count=2)
    assert [item["id"] for item in relay.queue()] == [ids[2]]
    relay.cli("queue", "delete", "--from", SENDER)
    relay.log.wait("deleted", count=3)
    assert relay.queue() == []


def test_bounce(relay, world):
    identifier = deferred(relay)
    relay.cli("queue", "bounce", identifier)
    relay.log.wait("bounced", msg=identifier)
    relay.log.wait("delivered", to=SENDER, timeout=30 * PATIENCE)
    report = parse(relay.receiver.taken[-1].data)
    assert report.get_content_type() == "multipart/report"


def test_requeue(relay):
    identifier = deferred(relay)
    relay.receiver.behaviour.clear()
    relay.cli("queue", "requeue", identifier)
    relay.wait_delivered(identifier)


def test_all_of_it_survives_a_restart(relay):
    held, waiting = deferred(relay, "held"), deferred(relay, "waiting")
    relay.cli("queue", "hold", held)
    relay.log.wait("held", msg=held)
    before = {item["id"]: item for item in relay.queue()}
    relay.restart()
    after = {item["id"]: item for item in relay.queue()}
    assert set(after) == {held, waiting}
    assert after[held]["recipients"][0]["state"] == "held"
    assert after[waiting]["recipients"][0]["attempts"] == 1
    for identifier, item in after.items():
        assert item["arrived"] == before[identifier]["arrived"]
        assert item["size"] == before[identifier]["size"]


def test_rebuild_restores_a_lost_database(relay):
    ids = {deferred(relay, f"s{i}") for i in range(5)}
    relay.stop()
    for path in (relay.folder / "spool").glob("queue.db*"):
        path.unlink()
    done = relay.command("queue", "rebuild", "--config", relay.config_file)
    assert done.returncode == 0, done.stderr
    relay.receiver.behaviour.clear()
    relay.start()
    for identifier in ids:
        relay.wait_delivered(identifier)
    assert len(relay.receiver.taken) == 5


def test_a_large_message_lies_in_its_own_file(relay):
    big = PLAIN + (b"0123456789" * 7 + b"\r\n") * 20000
    mark = relay.log.mark()
    identifier = relay.send(relay.login, SENDER, "ann@dest.example", big)
    relay.log.wait("deferred", after=mark, msg=identifier, timeout=60 * PATIENCE)
    large = relay.folder / "spool/large"
    assert len(list(large.iterdir())) == 1
    relay.receiver.behaviour.clear()
    relay.restart()
    relay.cli("queue", "retry", identifier)
    relay.wait_delivered(identifier, timeout=60)
    assert relay.receiver.taken[-1].data.endswith(big)
    wait_for(lambda: not list(large.iterdir()), "its file is gone")


def test_version_and_usage(relay):
    assert relay.command("version").stdout.strip()
    assert relay.command("nonsense").returncode == 64
    assert relay.command("queue", "list", "--nonsense").returncode == 64


def test_mail_leaves_by_itself_when_a_suspension_has_ended(relay):
    relay.receiver.behaviour.clear()
    relay.cli("destination", "suspend", "dest.example", "--reason", "they asked", "--for", "3s")
    identifier = relay.send(relay.login, SENDER, "ann@dest.example", text("late"))
    assert "they asked" in relay.cli("queue", "why", identifier)
    relay.wait_delivered(identifier)
    assert not relay.log.all("deferred", msg=identifier)
