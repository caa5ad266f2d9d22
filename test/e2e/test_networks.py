"""A network belongs to a user: no login, the same rules."""
import smtplib

import pytest

from appliance import submit
from messages import text

pytestmark = pytest.mark.sanitized


def connect(relay, index=0):
    host, port = relay.address("submission", index)
    client = smtplib.SMTP(host, port, timeout=60)
    client.ehlo("client.example")
    return client


def test_an_allowed_network_sends_as_its_user(world):
    sink = world.sink()
    relay = world.relay_to(sink, listeners='listen "submission" '
                                           '{ address = { "127.0.0.1:0", "[::1]:0" } }')
    with connect(relay) as client:
        assert client.mail("news@shop.example")[0] == 530
    relay.cli("user", "add", "news@shop.example", "--generate", "--network", "127.0.0.0/8")
    relay.log.wait("user_changed")
    with connect(relay) as client:
        identifier = submit(client, "news@shop.example", ["ann@dest.example"], text())
        assert client.mail("ceo@bank.example")[0] == 550
    with connect(relay, 1) as client:
        assert client.mail("news@shop.example")[0] == 530
    relay.wait_delivered(identifier)
    assert relay.log.wait("queued", msg=identifier)["user"] == "news@shop.example"
    relay.cli("network", "add", "::1/128", "--user", "news@shop.example")
    with connect(relay, 1) as client:
        submit(client, "news@shop.example", ["ann@dest.example"], text())
    relay.cli("network", "delete", "127.0.0.0/8")
    with connect(relay) as client:
        assert client.mail("news@shop.example")[0] == 530
    assert [row["cidr"] if "cidr" in row else row["network"]
            for row in relay.json("network", "list")] == ["::1/128"]


def test_a_v4_mapped_network_is_its_v4_network(world):
    relay = world.relay_to(world.sink())
    relay.cli("user", "add", "news@shop.example", "--generate", "--network", "::ffff:127.0.0.1/128")
    with connect(relay) as client:
        assert client.mail("news@shop.example")[0] == 250


def test_users_by_command_line(world):
    relay = world.relay_to(world.sink())
    done = relay.command("user", "add", "plainname", "--generate")
    assert done.returncode == 64, done
    password = relay.cli("user", "add", "plainname", "--generate", "--sender", "shop.example").strip()
    assert "\n" not in password and len(password) >= 12
    relay.send(("plainname", password), "a@shop.example", "b@dest.example",
               text(sender="a@shop.example"))
    relay.cli("user", "password", "plainname", "--password-stdin", stdin="another one entirely\n")
    with pytest.raises(smtplib.SMTPAuthenticationError):
        relay.client(("plainname", password))
    relay.client(("plainname", "another one entirely")).close()
    relay.cli("user", "disable", "plainname")
    with pytest.raises(smtplib.SMTPAuthenticationError):
        relay.client(("plainname", "another one entirely"))
    relay.cli("user", "enable", "plainname")
    relay.client(("plainname", "another one entirely")).close()
    relay.cli("user", "delete", "plainname")
    with pytest.raises(smtplib.SMTPAuthenticationError):
        relay.client(("plainname", "another one entirely"))
    assert relay.json("user", "list") == []
    assert relay.command("user", "show", "plainname").returncode == 67
