"""Sentences of the RFCs that no other test holds; conformance/requirements.txt names them."""
import email.utils
import re

import pytest

from appliance import PATIENCE, queue_id, submit, wait_for
from hostile import LISTENERS, RECIPIENT, SENDER, bdat, begin_data, plain, start_target
from messages import PLAIN, assert_arrived
from receivers import Receiver
from wire import Wire, plain_token

pytestmark = pytest.mark.sanitized
SMALL = b"From: news@shop.example\r\n\r\nx\r\n"


@pytest.fixture(scope="module")
def relay(module_world):
    return start_target(module_world)


def send(relay, message, recipient=RECIPIENT):
    """By DATA; returns what the sink stored."""
    mark = relay.log.mark()
    with plain(relay) as one:
        begin_data(one, recipient=recipient)
        one.raw(message + b".\r\n")
        identifier = queue_id(one.reply()[4:])
    relay.log.wait("delivered", after=mark, msg=identifier, timeout=30 * PATIENCE)
    return relay.sink.messages()[-1]


# ---- commands

def test_case_of_words_does_not_matter(relay):
    with Wire(relay, name="plain", tls=False, login=False) as one:
        assert one.say("eHlO client.example").startswith("250-")
        assert one.say("aUTh pLAiN " + plain_token(*relay.login)).startswith("235")
        for line in (f"mAIl FrOM:<{SENDER}> sIZe=100 BoDy=8bitMIME rET=hdrs", "rCpt tO:<a@Dest.Example> nOTIFY=nEVER",
                     "rSeT", "nOoP", "vRFY x", "hELp"):
            assert one.say(line)[0] == "2", line
        one.raw(f"mail from:<{SENDER}>\r\nrcpt to:<a@dest.example>\r\nbDaT 0 lAsT\r\nqUiT\r\n".encode())
        assert [a[0] for a in one.replies(2)] == ["2", "2"]


def test_case_of_local_parts_is_kept(relay):
    stored = send(relay, SMALL, recipient="JoHn.O'Neil+News@dest.example")
    assert stored.recipients == ["JoHn.O'Neil+News@dest.example"]


@pytest.mark.parametrize("name", ["no-such-host.invalid", "[192.0.2.99]", "localhost", "-", "x" * 255,
                                  "[IPv6:2001:db8::1]", "under_score", "192.0.2.1"])
def test_a_name_in_ehlo_is_no_ground_to_refuse(relay, name):
    with Wire(relay, name="plain", tls=False, login=False) as one:
        assert one.say(f"EHLO {name}").startswith("250-")
        assert one.say("AUTH PLAIN " + plain_token(*relay.login)).startswith("235")
        assert bdat(one, SMALL).startswith("250 2.0.0")


COMMANDS = [
    "NOOP", "RSET", "VRFY a@b.example", "VRFY", "HELP", "EXPN x", "ETRN x", "FOO", "", "MAIL", "MAIL FROM:<x",
    "RCPT TO:<a@b.example>", "DATA", "BDAT 0", "BDAT 0 LAST", "STARTTLS", "AUTH", "AUTH X", "AUTH PLAIN !",
    "EHLO", "MAIL FROM:<a@other.example>", f"MAIL FROM:<{SENDER}> SIZE=99999999999", "RCPT TO:<>",
    f"MAIL FROM:<{SENDER}> FOO=1", f"MAIL FROM:<{SENDER}>", f"MAIL FROM:<{SENDER}>", "RCPT TO:<a>",
    f"RCPT TO:<{RECIPIENT}>", "DATA x", "RSET x", "AUTH PLAIN AGEAYg==", "QUIT x", "NOOP \x01", "QUIT"]


@pytest.mark.parametrize("is_known", [True, False])
def test_replies_carry_enhanced_codes(relay, is_known):
    """RFC 2034 3: all but the greeting and EHLO's and HELO's; class and first digit agree."""
    codes = set()
    for command in COMMANDS:
        one = plain(relay) if is_known else Wire(relay, name="plain", tls=False, login=False)
        with one:
            if not is_known:
                assert one.say("EHLO x").startswith("250")
            reply = one.say(command)
            codes.add(reply[:3])
            for line in reply.splitlines():
                found = re.match(r"([245])\d\d[ -]([245])\.\d{1,3}\.\d{1,3} \S", line)
                assert found and found[1] == found[2], (command, reply)
    assert len(codes) >= 8, codes


# ---- text

def test_trace_is_put_on_top_and_the_rest_is_kept(relay):
    given = (b"Received: from a.example by b.example; Sun, 22 Nov 2026 17:25:03 +0100\r\n"
             b"Received: (odd one)\r\n\tfolded\r\nReturn-Path: <kept@shop.example>\r\n" + PLAIN)
    data = send(relay, re.sub(rb"(?m)^\.", b"..", given)).data
    given = given.replace(b"Return-Path: <kept@shop.example>\r\n", b"")  # the last hop's to add
    top, _, _ = data.partition(b"Received: from a.example")
    assert top.startswith(b"Received: ") and b" by relay.example " in top and b" id " in top
    date = email.utils.parsedate_to_datetime(top.decode().rpartition(";")[2].strip())
    assert date.tzinfo is not None
    assert top.lower().count(b"return-path") == 0
    assert_arrived(data, given)


def test_trace_notes_tls(world):
    sink = world.sink()
    relay = world.relay_to(sink, listeners=LISTENERS)
    relay.login = relay.add_user(SENDER)
    with Wire(relay, name="submissions") as one:
        assert bdat(one, SMALL).startswith("250")
    with Wire(relay, name="plain", tls=False) as one:
        assert bdat(one, SMALL).startswith("250")
    relay.log.wait("delivered", count=2, timeout=30 * PATIENCE)
    kinds = sorted(re.search(rb"with (\w+)", m.data)[1] for m in sink.messages())
    assert kinds == [b"ESMTPA", b"ESMTPSA"]  # RFC 3848


def test_every_octet_passes(relay):
    """But NUL and bare CR and LF: RFC 5321 4.5.2 with 8BITMIME."""
    octets = bytes(c for c in range(1, 256) if c not in b"\r\n")
    body = b"".join(octets[i:] + octets[:i] + b"\r\n" for i in range(0, 253, 11))
    message = PLAIN + re.sub(rb"(?m)^\.", b"..", body)
    with plain(relay) as one:
        mark = relay.log.mark()
        one.raw(f"MAIL FROM:<{SENDER}> BODY=8BITMIME\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n".encode())
        one.replies(3)
        one.raw(re.sub(rb"(?m)^\.", b"..", PLAIN) + message[len(PLAIN):] + b".\r\n")
        assert one.reply().startswith("250")
    relay.log.wait("delivered", after=mark, timeout=30 * PATIENCE)
    assert_arrived(relay.sink.messages()[-1].data, PLAIN + body)


def test_a_hundred_received_fields_are_no_loop(relay):
    trace = b"Received: by x.example; Sun, 22 Nov 2026 17:25:03 +0100\r\n"
    with plain(relay) as one:
        assert bdat(one, trace * 100 + SMALL).startswith("250")
        assert bdat(one, trace * 101 + SMALL).startswith("554 5.4.6")


# ---- the client

def test_a_client_says_goodbye(world):
    receiver = world.receiver()
    relay = world.relay_to(receiver, 'delivery { connection_messages = 1 }\n')
    login = relay.add_user(SENDER)
    relay.wait_delivered(relay.send(login, SENDER, RECIPIENT, PLAIN))
    wait_for(lambda: receiver.sessions[0].commands[-1:] == ["QUIT"], "QUIT")


def test_too_many_recipients_are_sent_again(world):
    """RFC 5321 4.5.3.1.10: 452 for the fourth is no failure of the message."""
    def at_most_three(session, _):
        return "452 4.5.3 Too many recipients" if len(session.transaction.recipients) >= 3 else None
    receiver = world.receiver({"RCPT": at_most_three})
    relay = world.relay_to(receiver, 'delivery { retry = { "1s" } }\n')
    login = relay.add_user(SENDER)
    wanted = [f"r{i}@dest.example" for i in range(8)]
    relay.wait_delivered(relay.send(login, SENDER, wanted, PLAIN), count=8)
    assert sorted(a for t in receiver.taken for a in t.recipients) == wanted


@pytest.mark.parametrize("name,value,most", [("RCPTMAX", 2, lambda r: max(len(t.recipients) for t in r.taken)),
                                             ("MAILMAX", 2, lambda r: max(
                                                 sum(c.startswith("MAIL") for c in s.commands)
                                                 for s in r.sessions))])
def test_a_peers_limits_are_kept(world, name, value, most):
    """RFC 9422 4."""
    receiver = world.receiver(extensions=Receiver.EXTENSIONS + (f"LIMITS {name}={value}",))
    relay = world.relay_to(receiver)
    login = relay.add_user(SENDER)
    n = 6
    with relay.client(login) as client:
        for _ in range(n if name == "MAILMAX" else 1):
            submit(client, SENDER, [f"r{i}@dest.example" for i in range(n)], PLAIN)
    relay.log.wait("delivered", count=n * (n if name == "MAILMAX" else 1), timeout=60 * PATIENCE)
    assert most(receiver) <= value


def test_the_address_of_a_domain_with_mx_is_not_used(world):
    sink = world.sink(listen="127.0.0.77:0")
    dns = world.name_server({"example": "both MX 10 gone.both\nboth A 127.0.0.77\n"})
    relay = world.appliance(
        f'{dns.settings()}delivery {{ port = {sink.port}  allow_mx = {{ "127.0.0.0/8" }} }}\n')
    login = relay.add_user(SENDER)
    identifier = relay.send(login, SENDER, "ann@both.example", PLAIN)

    def is_decided(events):
        return any(e.name in ("bounced", "deferred") and e.get("msg") == identifier for e in events)
    relay.log.wait_until(is_decided, timeout=60 * PATIENCE)
    assert not sink.messages()


# ---- how long

def test_the_defaults_of_waiting(world):
    """RFC 5321 4.5.3.2.7, 4.5.4.1; what an operator sets is the operator's word."""
    shown = world.relay_to(world.sink()).cli("config", "show")

    def value(name):
        return re.search(rf"\b{name} *= *(.*)", shown)[1]
    assert "5m" in value("idle") and "5m" in value("data_idle")
    assert "5d" in value("expire")
    steps = re.findall(r"\d+[mh]", value("retry"))
    assert {"30m", "1h"} & set(steps[:4]) and steps[-1] in ("2h", "4h"), steps
