"""Settings that a reload changes, seen from outside; sessions and mail under way stay."""
import smtplib
import socket

import pytest

from appliance import PATIENCE, LISTENERS, submit, wait_for
from messages import PLAIN, assert_arrived, text

pytestmark = pytest.mark.sanitized
SENDER, RECIPIENT = "news@shop.example", "ann@dest.example"


def greeting(relay):
    with socket.create_connection(relay.address("submission"), 30) as raw:
        return raw.recv(200)


def reload(relay, **changes):
    """Said when it is under way on every loop: the next connection may still find the old one."""
    for name, value in changes.items():
        setattr(relay, name, value)
    mark = relay.reload()
    relay.log.wait("reloaded", role="relay", after=mark, timeout=30 * PATIENCE)


def test_a_changed_route_takes_waiting_mail_elsewhere(world):
    first = world.receiver({"CONNECT": "421 4.3.2 Later"})
    second = world.receiver()
    retry = 'delivery { retry = { "1s" } }\n'
    relay = world.appliance(f'route "*" {{ via = "{first.address}" }}\n{retry}')
    login = relay.add_user(SENDER)
    client = relay.client(login)
    identifier = submit(client, SENDER, [RECIPIENT], PLAIN)
    relay.log.wait("deferred", msg=identifier, timeout=30 * PATIENCE)
    reload(relay, config=f'route "*" {{ via = "{second.address}" }}\n{retry}')
    relay.wait_delivered(identifier)
    assert_arrived(second.taken[0].data, PLAIN)
    assert not first.taken
    later = submit(client, SENDER, [RECIPIENT], text("later"))
    relay.wait_delivered(later)
    assert len(second.taken) == 2
    client.quit()


def test_limits_and_retries_change_for_what_comes_next(world):
    receiver = world.receiver({"RCPT": "450 4.2.1 Later"})
    route = f'route "*" {{ via = "{receiver.address}" }}\n'
    relay = world.appliance(route + 'delivery { retry = { "1h" } }\n')
    login = relay.add_user(SENDER)
    identifier = relay.send(login, SENDER, RECIPIENT, PLAIN)
    relay.log.wait("deferred", msg=identifier, timeout=30 * PATIENCE)
    reload(relay, config=route + 'delivery { retry = { "1s" } }\n'
                                 'limits { per_address = 1  recipients = 100 }\n')
    relay.cli("queue", "retry", identifier)
    relay.log.wait("deferred", count=3, msg=identifier, timeout=30 * PATIENCE)
    with relay.client(login) as client:
        wait_for(lambda: greeting(relay).startswith(b"421 4.7.0"), "one session per address")
        client.quit()

    def offers_a_hundred():
        try:
            with relay.client() as again:
                return again.esmtp_features["limits"] == "RCPTMAX=100"
        except smtplib.SMTPConnectError:
            return False  # the one before still counts
    wait_for(offers_a_hundred, "the new limit is offered")


def test_hostname_and_log_level_change(world):
    receiver = world.receiver()
    relay = world.relay_to(receiver)
    login = relay.add_user(SENDER)
    reload(relay, hostname="renamed.example", config=relay.config + 'log { level = "debug" }\n')
    wait_for(lambda: all(b"renamed.example" in greeting(relay) for _ in range(8)),
             "the new name on every loop")
    relay.log.wait("connected", timeout=10 * PATIENCE)
    relay.wait_delivered(relay.send(login, SENDER, RECIPIENT, PLAIN))
    assert receiver.sessions[-1].helo == "renamed.example"
    assert b"by renamed.example" in receiver.taken[0].data


def test_what_needs_a_restart_is_said(world):
    relay = world.relay_to(world.sink())
    mark = relay.log.mark()
    relay.config += 'dkim { engine = "opendkim" }\n'
    relay.reload()
    event = relay.log.wait("restart_needed", after=mark, timeout=30 * PATIENCE)
    assert "engine" in " ".join(event.values()), event


def test_a_listener_changes_its_kind(world):
    relay = world.relay_to(world.sink())
    relay.add_user(SENDER)
    port = relay.port("submission")
    client = relay.client()
    reload(relay, listeners=LISTENERS.replace('tls = "starttls"', 'tls = "starttls"  '
                                              'plain_auth = true'))

    def offers_auth():
        with socket.create_connection(("127.0.0.1", port), 30) as raw:
            raw.recv(200)
            raw.sendall(b"EHLO x\r\n")
            return b"AUTH PLAIN" in raw.recv(2000)
    wait_for(offers_auth, "AUTH is offered in clear")
    assert client.noop()[0] == 250
    client.quit()


def test_ten_reloads_in_a_row_end_as_the_last(world):
    relay = world.relay_to(world.sink())
    for size in range(1, 11):
        relay.config += f'limits {{ message_size = "{size}MB" }}\n'
        relay.reload()

    def size_offered():
        with relay.client() as client:
            return client.esmtp_features["size"] == "10000000"
    wait_for(size_offered, "the last settings hold")
    assert relay.command("health").returncode == 0
