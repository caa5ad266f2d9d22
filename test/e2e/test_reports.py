"""Who gets a report, who does not, and that ours are signed."""
import base64
import time

import pytest

from appliance import PATIENCE, wait_for
from messages import EIGHT_BIT, PLAIN, parse
from signatures import Judges, records_of, signatures_of, zone_lines

pytestmark = pytest.mark.sanitized
SENDER, RECIPIENT = "news@shop.example", "ann@dest.example"


def start(world, config=""):
    receiver = world.receiver({"RCPT": "550 5.1.1 Unknown"})
    sink = world.sink()
    relay = world.relay_to(receiver,
                           f'route "shop.example" {{ via = "{sink.address}" }}\n' + config)
    relay.login = relay.add_user(SENDER)
    return relay, receiver, sink


def test_a_user_without_reports_gets_none(world):
    relay, _, sink = start(world)
    relay.cli("user", "limit", SENDER, "bounces=none")
    identifier = relay.send(relay.login, SENDER, RECIPIENT, PLAIN)
    relay.log.wait("bounced", msg=identifier, timeout=30 * PATIENCE)
    wait_for(lambda: not relay.queue(), "the queue is empty")
    assert not sink.messages()
    relay.cli("user", "limit", SENDER, "bounces=dsn")
    relay.send(relay.login, SENDER, RECIPIENT, PLAIN)
    relay.log.wait("delivered", to=SENDER, timeout=30 * PATIENCE)


def test_a_report_is_signed_when_our_name_has_a_key(world):
    relay, _, sink = start(world)
    dns = world.name_server({"example": ""})
    relay.cli("domain", "add", "relay.example")
    printed = relay.cli("dkim", "new", "relay.example")
    dns.add("example", zone_lines(records_of(printed), "example"))
    relay.send(relay.login, SENDER, RECIPIENT, PLAIN)
    relay.log.wait("delivered", to=SENDER, timeout=30 * PATIENCE)
    report = sink.messages()[0].data
    assert {tags["d"] for tags in signatures_of(report)} == {"relay.example"}
    Judges(world.new_path("judges"), dns).check(report)


def test_one_report_names_all_who_failed_together(world):
    relay, _, sink = start(world)
    names = [f"r{i}@dest.example" for i in range(20)]
    relay.send(relay.login, SENDER, names, PLAIN)
    relay.log.wait("delivered", to=SENDER, timeout=30 * PATIENCE)
    wait_for(lambda: not relay.queue(), "the queue is empty")
    report, = sink.messages()
    assert all(name.encode() in report.data for name in names)


def test_a_report_that_fails_is_not_reported(world):
    receiver = world.receiver({"RCPT": "550 5.1.1 Unknown"})
    relay = world.relay_to(receiver)
    relay.login = relay.add_user(SENDER)
    relay.send(relay.login, SENDER, RECIPIENT, PLAIN)
    relay.log.wait("bounced", count=2, timeout=30 * PATIENCE)  # the mail, then its report
    wait_for(lambda: not relay.queue(), "the queue is empty")
    assert len(relay.log.all("bounced")) == 2


def test_a_report_reads_as_mail_whatever_the_receiver_said(world):
    """A reply of any bytes must not break the report, its lines or its signature."""
    relay, receiver, sink = start(world)
    receiver.behaviour["RCPT"] = (b"550-5.7.1 see\r\n550-5.7.1 Content-Type: text/html\r\n"
                                  b"550 5.7.1 \xff\xfe gr\xc3\xbc\xc3\x9fe " + b"x" * 900 + b"\r\n")
    relay.send(relay.login, SENDER, RECIPIENT, EIGHT_BIT)
    relay.log.wait("delivered", to=SENDER, timeout=30 * PATIENCE)
    data = sink.messages()[0].data
    assert b"\n" not in data.replace(b"\r\n", b"") and b"\r" not in data.replace(b"\r\n", b"")
    assert max(len(line) for line in data.split(b"\r\n")) <= 998
    message = parse(data)
    assert message.get_content_type() == "multipart/report"
    assert [p.get_content_type() for p in message.get_payload()][1] in (
        "message/delivery-status", "message/global-delivery-status")
    assert not any(p.get_content_type() == "text/html" for p in message.walk())


def test_wrong_passwords_of_one_address_leave_others_alone(world):
    """Growing delays, never a lock: the right password still gets in, from elsewhere at once."""
    relay, _, _ = start(world)
    for _ in range(3):
        with relay.client() as client:
            client.docmd("AUTH", "PLAIN AG5ld3NAc2hvcC5leGFtcGxlAHdyb25n")
    begin = time.monotonic()
    while True:
        client = relay.client()
        token = base64.b64encode("\0".join(("",) + relay.login).encode()).decode()
        code = client.docmd("AUTH", "PLAIN " + token)[0]
        client.close()
        if code == 235:
            break
        assert code in (454, 421), code
        assert time.monotonic() - begin < 60 * PATIENCE, "locked out"
