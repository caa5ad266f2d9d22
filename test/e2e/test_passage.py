"""What a message looks like when it leaves, whatever it was like when it came."""
import hashlib

import pytest

from appliance import PATIENCE, queue_id, sanitizer, wait_for
from messages import EIGHT_BIT, PLAIN, assert_arrived, parse, stuffed
from receivers import Receiver

SENDER, RECIPIENT = "news@shop.example", "ann@dest.example"


def start(world, receiver, config="", **options):
    relay = world.relay_to(receiver, config, **options)
    relay.login = relay.add_user(SENDER)
    return relay


# ---- long messages

def long_message(n_bytes):
    lines = [hashlib.sha512(str(i).encode()).hexdigest() for i in range(n_bytes // 130)]
    return PLAIN + "".join(f"{line}\r\n" for line in lines).encode()


def resident_kb(relay):
    """Most memory that the relay child ever had."""
    child = next(pid for pid, name in relay.children().items() if "sign" not in name)
    with open(f"/proc/{child}/status", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("VmHWM")).split()[1])


def test_forty_megabytes_arrive_octet_for_octet_in_bounded_memory(world):
    receiver = world.receiver()
    relay = start(world, receiver)
    relay.wait_delivered(relay.send(relay.login, SENDER, RECIPIENT, PLAIN))
    before = resident_kb(relay)
    original = long_message(40_000_000)
    identifier = relay.send(relay.login, SENDER, RECIPIENT, original)
    relay.wait_delivered(identifier, timeout=120)
    assert_arrived_quickly(receiver.taken[-1].data, original)
    if not sanitizer():  # it keeps what is freed for a while
        assert resident_kb(relay) - before < 20_000, "a body is held in memory"
    wait_for(lambda: not list((relay.folder / "spool/large").iterdir()), "the file is gone")


def assert_arrived_quickly(stored, original):
    """Without a difference of forty megabytes in the report."""
    assert hashlib.sha256(stored[-len(original):]).digest() == hashlib.sha256(original).digest()
    assert stored.startswith(b"Received: ")


def test_without_memory_for_bodies_they_go_to_files(world):
    receiver = world.receiver()
    relay = start(world, receiver, 'limits { body_memory = "1MB" }')
    original = long_message(200_000)
    clients = [relay.client(relay.login) for _ in range(8)]
    for client in clients:
        client.mail(SENDER)
        client.rcpt(RECIPIENT)
        client.putcmd("data")
        assert client.getreply()[0] == 354
        client.sock.sendall(stuffed(original))
    for client in clients:
        client.sock.sendall(b".\r\n")
        code, reply = client.getreply()
        assert code == 250, reply
        relay.wait_delivered(queue_id(reply), timeout=60)
    assert len(receiver.taken) == 8
    for taken in receiver.taken:
        assert_arrived_quickly(taken.data, original)


def test_lines_up_to_64_kib_pass_and_are_noted(world):
    receiver = world.receiver()
    relay = start(world, receiver)
    original = PLAIN.replace(b"the end", b"x" * 65000)
    identifier = relay.send(relay.login, SENDER, RECIPIENT, original)
    relay.wait_delivered(identifier)
    assert_arrived(receiver.taken[-1].data, original)
    assert relay.log.wait("long_lines", msg=identifier, timeout=10 * PATIENCE)
    with relay.client(relay.login) as client:
        client.mail(SENDER)
        client.rcpt(RECIPIENT)
        code, reply = client.data(PLAIN + b"y" * 70000 + b"\r\n")
        assert code == 550 and reply[:4] == b"5.6.", (code, reply)
        assert client.noop()[0] == 250


# ---- what is ours is taken off, what is missing is put on

def test_class_and_campaign_are_taken_off_and_kept_in_mind(world):
    receiver = world.receiver({"CONNECT": "421 4.3.2 Later"})
    relay = start(world, receiver, 'delivery { retry = { "1h" } }\n')
    relay.cli("user", "limit", SENDER, "class=yes")
    fields = (b"X-Staffetta-Class: transactional\r\nX-Staffetta-Campaign: spring\r\n"
              b"List-ID: Offers <offers.shop.example>\r\n")
    identifier = relay.send(relay.login, SENDER, RECIPIENT, fields + PLAIN)
    by_list = relay.send(relay.login, SENDER, RECIPIENT,
                         b"List-ID: Offers <offers.shop.example>\r\n" + PLAIN)
    relay.log.wait("deferred", msg=identifier, timeout=30 * PATIENCE)
    shown, = relay.json("queue", "show", identifier)
    assert shown["class"] == "transactional" and shown["campaign"] == "spring", shown
    shown, = relay.json("queue", "show", by_list)
    assert shown["class"] == "bulk" and shown["campaign"] == "offers.shop.example", shown
    receiver.behaviour.clear()
    relay.cli("queue", "retry", "--all")
    relay.wait_delivered(identifier)
    relay.wait_delivered(by_list)
    assert len(receiver.taken) == 2
    for taken in receiver.taken:
        assert b"X-Staffetta" not in taken.data
        assert b"List-ID: Offers <offers.shop.example>\r\n" in taken.data


def test_the_class_counts_only_for_users_allowed_it(world):
    receiver = world.receiver({"CONNECT": "421 4.3.2 Later"})
    relay = start(world, receiver, 'delivery { retry = { "1h" } }\n')
    identifier = relay.send(relay.login, SENDER, RECIPIENT,
                            b"X-Staffetta-Class: transactional\r\n" + PLAIN)
    shown, = relay.json("queue", "show", identifier)
    assert shown["class"] == "bulk", shown


def test_trace_tells_of_the_client_only_when_the_user_has_it_so(world):
    receiver = world.receiver()
    relay = start(world, receiver)
    relay.wait_delivered(relay.send(relay.login, SENDER, RECIPIENT, PLAIN))
    relay.cli("user", "limit", SENDER, "trace=full")
    identifier = relay.send(relay.login, SENDER, RECIPIENT, PLAIN)
    relay.wait_delivered(identifier)
    silent, full = (parse(t.data)["Received"] for t in receiver.taken)
    assert "from" not in silent.split(";")[0].split() and "127.0.0.1" not in silent, silent
    assert full.startswith("from client.example ([127.0.0.1])") and identifier in full, full
    assert "ESMTPSA" in full and "TLS" in full, full


# ---- how we speak

def test_our_name_and_egress_address(world):
    receiver = world.receiver()
    peers = []
    receiver.behaviour["MAIL"] = lambda session, _: peers.append(session.socket.getpeername()[0])
    relay = start(world, receiver, 'delivery { bind = { "127.0.0.77" } }\n')
    identifier = relay.send(relay.login, SENDER, RECIPIENT, PLAIN)
    relay.wait_delivered(identifier)
    assert receiver.sessions[0].helo == "relay.example"
    assert peers == ["127.0.0.77"]
    assert relay.log.wait("delivered", msg=identifier)["egress"] == "127.0.0.77"


def test_recipients_of_a_transaction_and_messages_of_a_connection_are_bounded(world):
    dns = world.name_server({"example": "dest MX 10 mx.dest\nmx.dest A 127.0.0.1\n"})
    receiver = world.receiver()
    relay = world.appliance(
        f'{dns.settings()}delivery {{ port = {receiver.port}  allow_mx = {{ "127.0.0.0/8" }}  '
        'transaction_recipients = 3  connection_messages = 2  site_connections = 1 }\n')
    relay.login = relay.add_user(SENDER)
    for _ in range(3):
        identifier = relay.send(relay.login, SENDER, [f"r{i}@dest.example" for i in range(7)],
                                PLAIN)
        relay.wait_delivered(identifier, 7)
    assert max(len(taken.recipients) for taken in receiver.taken) <= 3
    assert sum(len(taken.recipients) for taken in receiver.taken) == 21
    sent = [sum(c.startswith("MAIL") for c in session.commands) for session in receiver.sessions]
    assert max(sent) <= 2 and sum(sent) == len(receiver.taken) >= 9, sent


def test_an_ipv6_next_hop(world):
    sink = world.sink(listen="[::1]:0")
    relay = world.appliance(f'route "*" {{ via = "[::1]:{sink.port}" }}\n')
    relay.login = relay.add_user(SENDER)
    relay.wait_delivered(relay.send(relay.login, SENDER, RECIPIENT, PLAIN))
    assert_arrived(sink.messages()[0].data, PLAIN)


class ImplicitTls(Receiver):
    """As Receiver, but TLS from the first octet (RFC 8314)."""

    def accept(self):
        context, self.tls = self.tls, None
        self.listener = context.wrap_socket(self.listener, server_side=True)
        super().accept()


def test_a_smart_host_with_implicit_tls(world):
    receiver = world.own(ImplicitTls(certificate=world.certificate))
    relay = world.appliance(f'route "*" {{ via = "{receiver.address}"  tls = "implicit"  '
                            'user = "us"  password = "s3cret" }\n')
    relay.login = relay.add_user(SENDER)
    receiver.extensions += ("AUTH PLAIN LOGIN",)
    identifier = relay.send(relay.login, SENDER, RECIPIENT, PLAIN)
    relay.wait_delivered(identifier)
    assert receiver.logins and len(receiver.taken) == 1
    assert relay.log.wait("delivered", msg=identifier)["tls"].startswith("TLSv1.")


def test_verified_tls_where_the_name_and_the_authority_are_known(world, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(world.authority.file))
    receiver = world.receiver(tls=True)
    relay = world.appliance(
        f'route "*" {{ via = "localhost:{receiver.port}"  tls = "verify" }}\n')
    relay.login = relay.add_user(SENDER)
    identifier = relay.send(relay.login, SENDER, RECIPIENT, PLAIN)
    relay.wait_delivered(identifier)
    assert receiver.sessions[0].is_secured


def test_verified_tls_is_never_in_clear(world):
    """A receiver without STARTTLS, or that answers it with an error, gets nothing."""
    for behaviour, extensions in (({}, ["PIPELINING"]),
                                  ({"STARTTLS": "454 4.7.0 Not now"}, Receiver.EXTENSIONS)):
        receiver = world.receiver(behaviour, tls=True, extensions=extensions)
        relay = world.appliance('delivery { retry = { "1s" } }\n'
                                f'route "*" {{ via = "{receiver.address}"  tls = "verify" }}\n')
        relay.login = relay.add_user(SENDER)
        identifier = relay.send(relay.login, SENDER, RECIPIENT, PLAIN)
        relay.log.wait("deferred", count=2, msg=identifier, timeout=30 * PATIENCE)
        assert not any(c.startswith("MAIL") for s in receiver.sessions for c in s.commands)


# ---- reports

def test_a_report_of_delay_is_sent_once(world):
    receiver = world.receiver({"RCPT": "450 4.2.1 Later"})
    sink = world.sink()
    relay = start(world, receiver, f'route "shop.example" {{ via = "{sink.address}" }}\n'
                                   'delivery { retry = { "1s" }  delay_report = "2s" }\n')
    with relay.client(relay.login) as client:
        client.mail(SENDER, ["ENVID=order7"])
        client.rcpt(RECIPIENT, ["NOTIFY=DELAY,FAILURE"])
        client.rcpt("quiet@dest.example", ["NOTIFY=FAILURE"])
        client.data(PLAIN)
    relay.log.wait("delivered", to=SENDER, timeout=60 * PATIENCE)
    relay.log.wait("deferred", count=4, after=relay.log.mark(), timeout=60 * PATIENCE)
    report, = sink.messages()
    assert b"Action: delayed" in report.data and b"Will-Retry-Until:" in report.data
    assert b"Original-Envelope-Id: order7" in report.data and b"quiet@" not in report.data
    assert b"Status: 4." in report.data


def test_full_returns_the_message_and_headers_its_head(world):
    receiver = world.receiver({"RCPT": "550 5.1.1 Unknown"})
    sink = world.sink()
    relay = start(world, receiver, f'route "shop.example" {{ via = "{sink.address}" }}\n')
    for ret in ("FULL", "HDRS"):
        with relay.client(relay.login) as client:
            client.mail(SENDER, [f"RET={ret}"])
            client.rcpt(RECIPIENT)
            client.data(EIGHT_BIT)
    relay.log.wait("delivered", count=2, to=SENDER, timeout=30 * PATIENCE)
    reports = [parse(m.data) for m in sink.messages()]
    kinds = sorted(r.get_payload()[2].get_content_type() for r in reports)
    assert kinds == ["message/rfc822", "text/rfc822-headers"], kinds
