"""DKIM: made by the signer process, judged by dkimpy, opendkim-testmsg and Mail::DKIM."""
import ctypes
import os
import signal
import socket

import pytest

from appliance import PATIENCE, wait_for
from messages import EIGHT_BIT, LONG_LINES, PLAIN, assert_arrived, parse
from signatures import Judges, records_of, signatures_of, zone_lines

PIDFD_GETFD = 438  # system call
SENDER, RECIPIENT = "news@shop.example", "ann@dest.example"
NEWSLETTER = PLAIN.replace(
    b"Subject: Prices\r\n",
    b"Subject: Prices\r\n that fold   twice\r\nReply-To: help@shop.example\r\n"
    b"List-Unsubscribe: <https://shop.example/u>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n")


class Signed:
    def __init__(self, world, receiver=None, config="", domain="shop.example"):
        self.dns = world.name_server({"example": ""})
        self.receiver = receiver or world.receiver()
        self.relay = world.relay_to(self.receiver, config)
        self.relay.login = self.relay.add_user(SENDER)
        self.domain = domain
        self.judges = Judges(world.new_path("judges"), self.dns)

    def new_key(self, *options):
        self.relay.cli("domain", "add", self.domain)
        printed = self.relay.cli("dkim", "new", self.domain, *options)
        records = records_of(printed)
        assert records, printed
        self.dns.add("example", zone_lines(records, "example"))
        return records

    def send(self, original=PLAIN):
        identifier = self.relay.send(self.relay.login, SENDER, RECIPIENT, original)
        self.relay.wait_delivered(identifier)
        return self.receiver.taken[-1].data


@pytest.mark.sanitized
def test_both_signatures_hold_before_every_judge(world):
    signed = Signed(world)
    records = signed.new_key("--selector", "s1")
    assert sorted(records) == ["s1-ed._domainkey.shop.example", "s1._domainkey.shop.example"]
    again = records_of(signed.relay.cli("dkim", "dns", "shop.example"))
    assert again == records
    for original in (PLAIN, EIGHT_BIT, NEWSLETTER, LONG_LINES):
        data = signed.send(original)
        assert_arrived(data, original)
        signed.judges.check(data)
    for tags in signatures_of(data):
        assert tags["c"] == "relaxed/relaxed" and tags["d"] == "shop.example" and "l" not in tags
        assert tags["s"] == ("s1" if tags["a"] == "rsa-sha256" else "s1-ed")
        names = tags["h"].lower().split(":")
        assert names.count("from") == 2 and names.count("subject") == 2  # oversigned


def test_seven_bit_rendering_is_signed_anew(world):
    receiver = world.receiver(extensions=["PIPELINING"])
    signed = Signed(world, receiver)
    signed.new_key()
    data = signed.send(EIGHT_BIT)
    assert data.isascii()
    assert parse(data).get_content() == parse(EIGHT_BIT).get_content()
    signed.judges.check(data)


def test_empty_and_blank_bodies(world):
    signed = Signed(world)
    signed.new_key()
    head = PLAIN.split(b"\r\n\r\n")[0] + b"\r\n\r\n"
    for body in (b"", b"\r\n\r\n\r\n", b" \t \r\n", b"x"):
        signed.judges.check(signed.send(head + body))


def test_a_changed_body_fails_every_judge(world):
    """The judges can say no."""
    signed = Signed(world)
    signed.new_key()
    data = signed.send(PLAIN).replace(b"the end", b"the And")
    assert not any(valid for _, valid in signed.judges.dkimpy(data))
    assert ("rsa-sha256", "fail (body has been altered)") in signed.judges.mail_dkim(data)
    assert not signed.judges.opendkim(data)[0]


def test_the_reference_engine_signs(world):
    signed = Signed(world, config='dkim { engine = "opendkim" }')
    signed.new_key("--type", "rsa2048", "--selector", "ref")
    for original in (PLAIN, EIGHT_BIT):
        signed.judges.check(signed.send(original), algorithms=["rsa-sha256"])


def test_rsa_alone(world):
    signed = Signed(world)
    signed.new_key("--type", "rsa2048")
    signed.judges.check(signed.send(), algorithms=["rsa-sha256"])


def test_the_organisational_domain_signs_for_its_subdomains(world):
    signed = Signed(world)
    signed.new_key("--selector", "s1")
    signed.relay.cli("user", "add", "a@mail.shop.example", "--generate")
    login = signed.relay.add_user("b@mail.shop.example")
    original = PLAIN.replace(b"news@shop.example", b"b@mail.shop.example")
    identifier = signed.relay.send(login, "b@mail.shop.example", RECIPIENT, original)
    signed.relay.wait_delivered(identifier)
    signed.judges.check(signed.receiver.taken[-1].data)


def test_without_a_key_it_goes_unsigned_and_says_so(world):
    signed = Signed(world)
    data = signed.send()
    assert not signatures_of(data)
    assert signed.relay.log.wait("unsigned", timeout=10 * PATIENCE)["domain"] == "shop.example"


def test_unsigned_is_said_once_a_message(world):
    """Not for every transaction and every attempt of it."""
    signed = Signed(world, config='delivery { retry = { "1s" }  transaction_recipients = 1 }\n')
    relay, receiver, refused = signed.relay, signed.receiver, set()

    def put_off_once(_session, argument):
        is_first = argument not in refused
        refused.add(argument)
        return "451 4.7.1 Later" if is_first else None
    receiver.behaviour["RCPT"] = put_off_once
    login = relay.add_user("c@mail.shop.example")
    names = [f"r{i}@dest.example" for i in range(4)]
    original = PLAIN.replace(b"news@shop.example", b"c@mail.shop.example")
    identifiers = [relay.send(login, "c@mail.shop.example", names, original) for _ in range(2)]
    for identifier in identifiers:
        relay.wait_delivered(identifier, count=4)
        assert len(relay.log.all("unsigned", msg=identifier)) == 1


@pytest.mark.sanitized
def test_mail_waits_while_no_signer_answers(world):
    """The signer is killed with mail under way: the parent starts another, nothing goes unsigned."""
    signed = Signed(world)
    signed.new_key()
    signed.send()
    relay = signed.relay
    signer = [pid for pid, name in relay.children().items() if "sign" in name]
    assert len(signer) == 1, relay.children()
    mark = relay.log.mark()
    os.kill(signer[0], signal.SIGKILL)
    ids = [relay.send(relay.login, SENDER, RECIPIENT, PLAIN) for _ in range(10)]
    relay.log.wait("child_started", after=mark, timeout=30 * PATIENCE)
    for identifier in ids:
        relay.wait_delivered(identifier, timeout=60)
    for taken in signed.receiver.taken[-10:]:
        assert len(signatures_of(taken.data)) == 2
    signed.judges.check(signed.receiver.taken[-1].data)


def shut_signer_channels(pid):
    """Ends every channel that the relay has, but for the one to its parent (3)."""
    libc = ctypes.CDLL(None, use_errno=True)
    pid_fd = os.pidfd_open(pid)
    n_shut = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        if int(name) <= 3 or not os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:"):
            continue
        fd = libc.syscall(PIDFD_GETFD, pid_fd, int(name), 0)
        assert fd >= 0, os.strerror(ctypes.get_errno())
        with socket.socket(fileno=fd) as theirs:
            if theirs.type == socket.SOCK_SEQPACKET:
                theirs.shutdown(socket.SHUT_RDWR)
                n_shut += 1
    os.close(pid_fd)
    return n_shut


@pytest.mark.sanitized
def test_a_relay_that_lost_its_channels_gets_new_ones(world):
    """The signer lives on, so nothing else would bring them: mail to be signed must not wait."""
    signed = Signed(world)
    signed.new_key("--type", "rsa2048")
    signed.send()
    relay = signed.relay
    children = relay.children()
    mark = relay.log.mark()
    assert shut_signer_channels(
        next(pid for pid, name in children.items() if "relay" in name)) >= 2
    relay.log.wait("signer_lost", after=mark, timeout=30 * PATIENCE)
    data = signed.send()
    assert len(signatures_of(data)) == 1
    relay.cli("dkim", "new", "shop.example", "--type", "rsa2048", "--selector", "later")
    assert relay.children() == children  # nobody was started anew


@pytest.mark.sanitized
def test_only_mail_to_be_signed_waits_for_a_signer(world):
    """A signer that cannot start again: mail of a domain without a key goes on meanwhile."""
    signed = Signed(world)
    signed.new_key("--type", "rsa2048")
    relay, plain = signed.relay, "ann@plain.example"
    other = relay.add_user(plain)
    keys, aside = relay.folder / "data" / "keys", relay.folder / "data" / "aside"
    keys.rename(aside)
    keys.write_text("no folder")
    mark = relay.log.mark()
    os.kill(next(pid for pid, name in relay.children().items() if "sign" in name), signal.SIGKILL)
    relay.log.wait("start_failed", who="signer", after=mark, timeout=30 * PATIENCE)
    waiting = relay.send(relay.login, SENDER, RECIPIENT, PLAIN)
    free = relay.send(other, plain, RECIPIENT, PLAIN.replace(SENDER.encode(), plain.encode()))
    relay.wait_delivered(free)
    assert [item["id"] for item in relay.queue()] == [waiting]
    wait_for(lambda: "sign" in relay.cli("queue", "why", waiting), "it waits for the signer", timeout=60)
    keys.unlink()
    aside.rename(keys)
    relay.wait_delivered(waiting, timeout=60)
    first, last = signed.receiver.taken
    assert not signatures_of(first.data)
    assert len(signatures_of(last.data)) == 1


def test_a_restart_keeps_the_keys(world):
    signed = Signed(world)
    records = signed.new_key()
    signed.relay.restart()
    assert records_of(signed.relay.cli("dkim", "dns", "shop.example")) == records
    signed.judges.check(signed.send())


def key_file(relay, pattern):
    found, = (relay.folder / "data" / "keys").glob(pattern)
    return found


@pytest.mark.sanitized
def test_a_key_left_idle_by_a_crash_signs_again(world):
    """The registry had called it active, the signer was not told any more."""
    signed = Signed(world)
    signed.new_key("--type", "rsa2048")
    relay = signed.relay
    relay.stop()
    active = key_file(relay, "*.pem")
    active.rename(active.with_suffix(".idle"))
    relay.start()
    assert len(signatures_of(signed.send())) == 1
    assert relay.log.wait("key_active", timeout=30 * PATIENCE)["domain"] == "shop.example"
    assert key_file(relay, "*.pem") == active


def test_a_lost_key_is_no_reason_to_send_unsigned(world):
    signed = Signed(world, config='delivery { retry = { "1s" } }')
    signed.new_key("--type", "rsa2048")
    relay = signed.relay
    relay.stop()
    active = key_file(relay, "*.pem")
    aside = relay.folder / "aside.pem"
    active.rename(aside)
    relay.start()
    identifier = relay.send(relay.login, SENDER, RECIPIENT, PLAIN)
    deferred = relay.log.wait("deferred", msg=identifier, timeout=30 * PATIENCE)
    assert "DKIM key" in deferred["reply"]
    relay.stop()
    aside.rename(active)
    relay.start()
    relay.wait_delivered(identifier, timeout=60)
    assert len(signatures_of(signed.receiver.taken[-1].data)) == 1


def test_the_relay_cannot_read_the_keys(world):
    """Run as root, the key folder belongs to the signer's user alone."""
    signed = Signed(world)
    signed.new_key()
    keys = signed.relay.folder / "data/keys"
    assert keys.stat().st_mode & 0o077 == 0
    import pwd
    owner = pwd.getpwuid(keys.stat().st_uid).pw_name
    assert owner == "staffetta-sign"
    files = [p for p in keys.rglob("*") if p.is_file()]
    assert files and all(p.stat().st_mode & 0o077 == 0 for p in files)


def test_domain_check_compares_with_dns(world):
    dns = world.name_server({"example": ""})
    receiver = world.receiver()
    relay = world.relay_to(receiver, dns.settings())
    relay.cli("domain", "add", "shop.example")
    records = records_of(relay.cli("dkim", "new", "shop.example", "--selector", "s1"))
    before = relay.command("domain", "check", "shop.example")
    assert "s1" in before.stdout + before.stderr
    dns.add("example", zone_lines(records, "example"))
    relay.restart()  # forgets the negative answers
    after = relay.cli("domain", "check", "shop.example")
    assert after != before.stdout
