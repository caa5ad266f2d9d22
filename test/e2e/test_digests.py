"""`bounces = digest`: failures are collected and told in one report; a crash loses none of them."""
import pytest

from appliance import PATIENCE, wait_for
from messages import PLAIN, parse
from signatures import Judges, records_of, signatures_of, zone_lines

pytestmark = pytest.mark.sanitized
SENDER = "news@shop.example"
LATER = 'delivery { digest = "1h" }\n'
NOW = 'delivery { digest = "1s" }\n'


def start(world, config=LATER):
    """The receiver promises no reports of its own: a success asked for is ours to tell."""
    receiver = world.receiver({"RCPT": refuse_the_unknown},
                              extensions=["PIPELINING", "ENHANCEDSTATUSCODES"])
    sink = world.sink()
    routes = f'route "shop.example" {{ via = "{sink.address}" }}\n'
    relay = world.relay_to(receiver, routes + config)
    relay.login = relay.add_user(SENDER)
    relay.cli("user", "limit", SENDER, "bounces=digest")
    return relay, sink


def refuse_the_unknown(_session, argument):
    return "550 5.1.1 Unknown" if "<x" in argument else None


def end_the_period(relay):
    relay.config = relay.config.replace(LATER, NOW)
    relay.reload()


def fail(relay, *recipients, **options):
    """One message that each of these refuses; returns its id when all outcomes are stored."""
    identifier = relay.send(relay.login, SENDER, list(recipients), PLAIN, **options)
    relay.log.wait("bounced", msg=identifier, count=len(recipients), timeout=60 * PATIENCE)
    return identifier


def delivered_reports(relay, sink, count):
    relay.log.wait("delivered", to=SENDER, count=count, timeout=60 * PATIENCE)
    wait_for(lambda: not relay.queue(), "the queue is empty")
    return sink.messages()


def status_of(report):
    """The fields of each recipient, as a program reads them."""
    text, status = parse(report.data).get_payload()
    assert text.get_content_type() == "text/plain"
    assert status.get_content_type() == "message/delivery-status"
    about, *recipients = status.get_payload()
    assert about["Reporting-MTA"] == "dns; relay.example"
    return recipients


def addresses_in(report):
    return [fields["Final-Recipient"].removeprefix("rfc822; ") for fields in status_of(report)]


def test_failures_of_many_messages_are_one_report(world):
    relay, sink = start(world)
    first = fail(relay, "x1@dest.example", "x2@dest.example")
    second = fail(relay, "x3@dest.example")
    assert not relay.log.all("report_sent")
    end_the_period(relay)
    report, = delivered_reports(relay, sink, 1)
    assert report.sender == "" and report.recipients == [SENDER]
    fields = status_of(report)
    assert [f["X-Staffetta-Queue-ID"] for f in fields] == [first, first, second]
    assert all(f["Status"] == "5.1.1" and f["Action"] == "failed" for f in fields)
    assert addresses_in(report) == [f"x{i}@dest.example" for i in (1, 2, 3)]
    text = parse(report.data).get_payload(0).get_payload()
    assert "3  5.1.1  no such mailbox" in text and "550 5.1.1 Unknown" in text
    assert parse(PLAIN)["Subject"] in text and first in text
    told = relay.log.all("report_sent")
    assert len(told) == 1 and told[0]["kind"] == "digest" and told[0]["nrcpt"] == "3"
    shown, = [u for u in relay.json("user", "list") if u["name"] == SENDER]
    assert shown["bounces"] == "digest"


def test_what_is_collected_outlives_kill_9(world):
    relay, sink = start(world)
    fail(relay, "x1@dest.example")
    fail(relay, "x2@dest.example")
    relay.kill()
    relay.start()
    fail(relay, "x3@dest.example")
    relay.kill()
    relay.config = relay.config.replace(LATER, NOW)
    relay.start()
    report, = delivered_reports(relay, sink, 1)
    assert sorted(addresses_in(report)) == [f"x{i}@dest.example" for i in (1, 2, 3)]
    relay.kill()
    relay.start()
    fail(relay, "x4@dest.example")  # had anything been kept, it would come with or before this
    reports = delivered_reports(relay, sink, 1)
    assert len(reports) == 2 and addresses_in(reports[1]) == ["x4@dest.example"]


def test_a_rebuilt_queue_still_tells(world):
    relay, sink = start(world)
    fail(relay, "x1@dest.example")
    relay.stop()
    relay.cli("queue", "rebuild", "--config", relay.config_file)
    relay.config = relay.config.replace(LATER, NOW)
    relay.start()
    report, = delivered_reports(relay, sink, 1)
    assert addresses_in(report) == ["x1@dest.example"]


def test_a_thousand_are_not_waited_for(world):
    # Six hundred unknown mailboxes at once are what the brake is for.
    relay, sink = start(world, LATER + "limits { brake = false }\n")
    names = [f"x{i}@dest.example" for i in range(1200)]
    for first in (0, 600):
        relay.send(relay.login, SENDER, names[first:first + 600], PLAIN)
    relay.log.wait("bounced", count=1200, timeout=120 * PATIENCE)
    relay.log.wait("report_sent", kind="digest", timeout=60 * PATIENCE)
    end_the_period(relay)
    reports = delivered_reports(relay, sink, 2)
    told = [addresses_in(report) for report in reports]
    assert all(len(addresses) <= 1000 for addresses in told)
    assert sorted(sum(told, [])) == sorted(names)


def test_only_failures_wait_and_notify_decides(world):
    """NEVER is never told; a success asked for is told as ever, at once."""
    relay, sink = start(world)
    with relay.client(relay.login) as client:
        assert client.mail(SENDER)[0] == 250
        for name, notify in (("x1", "NEVER"), ("x2", "SUCCESS"), ("x3", "FAILURE"),
                             ("ann", "SUCCESS,FAILURE")):
            assert client.rcpt(f"{name}@dest.example", [f"NOTIFY={notify}"])[0] == 250
        assert client.data(PLAIN)[0] == 250
    relay.log.wait("bounced", count=3, timeout=60 * PATIENCE)
    relayed, = delivered_reports(relay, sink, 1)
    assert b"Action: relayed" in relayed.data and b"ann@dest.example" in relayed.data
    end_the_period(relay)
    reports = delivered_reports(relay, sink, 2)
    assert addresses_in(reports[1]) == ["x3@dest.example"]


def test_each_sender_gets_its_own_and_nobody_none(world):
    relay, sink = start(world)
    for sender in (SENDER, "other@shop.example", ""):
        identifier = relay.send(relay.login, sender, "x1@dest.example", PLAIN)
        relay.log.wait("bounced", msg=identifier, timeout=60 * PATIENCE)
    end_the_period(relay)
    relay.log.wait("delivered", to="other@shop.example", timeout=60 * PATIENCE)
    reports = delivered_reports(relay, sink, 1)
    assert sorted(report.recipients[0] for report in reports) == [SENDER, "other@shop.example"]
    assert all(addresses_in(report) == ["x1@dest.example"] for report in reports)


def test_a_digest_that_is_refused_is_not_told_again(world):
    """Its sender is the null one: no failure of it is collected."""
    receiver = world.receiver({"RCPT": "550 5.1.1 Unknown"})
    relay = world.relay_to(receiver, NOW)
    relay.login = relay.add_user(SENDER)
    relay.cli("user", "limit", SENDER, "bounces=digest")
    fail(relay, "x1@dest.example")
    relay.log.wait("bounced", to=SENDER, timeout=60 * PATIENCE)
    fail(relay, "x2@dest.example")
    relay.log.wait("bounced", to=SENDER, count=2, timeout=60 * PATIENCE)
    assert [told["nrcpt"] for told in relay.log.all("report_sent")] == ["1", "1"]


def test_a_digest_is_signed_as_any_report(world):
    relay, sink = start(world, NOW)
    dns = world.name_server({"example": ""})
    relay.cli("domain", "add", "relay.example")
    printed = relay.cli("dkim", "new", "relay.example")
    dns.add("example", zone_lines(records_of(printed), "example"))
    fail(relay, "x1@dest.example")
    report, = delivered_reports(relay, sink, 1)
    assert {tags["d"] for tags in signatures_of(report.data)} == {"relay.example"}
    Judges(world.new_path("judges"), dns).check(report.data)
