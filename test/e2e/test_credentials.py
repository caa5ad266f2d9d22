"""Passwords brought along from elsewhere, and what must never be readable anywhere."""
import base64
import crypt
import hashlib
import os
import smtplib
import time

import pytest

from appliance import PATIENCE, wait_for
from messages import PLAIN

SENDER, RECIPIENT = "news@shop.example", "ann@dest.example"
PASSWORD = "Sesam öffne dich"


def salted(name, tag):
    salt = b"12345678"
    digest = hashlib.new(name, PASSWORD.encode() + salt).digest()
    return "{%s}%s" % (tag, base64.b64encode(digest + salt).decode())


HASHES = {
    "md5": crypt.crypt(PASSWORD, "$1$saltsalt$"),
    "bcrypt": crypt.crypt(PASSWORD, "$2y$05$abcdefghijklmnopqrstuu"),
    "sha256": crypt.crypt(PASSWORD, "$5$saltsalt$"),
    "sha512": crypt.crypt(PASSWORD, "$6$saltsalt$"),
    "yescrypt": crypt.crypt(PASSWORD, "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$"),
    "dovecot_crypt": "{CRYPT}" + crypt.crypt(PASSWORD, "$6$saltsalt$"),
    "dovecot_sha512_crypt": "{SHA512-CRYPT}" + crypt.crypt(PASSWORD, "$6$saltsalt$"),
    "dovecot_blf": "{BLF-CRYPT}" + crypt.crypt(PASSWORD, "$2y$05$abcdefghijklmnopqrstuu"),
    "dovecot_ssha": salted("sha1", "SSHA"),
    "dovecot_ssha256": salted("sha256", "SSHA256"),
    "dovecot_ssha512": salted("sha512", "SSHA512"),
}


@pytest.fixture(scope="module")
def relay(module_world):
    return module_world.relay_to(module_world.sink())


def is_imported(relay, name):
    return relay.json("user", "show", name)[0]["imported_hash"]


@pytest.mark.parametrize("kind", HASHES)
def test_an_imported_hash_logs_in_and_is_hashed_anew(relay, kind):
    name = f"{kind}@shop.example"
    relay.cli("user", "add", name, "--hash-stdin", stdin=HASHES[kind] + "\n")
    assert is_imported(relay, name)
    if kind in ("md5", "yescrypt", "dovecot_ssha"):  # more of them would be slowed down
        with pytest.raises(smtplib.SMTPAuthenticationError):
            relay.client((name, "wrong"))
        assert is_imported(relay, name)
    client = relay.client()
    token = base64.b64encode(f"\0{name}\0{PASSWORD}".encode()).decode()
    assert client.docmd("AUTH", "PLAIN " + token)[0] == 235
    client.quit()
    wait_for(lambda: not is_imported(relay, name), "the hash is made anew")
    client = relay.client()
    assert client.docmd("AUTH", "PLAIN " + token)[0] == 235
    client.quit()


def test_what_is_no_hash_is_refused(relay):
    for text in ("plain", "{PLAIN}secret", "$9$what$ever", "{DES}ab", ""):
        done = relay.command("user", "add", "broken@shop.example", "--hash-stdin",
                             stdin=text + "\n")
        assert done.returncode != 0, text
    assert relay.command("user", "show", "broken@shop.example").returncode == 67


def test_a_changed_password_is_not_answered_from_the_cache(relay):
    name, password = relay.add_user("changing@shop.example")
    relay.client((name, password)).quit()
    relay.cli("user", "password", name, "--password-stdin", stdin="something else entirely\n")
    with pytest.raises(smtplib.SMTPAuthenticationError):
        relay.client((name, password))
    relay.client((name, "something else entirely")).quit()


def test_a_known_password_costs_one_hash_not_a_thousand(relay):
    """PHPMailer and WordPress open a connection for every message."""
    name, password = relay.add_user("often@shop.example")
    relay.client((name, password)).quit()
    client = relay.client()
    token = base64.b64encode(f"\0{name}\0{password}".encode()).decode()
    begin = time.monotonic()
    for _ in range(5):
        assert client.docmd("AUTH", "PLAIN " + token)[0] == 235
        client.quit()
        client = relay.client()
    assert time.monotonic() - begin < 5 * PATIENCE


def test_no_secret_is_in_the_log_the_answers_or_the_files(world):
    receiver = world.receiver(tls=True, extensions=["AUTH PLAIN", "PIPELINING", "STARTTLS"])
    relay = world.appliance('log { level = "debug" }\nroute "*" { via = "%s"  user = "us"  '
                            'password = "sm4rth0stSecret" }\n' % receiver.address)
    name, password = relay.add_user(SENDER)
    relay.wait_delivered(relay.send((name, password), SENDER, RECIPIENT, PLAIN))
    with pytest.raises(smtplib.SMTPAuthenticationError):
        relay.client((name, "wr0ngSecret"))
    relay.cli("domain", "add", "shop.example")
    relay.cli("dkim", "new", "shop.example", "--type", "rsa2048")
    said = "".join(relay.cli(*words) for words in (
        ("config", "show"), ("config", "show", "--explain"), ("user", "show", name),
        ("--json", "user", "list"), ("--json", "config", "show"), ("dkim", "list")))
    relay.stop()
    said += (relay.folder / "log").read_text()
    secrets = [password, "wr0ngSecret", "sm4rth0stSecret"]
    secrets += [base64.b64encode(f"\0{name}\0{password}".encode()).decode(),
                base64.b64encode(password.encode()).decode(),
                base64.b64encode(b"\0us\0sm4rth0stSecret").decode(), "PRIVATE KEY", "$argon2id$"]
    for secret in secrets:
        assert secret not in said, secret
    stored = b"".join(path.read_bytes() for path in relay.folder.rglob("*")
                      if path.is_file() and path.name != "staffetta.conf")
    assert password.encode() not in stored and b"wr0ngSecret" not in stored


def test_only_owners_may_read_what_is_stored(world):
    relay = world.relay_to(world.sink())
    relay.add_user(SENDER)
    for path in (relay.folder / "data").rglob("*"):
        if path.is_file():
            assert path.stat().st_mode & 0o077 == 0, path
    assert os.stat(relay.folder / "spool").st_mode & 0o077 == 0
