"""Receivers that greylist, stall, close and lie; what is retried, what comes back as a report."""
import threading

import pytest

from appliance import PATIENCE, wait_for
from messages import EIGHT_BIT, PLAIN, assert_arrived, parse, text
from receivers import DROP, Receiver

pytestmark = pytest.mark.sanitized
SENDER, RECIPIENT = "news@shop.example", "ann@dest.example"
QUICK = 'delivery { retry = { "1s" }  expire = "60s" }\n'


def once(reply):
    """A behaviour that replies so the first time only."""
    first = threading.Event()

    def decide(_, __):
        if first.is_set():
            return None
        first.set()
        return reply
    return decide


def start(world, receiver, config=QUICK, **options):
    relay = world.relay_to(receiver, config, **options)
    relay.login = relay.add_user(SENDER)
    return relay


def reports_to(world, receiver, config=QUICK):
    """A service whose reports (to the sender's domain) land in a sink."""
    sink = world.sink()
    relay = start(world, receiver, f'route "shop.example" {{ via = "{sink.address}" }}\n' + config)
    return relay, sink


@pytest.mark.parametrize("phase,reply", [
    ("CONNECT", "421 4.3.2 Not now"), ("CONNECT", DROP), ("CONNECT", "450 4.3.2 Not now"),
    ("EHLO", "421 4.3.2 Not now"), ("EHLO", DROP),
    ("MAIL", "451 4.7.1 Later"), ("MAIL", "421 4.7.0 Go away"), ("MAIL", DROP),
    ("RCPT", "450 4.2.0 Greylisted"), ("RCPT", "421 4.7.0 Go away"), ("RCPT", DROP),
    ("DATA", "451 4.3.0 Later"), ("DATA", "421 4.3.0 Later"), ("DATA", DROP),
    ("DOT", "451 4.3.0 Later"), ("DOT", "421 4.3.0 Later"), ("DOT", DROP)])
def test_a_passing_failure_is_retried(world, phase, reply):
    receiver = world.receiver({phase: once(reply)})
    relay = start(world, receiver)
    identifier = relay.send(relay.login, SENDER, RECIPIENT, PLAIN)
    relay.wait_delivered(identifier)
    assert len(receiver.taken) == 1
    assert_arrived(receiver.taken[0].data, PLAIN)
    if phase not in ("CONNECT", "EHLO"):  # those may be answered by another connection at once
        deferred = relay.log.all("deferred", msg=identifier)
        assert len(deferred) == 1 and deferred[0]["rcpt"] == "1", deferred
    assert not relay.log.all("bounced")


@pytest.mark.parametrize("phase", ["MAIL", "RCPT", "DATA", "DOT"])
def test_a_refusal_comes_back_as_a_report(world, phase):
    receiver = world.receiver({phase: "550 5.7.1 We do not want this"})
    relay, sink = reports_to(world, receiver)
    identifier = relay.send(relay.login, SENDER, RECIPIENT, PLAIN)
    event = relay.log.wait("bounced", msg=identifier, timeout=30 * PATIENCE)
    assert event["code"] == "550" and event["enhanced"] == "5.7.1"
    relay.log.wait("delivered", to=SENDER, timeout=30 * PATIENCE)
    report = sink.messages()[0]
    assert report.sender == "" and report.recipients == [SENDER]
    message = parse(report.data)
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    assert "mailer-daemon@relay.example" in message["From"].lower()
    status = next(p for p in message.walk()
                  if p.get_content_type() == "message/delivery-status").as_string()
    for wanted in ("Reporting-MTA: dns; relay.example", f"Final-Recipient: rfc822; {RECIPIENT}",
                   "Action: failed", "Status: 5.7.1", "We do not want this"):
        assert wanted.lower() in status.lower(), status
    assert b"fixed@shop.example" in report.data  # the original's Message-ID
    wait_for(lambda: not relay.queue(), "the queue is empty")


def test_mixed_recipient_replies(world):
    def by_name(_, argument):
        return {"bad": "550 5.1.1 Unknown", "slow": "450 4.2.1 Later"}.get(
            argument[argument.index("<") + 1:argument.index("@")])
    receiver = world.receiver({"RCPT": by_name})
    relay, sink = reports_to(world, receiver)
    identifier = relay.send(relay.login, SENDER,
                            ["good@dest.example", "bad@dest.example", "slow@dest.example"], PLAIN)
    relay.log.wait("delivered", msg=identifier, to="good@dest.example", timeout=30 * PATIENCE)
    relay.log.wait("bounced", msg=identifier, to="bad@dest.example", timeout=30 * PATIENCE)
    relay.log.wait("deferred", msg=identifier, to="slow@dest.example", timeout=30 * PATIENCE)
    receiver.behaviour.clear()
    relay.log.wait("delivered", msg=identifier, to="slow@dest.example", timeout=30 * PATIENCE)
    assert [t.recipients for t in receiver.taken] == [["good@dest.example"], ["slow@dest.example"]]
    relay.log.wait("delivered", to=SENDER, timeout=30 * PATIENCE)
    assert b"bad@dest.example" in sink.messages()[0].data


def test_what_never_works_expires_with_a_report(world):
    receiver = world.receiver({"RCPT": "450 4.2.1 Never"})
    relay, sink = reports_to(world, receiver, 'delivery { retry = { "1s" }  expire = "3s" }\n')
    identifier = relay.send(relay.login, SENDER, RECIPIENT, PLAIN)
    relay.log.wait("expired", msg=identifier, timeout=60 * PATIENCE)
    assert relay.log.all("deferred", msg=identifier)
    relay.log.wait("delivered", to=SENDER, timeout=30 * PATIENCE)
    assert b"4.2.1" in sink.messages()[0].data and b"Action: failed" in sink.messages()[0].data


def test_a_null_sender_gets_no_report(world):
    receiver = world.receiver({"RCPT": "550 5.1.1 Unknown"})
    relay, sink = reports_to(world, receiver)
    identifier = relay.send(relay.login, "", RECIPIENT, PLAIN)
    relay.log.wait("bounced", msg=identifier, timeout=30 * PATIENCE)
    wait_for(lambda: not relay.queue(), "the queue is empty")
    assert not sink.messages()


def test_dsn_parameters_are_honoured(world):
    """RFC 3461: NOTIFY, RET, ENVID and ORCPT, towards a next hop that knows no DSN."""
    extensions = [w for w in Receiver.EXTENSIONS if w != "DSN"]
    receiver = world.receiver(
        {"RCPT": lambda _, a: "550 5.1.1 Unknown" if "bad" in a else None}, extensions=extensions)
    relay, sink = reports_to(world, receiver)
    with relay.client(relay.login) as client:
        client.mail(SENDER, ["RET=HDRS", "ENVID=order+2B42"])
        client.rcpt("never@dest.example", ["NOTIFY=NEVER"])
        client.rcpt("bad.never@dest.example", ["NOTIFY=NEVER"])
        client.rcpt("bad@dest.example", ["NOTIFY=FAILURE", "ORCPT=rfc822;old@dest.example"])
        client.rcpt("good@dest.example", ["NOTIFY=SUCCESS"])
        client.data(PLAIN)
    relay.log.wait("bounced", count=2, timeout=30 * PATIENCE)
    relay.log.wait("delivered", count=2, timeout=30 * PATIENCE)
    wait_for(lambda: not relay.queue(), "the queue is empty")
    # One report for one group, or one each when the verdicts fell into two.
    text = b"".join(m.data for m in sink.messages()).replace(b"; ", b";").lower()
    assert b"original-recipient:rfc822;old@dest.example" in text.replace(b": ", b":")
    assert b"original-envelope-id: order+42" in text
    assert b"action: failed" in text and b"action: relayed" in text
    assert b"bad@dest.example" in text and b"good@dest.example" in text
    assert b"never@dest.example" not in text and b"trailing blanks" not in text
    assert [line for t in receiver.taken for line in t.rcpt_lines if "NOTIFY" in line] == []


def test_dsn_parameters_are_passed_on(world):
    receiver = world.receiver()
    relay, sink = reports_to(world, receiver)
    with relay.client(relay.login) as client:
        client.mail(SENDER, ["RET=FULL", "ENVID=abc"])
        client.rcpt(RECIPIENT, ["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;old@dest.example"])
        client.data(PLAIN)
    relay.log.wait("delivered", timeout=30 * PATIENCE)
    taken = receiver.taken[0]
    assert "RET=FULL" in taken.sender_line and "ENVID=abc" in taken.sender_line
    assert "NOTIFY=SUCCESS,FAILURE" in taken.rcpt_lines[0]
    assert "ORCPT=rfc822;old@dest.example" in taken.rcpt_lines[0]
    assert not sink.messages()


def test_broken_starttls_falls_back_once_and_is_remembered(world):
    receiver = world.receiver({"STARTTLS": lambda s, _: "220 2.0.0 Go ahead\nnot a handshake"})
    relay = start(world, receiver)
    receiver.tls = object()  # offered, but there is nothing behind it

    def lie(session, _):
        session.say("220 2.0.0 Go ahead")
        session.say(b"\x16\x03\x01 this is no TLS")
        return DROP
    receiver.behaviour["STARTTLS"] = lie
    for i in range(3):  # one by one: two connections at once would both have to learn it
        relay.wait_delivered(relay.send(relay.login, SENDER, RECIPIENT, text(f"s{i}")))
    assert len(relay.log.all("tls_fallback")) == 1
    assert len(receiver.taken) == 3


def test_verified_tls_never_falls_back(world):
    receiver = world.receiver(tls=True)  # its authority is not the system's
    relay = world.appliance(f'{QUICK}route "*" {{ via = "{receiver.address}"  tls = "verify" }}\n')
    relay.login = relay.add_user(SENDER)
    identifier = relay.send(relay.login, SENDER, RECIPIENT, PLAIN)
    relay.log.wait("deferred", count=2, msg=identifier, timeout=30 * PATIENCE)
    assert not receiver.offered


def test_a_smart_host_gets_our_login(world):
    receiver = world.receiver(tls=True, extensions=Receiver.EXTENSIONS + ("AUTH PLAIN LOGIN",))
    relay = world.appliance(f'{QUICK}route "*" {{ via = "{receiver.address}"  user = "us"  '
                            'password = "s3cret" }\n')
    relay.login = relay.add_user(SENDER)
    relay.wait_delivered(relay.send(relay.login, SENDER, RECIPIENT, PLAIN))
    import base64
    token = base64.b64encode(b"\0us\0s3cret").decode()
    assert receiver.logins and receiver.logins[0].endswith(token)
    assert "s3cret" not in relay.cli("config", "show")


def test_replies_of_odd_shape(world):
    receiver = world.receiver({
        "CONNECT": b"220-hello\r\n220-\r\n220 x\r\n", "MAIL": b"250\r\n", "RCPT": b"250 \r\n",
        "DATA": b"354\r\n", "DOT": b"250-2.0.0 a\r\n250 " + b"x" * 3000 + b"\r\n"})
    relay = start(world, receiver)
    relay.wait_delivered(relay.send(relay.login, SENDER, RECIPIENT, PLAIN))
    assert len(receiver.taken) == 1


def test_an_endless_reply_is_bounded(world):
    receiver = world.receiver({"EHLO": once(b"250-" + b"x" * 200000)})
    relay = start(world, receiver)
    relay.wait_delivered(relay.send(relay.login, SENDER, RECIPIENT, PLAIN))


def test_no_8bitmime_gets_seven_bits(world):
    receiver = world.receiver(extensions=["PIPELINING", "ENHANCEDSTATUSCODES"])
    relay = start(world, receiver)
    relay.wait_delivered(relay.send(relay.login, SENDER, RECIPIENT, EIGHT_BIT))
    data = receiver.taken[0].data
    assert data.isascii()
    sent, got = parse(EIGHT_BIT), parse(data)
    assert got.get_content().replace("\r\n", "\n") == sent.get_content().replace("\r\n", "\n")
    assert got["Subject"] == sent["Subject"]


def test_utf8_addresses_need_smtputf8(world):
    receiver = world.receiver(extensions=["PIPELINING", "8BITMIME"])
    relay, _ = reports_to(world, receiver)
    with relay.client(relay.login) as client:
        client.mail(SENDER, ["SMTPUTF8", "BODY=8BITMIME"])
        client.command_encoding = "utf-8"
        client.rcpt("grüße@dest.example", [])
        client.data(PLAIN)
    event = relay.log.wait("bounced", timeout=30 * PATIENCE)
    assert event["enhanced"] == "5.6.7"
    assert not receiver.taken


def test_no_pipelining_where_none_is_offered(world):
    waiting = []

    def check(session, _):
        session.socket.setblocking(False)
        try:
            waiting.append(session.socket.recv(1000))
        except BlockingIOError:
            pass
        finally:
            session.socket.settimeout(60)
    receiver = world.receiver({"MAIL": check, "RCPT": check, "DATA": check},
                              extensions=["8BITMIME"])
    relay = start(world, receiver)
    relay.wait_delivered(relay.send(relay.login, SENDER, [RECIPIENT, "b@dest.example"], PLAIN), 2)
    assert not waiting


def test_suspended_destinations_wait(world):
    receiver = world.receiver()
    relay = start(world, receiver)
    relay.cli("destination", "suspend", "dest.example", "--reason", "they asked")
    identifier = relay.send(relay.login, SENDER, RECIPIENT, PLAIN)
    other = relay.send(relay.login, SENDER, "ann@else.example", text())
    relay.wait_delivered(other)
    assert "they asked" in relay.cli("queue", "why", identifier)
    assert "they asked" in relay.cli("queue", "why", "dest.example")
    assert any("dest.example" in str(row) for row in relay.json("destination", "list"))
    relay.cli("destination", "resume", "dest.example")
    relay.wait_delivered(identifier)
