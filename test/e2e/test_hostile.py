"""Attacks on submission that want mail to leave: open relays by every spelling, forged From fields,
smuggling, text injected in front of TLS.  See also test_hostile_sessions.py, test_hostile_traces.py."""
import email
import email.policy
import email.utils
import itertools
import random
import re

import pytest

from appliance import PATIENCE
from hostile import LISTENERS, RECIPIENT, SENDER, bdat, begin_data, plain, start_target
from messages import text
from wire import Wire

pytestmark = pytest.mark.sanitized


@pytest.fixture(scope="module")
def relay(module_world):
    return start_target(module_world)


# ---- nobody relays

SPELLINGS = [
    b"<a%other.example@relay.example>", b"<a%other.example@[127.0.0.1]>", b"<a%other.example>",
    b"<@relay.example:a@other.example>", b"<@relay.example,@x.example:a@other.example>",
    b'<"a@other.example"@relay.example>', b'<"a@other.example">', b"<a@other.example@relay.example>",
    b"<a@relay.example@other.example>", b"<other.example!a@relay.example>", b"<other.example!a>",
    b"<relay.example!other.example!a>", b"<a@[127.0.0.1]>", b"<a@[IPv6:::1]>", b"<a@127.0.0.1>",
    b"<a@[IPv6:::ffff:127.0.0.1]>", b"<a@[other.example]>", b"<a@other.example.>",
    b"<a@other.example.relay.example>", b"<a@relay.example.>", b"<a@relay.example>", b"<postmaster>",
    b"<a@other.example\0@relay.example>", b"<a@relay.example\0>", b"<\0a@other.example>",
    b"<a@localhost>", b"<a>", b"a@other.example", b"<<a@other.example>>", b"< a@other.example >",
    b"<a@other.example>,<b@other.example>", b"<a@other.example> <b@other.example>",
    b"<a@ other.example>", b"<a@other .example>", b"<\"\"@other.example>", b"<a\"b\"@other.example>",
    b"<a@other.example\r>", b"<a\\@other.example@relay.example>", b"<a(c)@other.example>",
    "<a@оther.example>".encode(), "<a＠other.example>".encode(), "<a@other．example>".encode(),
    "<a@other。example>".encode(), "<a@relay.example＠other.example>".encode(), b"<a@\xff.example>",
    b"<a@xn--.example>", b"<a@-other.example>", b"<a@other..example>", b"<.a@other.example>",
    b"<a:b@other.example>", b"<a;b@other.example>", b"<a,b@other.example>", b"<a|b@other.example>",
    b"<|/bin/sh@other.example>", b"<>", b"", b"<", b">", b"<@>", b"<a@>", b"<@other.example>"]


@pytest.mark.parametrize("listener", ["submission", "old"])
def test_no_spelling_relays_for_nobody(relay, listener):
    mark = relay.log.mark()
    for spelling in SPELLINGS:
        for sender in (b"<>", spelling, b"<a@relay.example>"):
            with Wire(relay, name=listener, tls=False, login=False) as one:
                one.raw(b"EHLO x\r\nMAIL FROM:" + sender + b"\r\nRCPT TO:" + spelling +
                        b"\r\nDATA\r\n")
                answers = one.replies(4)
                assert [a[0] for a in answers[1:]] == ["5", "5", "5"], (spelling, sender, answers)
    assert not relay.log.all("queued", after=mark)


def test_a_listener_for_bounces_relays_nothing(relay):
    mark = relay.log.mark()
    for spelling in SPELLINGS + [b"<postmaster@relay.example>", b"<news@shop.example>"]:
        with Wire(relay, name="bounces", tls=False, login=False) as one:
            one.raw(b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:" + spelling + b"\r\nDATA\r\n")
            answers = one.replies(4)
            assert [a[0] for a in answers[2:]] == ["5", "5"], (spelling, answers)
    with Wire(relay, name="bounces", tls=True, login=False) as one:
        assert "AUTH" not in one.say("EHLO x")
        assert one.say("AUTH PLAIN AGEAYg==").startswith("502")
    assert not relay.log.all("queued", after=mark)


NOT_OURS = [
    b"<a@other.example>", b"<news@shop.example@other.example>", b"<news%shop.example@other.example>",
    b'<"news@shop.example"@other.example>', b"<@shop.example:a@other.example>", b"<shop.example!a>",
    b"<a@shop.example.>", b"<a@shop.example.other.example>", b"<a@sub.shop.example>",
    b"<a@shopxexample>", b"<a@shop.example\0>", b"<a@shop.example\0.other.example>",
    "<a@shоp.example>".encode(), "<a@shop。example>".encode(), "<a＠shop.example>".encode(),
    b"<a@[127.0.0.1]>", b"<a@xn--shp-7cd.example>", b"<a@other.example\t@shop.example>",
    b"<a@other.example>@shop.example>", b"<a@other.example> AUTH=<a@shop.example> X=<a@shop.example>",
    b"<a@shop.exampl>", b"<a@hop.example>", b"<a@example>", b"<shop.example>", b"<a@@shop.example>"]


def test_a_user_of_one_domain_sends_as_no_other(relay):
    for spelling in NOT_OURS:
        with plain(relay) as one:
            parameters = b" SMTPUTF8" if max(spelling) > 127 else b""
            assert one.say(b"MAIL FROM:" + spelling + parameters)[0] == "5", spelling
            assert one.say(f"RCPT TO:<{RECIPIENT}>").startswith("503"), spelling


def test_recipients_leave_as_they_came(relay):
    """No percent, bang or quoted part is ever read as a route: the last @ outside quotes decides."""
    given = ["a%b.example@dest.example", "x!y@dest.example", '"a@b"@dest.example',
             '"a>b"@dest.example', '"a b"@dest.example', r'"a\"b"@dest.example', "a+b=c@dest.example",
             "'; rm -rf $(x) `y`@dest.example".replace(" ", "").replace("(", "").replace(
                 ")", "").replace(";", ""), "%s%n@dest.example", "l" * 64 + "@dest.example"]
    mark = relay.log.mark()
    with plain(relay) as one:
        one.say(f"MAIL FROM:<{SENDER}>")
        for address in given:
            assert one.say(f"RCPT TO:<{address}>").startswith("250"), address
        assert one.say("RCPT TO:<@b.example:a@dest.example>")[0] == "5"
        assert one.say("DATA").startswith("354")
        one.raw(text("odd recipients").replace("\n", "\r\n").encode() + b"\r\n.\r\n")
        assert one.reply().startswith("250 2.0.0 Ok: queued as ")
    relay.log.wait("delivered", count=len(given), after=mark, timeout=30 * PATIENCE)
    assert relay.sink.messages()[-1].recipients == given


@pytest.mark.parametrize("network,spares", [
    ("::ffff:127.0.0.1/128", {"::1"}), ("127.0.0.0/8", {"::1"}), ("::1/128", {"127.0.0.1"})])
def test_a_network_is_compared_as_numbers(world, network, spares):
    relay = world.relay_to(world.sink(), listeners=LISTENERS)
    relay.add_user(SENDER, "--network", network)
    for index, host in enumerate(("127.0.0.1", "::1")):
        with Wire(relay, tls=False, login=False, index=index) as one:
            one.say("EHLO x")
            expected = "530" if host in spares else "250"
            assert one.say(f"MAIL FROM:<{SENDER}>").startswith(expected), (network, host)


@pytest.mark.parametrize("word", ["127.0.0.1/33", "127.0.0.1/-1", "0127.0.0.1/8", "127.1/8", "::1%lo",
                                  "127.0.0.1/8x", "", "::/129", "127.0.0.1/0x8", "1.2.3.4.5/8",
                                  "0.0.0.0/0", "::/0", "::ffff:0:0/96"])
def test_odd_networks_are_refused(relay, word):
    assert relay.command("network", "add", word, "--user", SENDER).returncode != 0
    assert relay.json("network", "list") == []


def test_proxies_and_forwarders_are_not_believed(relay):
    for line in (b"PROXY TCP4 10.0.0.1 127.0.0.1 1 25", b"XCLIENT ADDR=10.0.0.1",
                 b"XFORWARD ADDR=10.0.0.1", b"\r\n\r\n\0\r\nQUIT\n!\x11\0\x0c"):
        with Wire(relay, tls=False, login=False) as one:
            one.raw(line + b"\r\nEHLO x\r\nMAIL FROM:<>\r\n")
            first = one.reply()
            assert first[0] in "45", (line, first)


# ---- From

FORGED = [
    "From: ceo@bank.example", "From: ceo@bank.example, news@shop.example",
    "From: news@shop.example, ceo@bank.example", "From: news@shop.example,\r\n ceo@bank.example",
    "From: News <news@shop.example>, <ceo@bank.example>", "From: <news@shop.example> <ceo@bank.example>",
    "From: ceo@bank.example <news@shop.example>", "From: ceo@bank.example x <news@shop.example>",
    "From: Group: news@shop.example, ceo@bank.example;", "From: Group: ceo@bank.example;",
    "From: ceo@bank.example: news@shop.example;", "From: a:;, ceo@bank.example",
    "From: news(c)@(d)bank.example", "From: ceo@bank.example (news@shop.example)",
    "From: (news@shop.example) ceo@bank.example", 'From: "news@shop.example" <ceo@bank.example>',
    'From: "a" <news@shop.example>, "b" <ceo@bank.example>', "From: news@shop.example ceo@bank.example",
    "From: news@shop.example\r\nFrom: ceo@bank.example", "From: ceo@bank.example\r\nFrom: news@shop.example",
    "From: news@shop.example\r\nfrom : ceo@bank.example", "FROM\t: ceo@bank.example",
    "From: news@shop.example\r\nX: y\r\nFROM:\r\n ceo@bank.example", "From:", "From: <>",
    "From: news@shop.example@bank.example", "From: <news@shop.example@bank.example>",
    "From: <@shop.example:ceo@bank.example>", "From: news@bank.example.shop.example",
    "From: =?utf-8?q?ceo=40bank.example?=", "From: =?utf-8?q?a?= <ceo@bank.example>",
    # read as RFC 5322 says, structure before words, these hold ceo
    "From: =?a?q?,ceo@bank.example,?= <news@shop.example>",
    "From: =?a?q?<ceo@bank.example>?= <news@shop.example>",
    'From: =?a?q?"?= <news@shop.example>, " <ceo@bank.example>, "',
    "From: =?a?q?(?= <news@shop.example>, ) <ceo@bank.example>, (x)",
    "From: news@shop.example (=?a?q?)?=) , ceo@bank.example",
    'From: "news" <news@shop.example', 'From: "news <ceo@bank.example>, x" news@shop.example, "',
    "From: news@shop.example (\\) , ceo@bank.example (x)", "From: news@[127.0.0.1]",
    "From: ceo@bank.example;news@shop.example", "From: news@shop.example;ceo@bank.example",
    "From: news@shоp.example", "From: news＠shop.example", "From: news@shop。example.bank.example",
    "Sender: news@shop.example", "Resent-From: news@shop.example", "X-From: news@shop.example",
    " From: news@shop.example", "From news@shop.example", "Fr om: news@shop.example"]


@pytest.mark.parametrize("header", FORGED)
def test_a_forged_from_is_refused(relay, header):
    mark = relay.log.mark()
    with plain(relay) as one:
        reply = bdat(one, ("Subject: x\r\n" + header + "\r\n\r\nx\r\n").encode())
        assert reply[:5] in ("550 5",), reply
        assert one.say("NOOP").startswith("250")
    assert not relay.log.all("queued", after=mark)


@pytest.mark.parametrize("extra", ["Sender: root@web1.internal", "Sender: ceo@bank.example",
                                   "Resent-From: ceo@bank.example"])
def test_sender_is_neither_held_against_the_rules_nor_a_way_round_them(relay, extra):
    """policy/README.md says why: mail servers behind us write a local login there."""
    with plain(relay) as one:
        mine = bdat(one, f"{extra}\r\nFrom: {SENDER}\r\nSubject: x\r\n\r\nx\r\n".encode())
        assert mine.startswith("250 2.0.0"), mine
        theirs = (f"From: ceo@bank.example\r\n{extra.split(':')[0]}: {SENDER}\r\n"
                  "Subject: x\r\n\r\nx\r\n")
        assert bdat(one, theirs.encode()).startswith("550 5.7.1")
    identifier = mine.split()[-1]
    relay.wait_delivered(identifier)


def addresses_by_python(value):
    """What three readers of Python see in a From field; they disagree where it is odd."""
    found = {address for _, address in email.utils.getaddresses([value]) if "@" in address}
    found.add(email.utils.parseaddr(value)[1])
    try:
        message = email.message_from_string(f"From: {value}\n\n", policy=email.policy.default)
        found |= {a.addr_spec for a in message["from"].addresses}
    except (ValueError, IndexError, AttributeError, TypeError):
        pass  # the reader gave up; what we accepted must satisfy the others
    return {address for address in found if "@" in address}


PIECES = ["news@shop.example", "ceo@bank.example", "<news@shop.example>", "<ceo@bank.example>", ",",
          ";", ":", "<", ">", '"', "(", ")", "\\", " ", "\r\n ", "=?utf-8?q?", "?=", "News", "@",
          "shop.example", "bank.example", '"ceo@bank.example"', "(ceo@bank.example)", "[", "]", ".",
          "=?a?q?x?=", "é"]


def test_what_other_readers_see_in_an_accepted_from_is_allowed(relay):
    """Random From fields: whatever is accepted must hold no address of bank.example for others."""
    chance = random.Random(20261122)
    values = ["".join(chance.choices(PIECES, k=chance.randint(1, 9))) for _ in range(1500)]
    suspects = [v for v in values if any(a.endswith("bank.example") for a in addresses_by_python(v))]
    accepted = []
    for start in range(0, len(suspects), 4):
        with plain(relay) as one:
            for value in suspects[start:start + 4]:
                reply = bdat(one, f"From: {value}\r\nSubject: x\r\n\r\nx\r\n".encode())
                if reply.startswith("250"):
                    accepted.append((value, addresses_by_python(value)))
    assert len(suspects) > 200 and not accepted, accepted


def test_nothing_of_the_client_joins_our_own_fields(relay):
    """A first line that begins with a blank would fold into the trace we put above it."""
    mark = relay.log.mark()
    with plain(relay) as one:
        reply = bdat(one, b" folded: ceo@bank.example\r\nFrom: news@shop.example\r\n\r\nx\r\n")
    if reply.startswith("250"):
        relay.log.wait("delivered", after=mark, timeout=30 * PATIENCE)
        data = relay.sink.messages()[-1].data
        fields = [f for f in re.split(rb"\r\n(?![ \t])", data.split(b"\r\n\r\n")[0])]
        ours = [f for f in fields if f.lower().startswith((b"received:", b"date:", b"message-id:"))]
        assert not any(b"folded" in f for f in ours), ours
    else:
        assert reply.startswith("550 5.6.0")


# ---- smuggling in

ENDS = [b"\r\n", b"\n", b"\r", b"\n\r", b"\r\r\n", b"\r\0\n", b"\0\r\n", b"\r\n\0"]
LOOK_ALIKES = [a + b"." + b for a, b in itertools.product(ENDS, ENDS) 
               if not (a + b".").endswith(b"\r\n.") or not b.startswith(b"\r\n")]
LOOK_ALIKES += [b"\r\n.\t\r\n", b"\r\n. \r\n", b"\r\n..\r\n"]
FORGERY = (b"MAIL FROM:<forged@shop.example>\r\nRCPT TO:<victim@dest.example>\r\nDATA\r\n"
           b"From: forged@shop.example\r\nSubject: smuggled\r\n\r\nsmuggled\r\n")


def is_clean(octets):
    stripped = octets.replace(b"\r\n", b"")
    return not any(c in stripped for c in b"\r\n\0")


def smuggle(one, look_alike, head, size=None, inner=FORGERY):
    """One message that holds the look-alike and commands behind it; size: octets a write."""
    begin_data(one)
    octets = head + look_alike + inner + b"\r\n.\r\n"
    for at in range(0, len(octets), size or len(octets)):
        one.raw(octets[at:at + (size or len(octets))])
    return one.reply()


def assert_not_smuggled(relay, mark, n_queued):
    if n_queued:
        relay.log.wait("queued", count=n_queued, after=mark, timeout=10 * PATIENCE)
    queued = relay.log.all("queued", after=mark)
    assert len(queued) == n_queued, queued
    assert not [e for e in queued if "forged" in e.get("from", "")]


HEAD = b"From: news@shop.example\r\nSubject: outer\r\n\r\nouter"


@pytest.mark.parametrize("place", ["body", "header", "first"])
def test_look_alikes_of_the_end_are_not_the_end(relay, place):
    heads = {"body": HEAD, "header": b"From: news@shop.example\r\nSubject: outer", "first": b""}
    for chunk in (LOOK_ALIKES[i:i + 3] for i in range(0, len(LOOK_ALIKES), 3)):
        with plain(relay) as one:
            for look_alike in chunk:
                mark = relay.log.mark()
                reply = smuggle(one, look_alike, heads[place])
                if is_clean(look_alike):
                    assert reply.startswith("250") or place != "body", (look_alike, reply)
                    n_queued = int(reply.startswith("250"))
                else:
                    assert reply.startswith("550 5.6.0"), (look_alike, reply)
                    n_queued = 0
                assert one.say("NOOP").startswith("250 2.0.0"), look_alike
                assert_not_smuggled(relay, mark, n_queued)


@pytest.mark.parametrize("listener,tls", [("plain", False), ("submissions", True)])
def test_look_alikes_across_the_edges_of_buffers(relay, listener, tls):
    for edge in (1024, 4096, 8192, 16384, 32768, 65536):
        with Wire(relay, name=listener, tls=tls) as one:
            for back, look_alike in ((1, b"\n.\r\n"), (2, b"\r\n.\r"), (3, b"\r.\r\n")):
                filling = b"x" * 70 + b"\r\n"
                head = (HEAD + b"\r\n" + filling * (edge // 72 + 1))[:edge - back].rstrip(b"\r\n")
                head += b"x" * (edge - back - len(head))
                mark = relay.log.mark()
                assert smuggle(one, look_alike, head).startswith("550 5.6.0"), (edge, back)
                assert one.say("NOOP").startswith("250 2.0.0")
                assert_not_smuggled(relay, mark, 0)


@pytest.mark.parametrize("listener,tls", [("plain", False), ("submissions", True)])
def test_look_alikes_octet_by_octet(relay, listener, tls):
    for look_alike in (b"\n.\n", b"\r\n.\n", b"\n.\r\n", b"\r.\r\n", b"\r\n.\r", b"\r\n.\0\r\n"):
        with Wire(relay, name=listener, tls=tls) as one:
            mark = relay.log.mark()
            inner = FORGERY.replace(b"\r\n", b"\n")
            assert smuggle(one, look_alike, HEAD, size=1, inner=inner).startswith("550 5.6.0")
            assert one.say("NOOP").startswith("250 2.0.0")
            assert_not_smuggled(relay, mark, 0)


def test_repaired_newlines_smuggle_nothing(relay):
    """Where CR and LF are repaired, look-alikes become lines of the message, stuffed on the way out."""
    mark = relay.log.mark()
    with Wire(relay, name="old", tls=False) as one:
        n = 0
        for look_alike in LOOK_ALIKES:
            if b"\0" in look_alike:
                continue
            assert smuggle(one, look_alike, HEAD).startswith("250"), look_alike
            n += 1
    relay.log.wait("delivered", count=n, after=mark, timeout=60 * PATIENCE)
    for stored in relay.sink.messages()[-n:]:
        assert is_clean(stored.data) and stored.recipients == [RECIPIENT]
        assert b"Subject: smuggled" in stored.data, stored.data
    assert not relay.log.all("delivered", after=mark, to="victim@dest.example")


def test_bdat_content_is_never_commands(relay):
    message = HEAD + b"\r\n.\r\n" + FORGERY + b".\r\nQUIT\r\n"
    mark = relay.log.mark()
    with plain(relay) as one:
        assert bdat(one, message).startswith("250 2.0.0 Ok: queued as ")
        assert one.say("NOOP").startswith("250")
    relay.log.wait("delivered", after=mark, timeout=30 * PATIENCE)
    assert relay.sink.messages()[-1].data.endswith(message)
    assert_not_smuggled(relay, mark, 1)


# ---- STARTTLS

@pytest.mark.parametrize("injected", [
    b"NOOP\r\n", b"EHLO evil\r\n", b"MAIL FROM:<a@shop.example>\r\n", b"AUTH PLAIN AGEAYg==\r\n",
    b"EHLO evil\r\nNOOP\r\nNOOP\r\n" * 50, b"\n", b"Q"])
def test_what_stands_behind_starttls_is_thrown_away(relay, injected):
    with Wire(relay, tls=False, login=False) as one:
        one.say("EHLO client.example")
        one.raw(b"STARTTLS\r\n" + injected)
        assert one.reply().startswith("220 2.0.0")
        one.secure(relay)
        one.raw(b"NOOP 1\r\nMAIL FROM:<a@shop.example>\r\nAUTH PLAIN AGEAYg==\r\nVRFY x\r\n")
        answers = one.replies(4)
        assert answers[0].startswith("250 2.0.0"), answers
        assert [a[:3] for a in answers[1:3]] == ["530", "503"] or \
            [a[:3] for a in answers[1:3]] == ["503", "503"], answers  # EHLO is obligatory again


def test_starttls_forgets_a_transaction(relay):
    with Wire(relay, name="plain", tls=False) as one:
        assert one.say(f"MAIL FROM:<{SENDER}>").startswith("250")
        assert one.say("STARTTLS")[:3] in ("220", "503")
