"""Quotas of users: what is over them is held and leaves later; rates; the brake; warnings as mail."""
import email
import sqlite3
import time

import pytest

from appliance import PATIENCE, submit, wait_for
from messages import PLAIN
from receivers import Receiver

SENDER = "news@shop.example"
BRAKE = "limits { brake = true }\n"
BOUGHT = ([f"a{i}@dest.example" for i in range(180)]
          + [f"x{i}@{word}.example" for i in range(10) for word in ("one", "two", "three", "four")])


def start(world, *options, config="", behaviour=None, user=SENDER):
    """The user's own domain, where warnings go, is another receiver than everybody else's."""
    receiver = world.receiver(behaviour)
    sink = world.sink()
    routes = f'route "shop.example" {{ via = "{sink.address}" }}\n'
    relay = world.relay_to(receiver, routes + config)
    relay.login = relay.add_user(user)
    if options:
        relay.cli("user", "limit", user, *options)
    return relay, receiver, sink


def send(relay, recipients="ann@dest.example", **options):
    return relay.send(relay.login, SENDER, recipients, PLAIN, **options)


def held(relay, identifier, count=1):
    relay.log.wait("held", msg=identifier, count=count, timeout=30 * PATIENCE)
    return relay.log.all("held", msg=identifier)


def rows(relay, statement):
    with sqlite3.connect(f"file:{relay.folder}/data/db/staffetta.db?mode=ro", uri=True) as database:
        return database.execute(statement).fetchall()


def make_due(relay):
    """As if the period that held mail waits for had begun: the rows are the truth."""
    relay.stop()
    with sqlite3.connect(relay.folder / "spool/queue.db") as database:
        changed = database.execute("UPDATE recipient SET next = 1000 WHERE state = 2").rowcount
    assert changed
    relay.start()


@pytest.mark.sanitized
def test_over_a_quota_mail_is_held_and_leaves_with_the_next_period(world):
    relay, receiver, _ = start(world, "messages_per_month=2")
    first, second = send(relay), send(relay)
    relay.wait_delivered(first)
    relay.wait_delivered(second)
    third = send(relay, ["ann@dest.example", "bob@dest.example"])
    events = held(relay, third, 2)
    assert {event["why"] for event in events} == {"quota"} and events[0]["until"]
    assert "messages_per_month" in events[0]["reply"]
    shown, = [item for item in relay.queue() if item["id"] == third]
    assert {r["state"] for r in shown["recipients"]} == {"held"}
    why = relay.json("queue", "why", third)[0]
    assert "quota" in str(why) and "messages_per_month" in str(why)
    make_due(relay)
    relay.log.wait("released", msg=third, count=2, timeout=30 * PATIENCE)
    relay.wait_delivered(third, 2)
    assert len(receiver.taken) == 3


def test_what_an_operator_holds_besides_does_not_leave_by_itself(world):
    relay, _, _ = start(world, "recipients_per_day=1")
    relay.wait_delivered(send(relay))
    identifier = send(relay)
    assert held(relay, identifier)[0]["until"]
    relay.cli("queue", "hold", identifier)
    assert "until" not in held(relay, identifier, 2)[1]
    with sqlite3.connect(f"file:{relay.folder}/spool/queue.db?mode=ro", uri=True) as database:
        assert database.execute("SELECT state, flags & 16 FROM recipient").fetchall() == [(2, 0)]


def test_an_operator_may_release_it_before(world):
    relay, receiver, _ = start(world, "recipients_per_day=1")
    relay.wait_delivered(send(relay))
    identifier = send(relay)
    held(relay, identifier)
    relay.cli("queue", "release", identifier)
    relay.wait_delivered(identifier)
    assert len(receiver.taken) == 2


def test_held_mail_stays_held_over_kill_9(world):
    relay, receiver, _ = start(world, "messages_per_month=1")
    relay.wait_delivered(send(relay))
    identifier = send(relay)
    held(relay, identifier)
    relay.kill()
    relay.start()
    after = send(relay)
    held(relay, after)
    assert {item["id"] for item in relay.queue()} == {identifier, after}
    assert len(receiver.taken) == 1


@pytest.mark.sanitized
def test_a_user_may_choose_to_be_refused(world):
    relay, _, _ = start(world, "messages_per_day=1", "recipients_per_day=5", "refuse_over_quota=yes")
    send(relay)
    with relay.client(relay.login) as client:
        client.mail(SENDER)
        client.rcpt("ann@dest.example")
        code, text = client.data(PLAIN)
        assert code == 452 and text.startswith(b"4.7.1 This user's quota messages_per_day is used up")
        client.mail(SENDER)
        for i in range(6):
            client.rcpt(f"r{i}@dest.example")
        code, text = client.data(PLAIN)
        assert code == 550 and text.startswith(b"5.7.1"), text
    relay.cli("user", "limit", SENDER, "messages_per_day=none", "recipients_per_day=0")
    send(relay)


def test_no_more_than_the_quota_passes_whoever_kills_it(world):
    quota = 30
    relay, receiver, _ = start(world, f"messages_per_month={quota}", behaviour=None)
    sent = []
    for life in range(5):
        with relay.client(relay.login) as client:
            for _ in range(10):
                sent.append(submit(client, SENDER, ["ann@dest.example"], PLAIN))
        relay.kill()
        relay.start()
    # Everything is either on its way (once or, after a kill, twice) or held.
    wait_for(lambda: all(item["recipients"][0]["state"] == "held" for item in relay.queue()),
             "what may leave has left")
    n_held = len(relay.queue())
    assert len(sent) == 50 and n_held >= 50 - quota
    assert len(sent) - n_held > quota - 15  # blocks of one are reserved: a kill loses a few


def test_usage_is_shown_and_survives_a_restart(world):
    relay, _, _ = start(world, "recipients_per_month=100", "messages_per_hour=none",
                        config='limits { messages_per_hour = 1000 messages_per_day = 500 }\n')
    for _ in range(3):
        send(relay, ["ann@dest.example", "bob@dest.example"])
    shown, = relay.json("user", "show", SENDER)
    assert shown["quotas"] == {"recipients_per_month": 100, "messages_per_day": 500}
    assert shown["used"]["recipients_per_month"] == 6 and shown["used"]["messages_per_day"] == 3
    assert shown["limits"]["messages_per_hour"] == "none"
    relay.restart()
    shown, = relay.json("user", "show", SENDER)
    assert shown["used"]["recipients_per_month"] == 6


def test_a_reload_changes_everybodys_quota(world):
    relay, _, _ = start(world, config="limits { messages_per_month = 1 }\n")
    relay.wait_delivered(send(relay))
    held(relay, send(relay))
    relay.config = relay.config.replace("messages_per_month = 1", "messages_per_month = 100")
    mark = relay.reload()
    relay.log.wait("reloaded", role="relay", after=mark, timeout=30 * PATIENCE)
    relay.wait_delivered(send(relay))


@pytest.mark.sanitized
def test_warnings_come_as_mail_that_counts_to_nothing(world):
    relay, _, sink = start(world, "messages_per_month=5")
    relay.cli("domain", "add", "relay.example")
    relay.cli("dkim", "new", "relay.example")
    for _ in range(6):
        send(relay)
    warnings = relay.log.all("quota_warning")
    assert [event["percent"] for event in warnings] == ["80", "100"]
    relay.log.wait("report_sent", kind="warning", count=2, timeout=30 * PATIENCE)
    relay.log.wait("delivered", to=SENDER, count=2, timeout=30 * PATIENCE)
    letters = [email.message_from_bytes(message.data) for message in sink.messages()]
    assert len(letters) == 2
    for letter, message in zip(letters, sink.messages()):
        assert message.sender == "" and message.recipients == [SENDER]
        assert letter["From"] == "Mail Delivery System <mailer-daemon@relay.example>"
        assert letter["Auto-Submitted"] == "auto-generated"
        assert "d=relay.example" in letter["DKIM-Signature"]
        assert "messages_per_month" in letter.get_payload()
    assert sorted(letter["Subject"] for letter in letters) == [
        "Your sending quota is used up", "Your sending quota, a warning"]
    shown, = relay.json("user", "show", SENDER)
    assert shown["used"]["messages_per_month"] == 5


def test_warnings_go_to_the_contact(world):
    relay, _, sink = start(world, "messages_per_month=1", "contact=boss@shop.example")
    send(relay)
    relay.log.wait("delivered", to="boss@shop.example", timeout=30 * PATIENCE)
    assert sink.messages()[0].recipients == ["boss@shop.example"]
    assert relay.command("user", "limit", SENDER, "contact=nonsense").returncode != 0


def refuse_the_unknown(_session, argument):
    return "550 5.1.1 Unknown" if "<x" in argument else None


@pytest.mark.sanitized
def test_the_brake_holds_a_user_until_it_is_enabled(world):
    relay, receiver, sink = start(world, behaviour={"RCPT": refuse_the_unknown}, config=BRAKE)
    other = relay.add_user("friend@shop.example")
    relay.cli("user", "limit", SENDER, "bounces=none")
    first = send(relay, BOUGHT)
    braked = relay.log.wait("user_braked", user=SENDER, timeout=60 * PATIENCE)
    assert braked["cause"] == "bad_mailboxes" and int(braked["bad"]) >= 20
    relay.log.wait("bounced", msg=first, count=40, timeout=60 * PATIENCE)
    wait_for(lambda: relay.json("user", "show", SENDER)[0]["braked"], "the brake is stored")
    identifier = send(relay)
    assert held(relay, identifier)[0]["why"] == "braked"
    relay.wait_delivered(relay.send(other, "friend@shop.example", "ann@dest.example", PLAIN))
    assert "password" in relay.command("health").stdout
    relay.log.wait("delivered", to=SENDER, timeout=30 * PATIENCE)  # the letter about it
    assert "stolen" in sink.messages()[0].data.decode()
    relay.kill()
    relay.start()
    later = send(relay)
    held(relay, later)
    relay.cli("user", "enable", SENDER)
    for each in (identifier, later):
        relay.log.wait("released", msg=each, timeout=60 * PATIENCE)
        relay.wait_delivered(each)
    assert not relay.json("user", "show", SENDER)[0]["braked"]
    relay.wait_delivered(send(relay))


def test_queued_mail_of_a_braked_user_is_held_too(world):
    relay, receiver, _ = start(world, behaviour={
        "MAIL": lambda _session, argument: "450 4.2.1 Later" if "<later" in argument else None,
        "RCPT": refuse_the_unknown}, config='delivery { retry = { "1h" } }\n' + BRAKE)
    relay.cli("user", "limit", SENDER, "bounces=none")
    waiting = relay.send(relay.login, "later@shop.example", "ann@dest.example", PLAIN)
    relay.log.wait("deferred", msg=waiting, timeout=30 * PATIENCE)
    send(relay, BOUGHT)
    relay.log.wait("user_braked", timeout=60 * PATIENCE)
    held(relay, waiting)
    assert "stolen" in str(relay.json("queue", "why", waiting))
    relay.cli("user", "enable", SENDER)
    relay.log.wait("released", msg=waiting, timeout=60 * PATIENCE)


def test_a_strangers_dead_addresses_do_not_hold_a_user(world):
    relay, receiver, _ = start(world, behaviour={"RCPT": refuse_the_unknown}, config=BRAKE)
    relay.cli("user", "limit", SENDER, "bounces=none")
    names = [f"a{i}@dest.example" for i in range(180)] + [f"x{i}@evil.example" for i in range(60)]
    first = send(relay, names)
    relay.log.wait("bounced", msg=first, count=60, timeout=60 * PATIENCE)
    wait_for(lambda: sum(row["failed"].get("bad_mailbox", 0)
                         for row in relay.json("stats", "--by", "user")) == 60, "all is counted")
    relay.wait_delivered(send(relay))
    assert not relay.log.all("user_braked")


def brake_all(relay):
    relay.stop()
    with sqlite3.connect(relay.folder / "data/db/staffetta.db") as database:
        database.execute("UPDATE users SET braked_since = 1000, braked_reason = 'of the test'")
    database.close()
    relay.start()


def test_what_is_braked_and_over_a_quota_waits_for_its_period_too(world):
    relay, _, _ = start(world, "messages_per_month=1", config=BRAKE)
    brake_all(relay)
    first, second = send(relay), send(relay)
    assert held(relay, first)[0]["why"] == "braked"
    over, = held(relay, second)
    assert over["why"] == "quota" and over["until"]
    assert "stolen" in over["reply"] and "messages_per_month" in over["reply"]
    make_due(relay)  # which is not enough while the user is braked
    relay.cli("user", "enable", SENDER)
    for each in (first, second):
        relay.log.wait("released", msg=each, timeout=60 * PATIENCE)
        relay.wait_delivered(each)


def test_what_is_braked_and_above_a_whole_quota_waits_for_an_operator(world):
    relay, receiver, _ = start(world, "recipients_per_month=2", config=BRAKE)
    brake_all(relay)
    large, small = send(relay, [f"a{i}@dest.example" for i in range(3)]), send(relay)
    held(relay, large, 3)
    assert {event["why"] for event in relay.log.all("held", msg=large)} == {"quota"}
    held(relay, small)
    relay.cli("user", "enable", SENDER)
    relay.wait_delivered(small)
    assert [item["id"] for item in relay.queue()] == [large]
    relay.cli("queue", "release", large)
    relay.wait_delivered(large, 3)


def test_enabling_a_user_lets_no_more_go_than_its_quota(world):
    relay, receiver, _ = start(world, "messages_per_month=2", config=BRAKE)
    brake_all(relay)
    sent = [send(relay) for _ in range(5)]
    for each in sent:
        held(relay, each)
    relay.cli("user", "enable", SENDER)
    for each in sent[:2]:
        relay.wait_delivered(each)
    after = send(relay)
    held(relay, after)
    assert sorted(item["id"] for item in relay.queue()) == sorted(sent[2:] + [after])
    assert len(receiver.taken) == 2


def test_held_mail_of_a_deleted_user_waits_for_an_operator(world):
    """Neither the walk that the deletion starts nor the one of a start lets it go."""
    relay, _, _ = start(world, config=BRAKE)
    other = relay.add_user("friend@shop.example")
    brake_all(relay)
    theirs = send(relay)
    ours = relay.send(other, "friend@shop.example", "ann@dest.example", PLAIN)
    for each in (theirs, ours):
        held(relay, each)
    relay.cli("user", "delete", SENDER)
    relay.restart()
    relay.cli("user", "enable", "friend@shop.example")
    relay.log.wait("released", msg=ours, timeout=60 * PATIENCE)
    relay.wait_delivered(ours)
    assert not relay.log.all("released", msg=theirs)
    assert [item["id"] for item in relay.queue()] == [theirs]
    relay.cli("queue", "release", theirs)
    relay.wait_delivered(theirs)


@pytest.mark.sanitized
def test_over_a_rate_the_reply_comes_late(world):
    relay, _, _ = start(world, "messages_per_minute=2")
    with relay.client(relay.login) as client:
        started = time.monotonic()
        for _ in range(2):
            submit(client, SENDER, ["ann@dest.example"], PLAIN)
    assert time.monotonic() - started >= 3.9  # 2 s each, whatever the bucket held
    assert not relay.log.all("held")


def test_classes_are_for_those_who_may_and_within_their_hour(world):
    relay, receiver, _ = start(world, "class=yes", "transactional_per_hour=2")
    urgent = PLAIN.replace(b"Subject:", b"X-Staffetta-Class: transactional\r\nSubject:", 1)
    for _ in range(2):
        relay.send(relay.login, SENDER, "ann@dest.example", urgent)
    send(relay)
    assert not relay.log.all("class_exceeded")
    with relay.client(relay.login) as client:
        assert client.has_extn("mt-priority")
        submit(client, SENDER, ["ann@dest.example"], PLAIN, mail_options=["MT-PRIORITY=6"])
    relay.log.wait("class_exceeded", user=SENDER, timeout=30 * PATIENCE)
    relay.log.wait("delivered", count=4, timeout=30 * PATIENCE)
    assert not any(b"x-staffetta" in message.data.lower() for message in receiver.taken)
    relay.cli("user", "limit", SENDER, "class=no")
    with relay.client(relay.login) as client:
        assert client.mail(SENDER, ["MT-PRIORITY=3"]) == (250, b"2.3.6 0 is the new priority")
        client.rset()
        assert client.mail(SENDER, ["MT-PRIORITY=10"])[0] == 501
        assert client.mail(SENDER, ["MT-PRIORITY=-4"])[0] == 250


def test_a_priority_is_passed_on_where_it_is_offered(world):
    """RFC 6710: as it was said, after a restart too; 0 for who may not say it."""
    receiver = world.receiver(extensions=Receiver.EXTENSIONS + ("MT-PRIORITY MIXER",))
    relay = world.relay_to(receiver)
    login = relay.add_user(SENDER)
    relay.cli("destination", "suspend", "dest.example", "--reason", "wait")
    for allowed, said in (("yes", "-3"), ("yes", "9"), ("no", "5")):
        relay.cli("user", "limit", SENDER, f"class={allowed}")
        with relay.client(login) as client:
            submit(client, SENDER, ["ann@dest.example"], PLAIN, mail_options=[f"MT-PRIORITY={said}"])
    relay.send(login, SENDER, "ann@dest.example", PLAIN)
    relay.restart()
    relay.cli("destination", "resume", "dest.example")
    relay.log.wait("delivered", count=4, timeout=60 * PATIENCE)
    lines = [taken.sender_line for taken in receiver.taken]
    said = sorted(word for line in lines for word in line.split() if "MT-PRIORITY" in word)
    assert said == ["MT-PRIORITY=-3", "MT-PRIORITY=0", "MT-PRIORITY=9"]


def test_mail_to_personal_mailboxes_is_counted_per_domain(world):
    relay, _, _ = start(world)
    relay.cli("user", "limit", SENDER, "--sender", "shop.example", "--sender", "mail.shop.example")
    names = [f"r{i}@gmail.com" for i in range(60)]
    for sender in (b"news@shop.example", b"x@mail.shop.example"):
        text = PLAIN.replace(b"news@shop.example", sender)
        relay.wait_delivered(relay.send(relay.login, SENDER, names, text), len(names))
    relay.stop()
    count = "SELECT owner, value FROM counts WHERE budget = 'gmail'"
    assert rows(relay, count) == [("domain:shop.example", 120)]
    with sqlite3.connect(relay.folder / "data/db/staffetta.db") as database:
        database.execute("UPDATE counts SET value = 3990")  # as if so many had been sent today
    database.close()
    relay.start()
    send(relay, names[:20])
    warning = relay.log.wait("bulk_sender_warning", timeout=60 * PATIENCE)
    assert warning["domain"] == "shop.example" and warning["provider"] == "gmail"
    assert warning["percent"] == "80" and 4000 <= int(warning["count"]) <= 4010
    told, = [row for row in relay.json("stats", "--personal") if row["provider"] == "gmail"]
    assert told["domain"] == "shop.example" and told["count"] >= 4000 and told["of"] == 5000
    assert told["percent"] >= 80 and told["until"]


def test_campaigns_are_counted_by_name(world):
    relay, receiver, _ = start(world, behaviour={"RCPT": refuse_the_unknown})
    relay.cli("user", "limit", SENDER, "bounces=none")
    spring = PLAIN.replace(b"Subject:", b"X-Staffetta-Campaign: Spring\r\nSubject:", 1)
    listed = PLAIN.replace(b"Subject:", b"List-ID: Offers <offers.shop.example>\r\nSubject:", 1)
    first = relay.send(relay.login, SENDER, ["ann@dest.example", "x1@dest.example"], spring)
    second = relay.send(relay.login, SENDER, "ann@dest.example", listed)
    relay.wait_delivered(first)
    relay.wait_delivered(second)
    relay.log.wait("bounced", msg=first, timeout=30 * PATIENCE)

    def campaigns():
        found = {item["name"]: item for item in relay.json("campaign", "list")}
        n_told = sum(c["recipients"] + c["delivered"] + c["failed"] for c in found.values())
        return found if n_told == 6 else None

    found = wait_for(campaigns, "all is counted")
    assert set(found) == {"Spring", "offers.shop.example"}
    told = found["Spring"]
    assert (told["messages"], told["recipients"], told["delivered"], told["failed"]) == (1, 2, 1, 1)
    assert told["user"] == SENDER
    assert not any(b"Campaign" in message.data for message in receiver.taken)
