"""Mail that must be signed and has no key: held, told, released, and then signed."""
import sqlite3
import subprocess

import pytest

from appliance import PATIENCE, wait_for
from messages import PLAIN
from signatures import Judges, records_of, signatures_of, zone_lines

SENDER, RECIPIENT = "news@shop.example", "ann@dest.example"


def start(world, config=""):
    receiver = world.receiver()
    relay = world.relay_to(receiver, config)
    relay.receiver = receiver
    relay.login = relay.add_user(SENDER)
    return relay


@pytest.mark.sanitized
@pytest.mark.parametrize("who", ["domain", "user"])
def test_what_must_be_signed_is_held_until_there_is_a_key(world, who):
    relay = start(world)
    if who == "domain":
        relay.cli("domain", "add", "shop.example", "--require-signing")
    else:
        relay.cli("domain", "add", "shop.example")
        relay.cli("user", "limit", SENDER, "must_sign=yes")
    identifier = relay.send(relay.login, SENDER, RECIPIENT, PLAIN)
    held = relay.log.wait("held", msg=identifier, timeout=30 * PATIENCE)
    assert "sign" in held["reply"].lower() or "key" in held["reply"].lower(), held
    assert relay.queue()[0]["recipients"][0]["state"] == "held"
    assert not relay.receiver.taken and not relay.log.all("unsigned")
    relay.cli("dkim", "new", "shop.example", "--type", "rsa2048")
    if relay.queue():
        relay.cli("queue", "release", identifier)
    relay.wait_delivered(identifier)
    assert len(signatures_of(relay.receiver.taken[0].data)) == 1


@pytest.mark.parametrize("bits", [1024, 4096])
def test_an_imported_key_signs(world, bits):
    relay = start(world)
    dns = world.name_server({"example": ""})
    judges = Judges(world.new_path("judges"), dns)
    relay.cli("domain", "add", "shop.example")
    pem = world.folder / "imported.pem"
    subprocess.run(["openssl", "genrsa", "-traditional", "-out", str(pem), str(bits)], check=True,
                   capture_output=True)
    printed = relay.cli("dkim", "new", "shop.example", "--selector", "old", "--type", "rsa2048",
                        "--import", pem)
    dns.add("example", zone_lines(records_of(printed), "example"))
    relay.wait_delivered(relay.send(relay.login, SENDER, RECIPIENT, PLAIN))
    judges.check(relay.receiver.taken[0].data, algorithms=["rsa-sha256"])


def test_a_key_that_is_none_is_refused(world):
    relay = start(world)
    relay.cli("domain", "add", "shop.example")
    pem = world.folder / "broken.pem"
    for text in ("", "-----BEGIN PRIVATE KEY-----\nbm9uc2Vuc2U=\n-----END PRIVATE KEY-----\n"):
        pem.write_text(text)
        done = relay.command("dkim", "new", "shop.example", "--type", "rsa2048", "--import", pem)
        assert done.returncode not in (0, 70), done
    subprocess.run(["openssl", "genrsa", "-out", str(pem), "512"], check=True,
                   capture_output=True)
    done = relay.command("dkim", "new", "shop.example", "--type", "rsa2048", "--import", pem)
    assert done.returncode not in (0, 70) and "1024" in done.stderr, done
    assert relay.json("dkim", "list") == []


def test_expiry_of_signatures_only_with_a_short_queue_life(world):
    """x= of at most seven days: queue life plus two days."""
    relay = start(world, 'dkim { expire = true }\n')
    relay.cli("domain", "add", "shop.example")
    relay.cli("dkim", "new", "shop.example", "--type", "rsa2048")
    relay.wait_delivered(relay.send(relay.login, SENDER, RECIPIENT, PLAIN))
    tags, = signatures_of(relay.receiver.taken[0].data)
    assert int(tags["x"]) - int(tags["t"]) == 7 * 86400, tags
    relay.config = relay.config + 'delivery { expire = "6d" }\n'
    failed = relay.log.wait("reload_failed", after=relay.reload(), timeout=30 * PATIENCE)
    assert "expire" in failed["reason"]
    wait_for(lambda: relay.command("health").returncode == 0, "it goes on as before")


def test_live_signatures_are_compared_with_what_we_would_publish(world):
    """The first message after a start is one of the sample: an alarm, once the halves differ."""
    relay = start(world)
    for domain in ("shop.example", "other.example"):
        relay.cli("domain", "add", domain)
        relay.cli("dkim", "new", domain, "--selector", "s1", "--type", "rsa2048")
    relay.wait_delivered(relay.send(relay.login, SENDER, RECIPIENT, PLAIN))
    relay.stop()
    assert not relay.log.all("signature_wrong")
    with sqlite3.connect(relay.folder / "data/db/staffetta.db") as database:
        database.execute("UPDATE dkim_keys SET public_key = (SELECT public_key FROM dkim_keys "
                         "ORDER BY id DESC LIMIT 1)")
    database.close()
    relay.start()
    identifier = relay.send(relay.login, SENDER, RECIPIENT, PLAIN)
    relay.wait_delivered(identifier)
    wrong = relay.log.wait("signature_wrong", msg=identifier, timeout=30 * PATIENCE)
    assert wrong["domain"] == "shop.example" and wrong["level"] == "error", wrong
