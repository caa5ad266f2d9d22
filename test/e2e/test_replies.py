"""The replies that the contract names, and what the session must not do."""
import base64
import socket
import ssl
import time

import pytest

from appliance import PATIENCE
from messages import PLAIN, stuffed, text
from wire import Wire

pytestmark = pytest.mark.sanitized
SENDER, RECIPIENT = "news@shop.example", "ann@dest.example"


@pytest.fixture(scope="module")
def relay(module_world):
    sink = module_world.sink()
    relay = module_world.relay_to(
        sink, 'limits { recipients = 100  message_size = "1MB" }',
        listeners='listen "submission" { address = { "127.0.0.1:0", "[::1]:0" } }\n'
                  'listen "submissions" { address = "127.0.0.1:0"  tls = "implicit" }\n'
                  'listen "old" { address = "127.0.0.1:0"  plain_auth = true '
                  'repair_newlines = true }\n')
    relay.sink = sink
    relay.login = relay.add_user(SENDER)
    return relay


@pytest.fixture
def wire(relay):
    opened = []

    def connect(**options):
        opened.append(Wire(relay, **options))
        return opened[-1]
    yield connect
    for one in opened:
        one.close()


def test_ehlo_offers_what_the_issue_names(relay, wire):
    before = wire(tls=False, login=False).say("EHLO client.example")
    assert before.splitlines()[0].startswith("250-relay.example")
    words = [line[4:] for line in before.splitlines()[1:]]
    assert "STARTTLS" in words and not any(w.startswith("AUTH") for w in words)
    after = [line[4:] for line in wire(login=False).say("EHLO client.example").splitlines()[1:]]
    assert "STARTTLS" not in after and "AUTH PLAIN LOGIN" in after
    for word in ("PIPELINING", "8BITMIME", "SMTPUTF8", "CHUNKING", "DSN", "ENHANCEDSTATUSCODES",
                 "SIZE 1000000"):
        assert word in after, after
    assert any(w.startswith("LIMITS ") and "RCPTMAX=100" in w for w in after), after


def test_nobody_relays_without_a_login(wire):
    assert wire(login=False).say(f"MAIL FROM:<{SENDER}>").startswith("530 5.7.0")
    plain = wire(tls=False, login=False)
    plain.say("EHLO client.example")
    assert plain.say(f"MAIL FROM:<{SENDER}>").startswith("530 5.7.0")


@pytest.mark.parametrize("spelling", [
    "<a%other.example@relay.example>", "<@relay.example:a@other.example>", '<"a@b"@other.example>',
    "<a!b@other.example>", "<a@[127.0.0.1]>", "<a@other.example.>", "<a@оther.example>"])
def test_no_spelling_relays_without_a_login(wire, spelling):
    one = wire(login=False)
    assert one.say("MAIL FROM:<x@y.example>").startswith("530 5.7.0")
    assert one.say(f"RCPT TO:{spelling}")[0] == "5"


def test_auth_before_tls_is_refused(wire):
    assert wire(tls=False, login=False).say("EHLO x").startswith("250")
    one = wire(tls=False, login=False)
    one.say("EHLO x")
    assert one.say("AUTH PLAIN AGEAYg==").startswith("538 5.7.11")


def test_plain_auth_is_a_listener_setting(relay, wire):
    assert "AUTH PLAIN LOGIN" in wire(name="old", tls=False, login=False).say("EHLO x")


def test_wrong_password(relay, wire):
    one = wire(login=False)
    mark = relay.log.mark()
    token = base64.b64encode(f"\0{SENDER}\0wrong".encode()).decode()
    assert one.say("AUTH PLAIN " + token).startswith("535 5.7.8")
    failed = relay.log.wait("login_failed", after=mark, user=SENDER, timeout=10 * PATIENCE)
    assert failed["ip"] == "127.0.0.1" and failed["reason"]
    assert "wrong" not in " ".join(f"{k}={v}" for k, v in failed.items() if k != "reason")


def test_login_in_every_form(relay, wire):
    user, password = (base64.b64encode(w.encode()).decode() for w in relay.login)
    plain = base64.b64encode("\0".join(("",) + relay.login).encode()).decode()
    one = wire(login=False)
    assert one.say("AUTH LOGIN").startswith("334 VXNlcm5hbWU6")
    assert one.say(user).startswith("334 UGFzc3dvcmQ6")
    assert one.say(password).startswith("235 2.7.0")
    one = wire(login=False)
    assert one.say("AUTH LOGIN " + user).startswith("334")
    assert one.say(password).startswith("235 2.7.0")
    one = wire(login=False)
    assert one.say("AUTH PLAIN").startswith("334")
    assert one.say(plain).startswith("235 2.7.0")
    assert one.say("AUTH PLAIN " + plain).startswith("503 5.5.1")
    one = wire(login=False)
    assert one.say("AUTH PLAIN").startswith("334")
    assert one.say("*").startswith("501 5.")


def test_mechanisms_and_base64(wire):
    one = wire(login=False)
    reply = one.say("AUTH CRAM-MD5")
    assert reply.startswith("504 5.5.4") and "PLAIN" in reply and "LOGIN" in reply
    assert one.say("AUTH PLAIN !!!").startswith("501 5.5.2")
    assert one.say("AUTH PLAIN AGEAYg=").startswith("501 5.5.2")


def test_sender_rules_name_the_address(wire):
    one = wire()
    reply = one.say("MAIL FROM:<ceo@bank.example>")
    assert reply.startswith("550 5.7.1") and "ceo@bank.example" in reply
    assert one.say(f"MAIL FROM:<{SENDER}>").startswith("250 2.1.0")
    assert one.say(f"RCPT TO:<{RECIPIENT}>").startswith("250 2.1.5")
    assert one.say("DATA").startswith("354")
    one.raw(b"From: ceo@bank.example\r\nSubject: x\r\n\r\nx\r\n.\r\n")
    reply = one.reply()
    assert reply.startswith("550 5.7.1") and "ceo@bank.example" in reply
    assert one.say("MAIL FROM:<>").startswith("2")  # a report of the user's own is fine


@pytest.mark.parametrize("octets", [b"a\nb\r\n", b"a\rb\r\n", b"a\0b\r\n", b"a\n.\nb\r\n",
                                    b"a\r\n.\nb\r\n", b"a\n.\r\nb\r\n", b"a\r.\rb\r\n"])
def test_bare_line_ends_are_refused_once(relay, wire, octets):
    """Smuggling: whatever follows the forged end is body, read to the true end, answered once."""
    one = wire()
    mark = relay.log.mark()
    one.raw(f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n".encode())
    assert [one.reply()[:3] for _ in range(3)] == ["250", "250", "354"]
    one.raw(b"Subject: x\r\n\r\n" + octets +
            b"MAIL FROM:<forged@shop.example>\r\nRCPT TO:<v@dest.example>\r\nDATA\r\nx\r\n.\r\n")
    assert one.reply().startswith("550 5.6.0")
    assert one.say("NOOP").startswith("250 2.0.0")
    assert not relay.log.all("queued", after=mark)


def test_repaired_newlines_where_the_listener_says_so(relay, wire):
    one = wire(name="old")
    mark = relay.log.mark()
    one.raw(f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n".encode())
    assert [one.reply()[:3] for _ in range(3)] == ["250", "250", "354"]
    one.raw(stuffed(PLAIN).replace(b"the end\r\n", b"one\ntwo\rthree\r\n") + b".\r\n")
    assert one.reply().startswith("250 2.0.0 Ok: queued as ")
    relay.log.wait("delivered", after=mark, timeout=30 * PATIENCE)
    assert relay.sink.messages()[-1].data.endswith(b"one\r\ntwo\r\nthree\r\n")


def test_size_is_refused_early(wire):
    assert wire().say(f"MAIL FROM:<{SENDER}> SIZE=1000001").startswith("552 5.3.4")


def test_size_is_refused_late(wire):
    one = wire()
    one.raw(f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n".encode())
    assert [one.reply()[:3] for _ in range(3)] == ["250", "250", "354"]
    one.raw(b"Subject: x\r\n\r\n" + (b"x" * 998 + b"\r\n") * 1100 + b".\r\n")
    assert one.reply().startswith("552 5.3.4")
    assert one.say("NOOP").startswith("250")


def test_a_long_message_refused_at_its_end_leaves_the_session_sound(relay, wire):
    """Its file is removed before the reply: what was judged is not judged again after that."""
    one = wire()
    for _ in range(3):
        one.raw(f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n".encode())
        assert [one.reply()[:3] for _ in range(3)] == ["250", "250", "354"]
        one.raw(b"From: <ceo@bank.example>\r\n\r\n" + (b"x" * 998 + b"\r\n") * 600 + b".\r\n")
        reply = one.reply()
        assert reply.startswith("550 5.7.1") and "ceo@bank.example" in reply
    assert not list((relay.folder / "spool/large").iterdir())
    one.raw(f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n".encode())
    assert [one.reply()[:3] for _ in range(3)] == ["250", "250", "354"]
    one.raw(stuffed(PLAIN) + b".\r\n")
    assert one.reply().startswith("250 2.0.0")


def test_too_many_recipients(wire):
    one = wire()
    one.say(f"MAIL FROM:<{SENDER}>")
    for i in range(100):
        assert one.say(f"RCPT TO:<r{i}@dest.example>").startswith("250 2.1.5")
    assert one.say("RCPT TO:<one.more@dest.example>").startswith("452 4.5.3")


def test_header_above_its_bound(wire):
    one = wire()
    one.raw(f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n".encode())
    assert [one.reply()[:3] for _ in range(3)] == ["250", "250", "354"]
    one.raw(b"X-Long: y\r\n" * 30000 + b"\r\nbody\r\n.\r\n")
    assert one.reply().startswith("552 5.3.4")


def test_mail_loop(wire):
    one = wire()
    one.raw(f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n".encode())
    assert [one.reply()[:3] for _ in range(3)] == ["250", "250", "354"]
    one.raw(b"Received: from a by b\r\n" * 101 + b"From: " + SENDER.encode() + b"\r\n\r\nx\r\n.\r\n")
    assert one.reply().startswith("554 5.4.6")


def test_bdat_is_octets(relay, wire):
    one = wire()
    mark = relay.log.mark()
    one.raw(f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{RECIPIENT}>\r\n".encode())
    assert [one.reply()[:3] for _ in range(2)] == ["250", "250"]
    half = len(PLAIN) // 2
    one.raw(f"BDAT {half}\r\n".encode() + PLAIN[:half])
    assert one.reply().startswith("250 2.0.0")
    one.raw(f"BDAT {len(PLAIN) - half} LAST\r\n".encode() + PLAIN[half:])
    assert one.reply().startswith("250 2.0.0 Ok: queued as ")
    relay.log.wait("delivered", after=mark, timeout=30 * PATIENCE)
    assert relay.sink.messages()[-1].data.endswith(PLAIN)


def test_starttls_throws_away_what_was_read_before(relay, wire):
    one = wire(tls=False, login=False)
    one.say("EHLO x")
    one.raw(b"STARTTLS\r\nNOOP injected\r\n")
    assert one.reply().startswith("220 2.0.0")
    one.secure(relay)
    one.raw(b"EHLO x\r\n")
    assert one.reply().startswith("250-relay.example")


def test_a_wrong_order_changes_nothing(wire):
    one = wire()
    assert one.say("DATA").startswith("503 5.5.1")
    assert one.say("RCPT TO:<a@b.example>").startswith("503 5.5.1")
    assert one.say("FOO").startswith("500 5.5.")
    assert one.say("VRFY ann").startswith("252 ")
    assert one.say("HELP").startswith("214 ")
    assert one.say("RSET").startswith("250 2.0.0")
    assert one.say("NOOP x").startswith("250 2.0.0")
    assert one.say("QUIT").startswith("221 2.0.0")


def test_http_is_closed(wire):
    one = wire(tls=False, login=False)
    one.raw(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n")
    one.reply()
    assert one.file.read() == b""


def test_errors_slow_a_client(wire):
    one = wire()
    spent = []
    for _ in range(5):
        begin = time.monotonic()
        assert one.say("NONSENSE").startswith("500 5.5.")
        spent.append(time.monotonic() - begin)
    assert min(spent[:2]) < 0.5 and spent[4] > 0.5, spent
    begin = time.monotonic()
    assert one.say("NOOP").startswith("250")
    assert time.monotonic() - begin < spent[4] + 2


@pytest.mark.long  # each error waits longer: minutes
@pytest.mark.timeout(900)
def test_too_many_errors_end_the_session(wire):
    one = wire()
    replies = []
    for _ in range(100):
        replies.append(one.say("NONSENSE"))
        if replies[-1].startswith("421"):
            break
    assert replies[-1].startswith("421 4.7.0")
    assert one.file.read() == b""


def test_all_refused_recipients_allow_a_new_mail(wire):
    """listmonk #1073: the next MAIL comes without RSET."""
    one = wire()
    one.say(f"MAIL FROM:<{SENDER}>")
    assert one.say("RCPT TO:<bad address>")[0] == "5"
    assert one.say(f"MAIL FROM:<{SENDER}>").startswith("250 2.1.0")


def test_duplicates_in_one_transaction_are_delivered_once(relay, wire):
    mark = relay.log.mark()
    identifier = relay.send(relay.login, SENDER, [RECIPIENT, RECIPIENT, "bob@dest.example"],
                            text("duplicates"))
    assert relay.log.wait("queued", after=mark, msg=identifier)["nrcpt"] == "2"
    relay.wait_delivered(identifier, 2)
    assert len(relay.log.all("delivered", msg=identifier)) == 2


def test_missing_fields_are_added_and_bcc_goes(relay):
    identifier = relay.send(relay.login, SENDER, [RECIPIENT],
                            "From: news@shop.example\nBcc: secret@dest.example\nSubject: x\n\nx\n")
    relay.wait_delivered(identifier)
    data = relay.sink.messages()[-1].data
    head = data.split(b"\r\n\r\n")[0].lower()
    assert b"\r\ndate: " in head and b"\r\nmessage-id: <" in head and b"secret@" not in head
    received = head.split(b"received:")[1]
    assert identifier.lower().encode() in received and b"client" not in received


def test_ipv6_listener(wire):
    assert wire(index=1).say("NOOP").startswith("250")


def test_old_tls_is_refused(relay):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, OSError)):
        with socket.create_connection(relay.address("submissions"), 30) as raw:
            context.wrap_socket(raw)


def test_tls_12_and_13_resume(relay):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = relay.tls_context()
        context.minimum_version = context.maximum_version = version
        session = None
        for _ in range(2):
            with socket.create_connection(relay.address("submissions"), 30) as raw:
                with context.wrap_socket(raw, server_hostname="127.0.0.1",
                                         session=session) as secure:
                    secure.recv(100)
                    reused, session = secure.session_reused, secure.session
        assert reused, version


def test_sessions_of_an_address_are_bounded(world):
    relay = world.relay_to(world.sink(), 'limits { per_address = 5 }')
    opened = [socket.create_connection(relay.address("submission"), 30) for _ in range(5)]
    for one in opened:
        assert one.recv(200).startswith(b"220")
    with socket.create_connection(relay.address("submission"), 30) as one_more:
        assert one_more.recv(200).startswith(b"421 4.7.0")
    for one in opened:
        one.close()


def test_wrong_passwords_slow_down_but_lock_nobody_out(world):
    relay = world.relay_to(world.sink())
    relay.login = relay.add_user(SENDER)
    token = base64.b64encode(f"\0{SENDER}\0wrong".encode()).decode()
    spent = []
    for _ in range(4):
        one = Wire(relay, login=False)
        begin = time.monotonic()
        assert one.say("AUTH PLAIN " + token)[:3] in ("535", "454", "421")
        spent.append(time.monotonic() - begin)
        one.close()
    assert spent[-1] > spent[0]
    Wire(relay, login=True).close()
