"""Reload, drain, children that die."""
import os
import signal
import socket
import ssl

import pytest

from appliance import PATIENCE, LISTENERS, submit, wait_for
from messages import PLAIN, stuffed, text
from proc import user_of

pytestmark = pytest.mark.sanitized
SENDER, RECIPIENT = "news@shop.example", "ann@dest.example"


def serial(relay, name=None):
    """The serial number of the certificate that a new connection gets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(relay.address("submissions"), 30) as raw:
        with context.wrap_socket(raw, server_hostname=name) as secure:
            from cryptography import x509
            return x509.load_der_x509_certificate(secure.getpeercert(True)).serial_number


def start(world, config="", **options):
    sink = world.sink()
    relay = world.relay_to(sink, config, **options)
    relay.sink = sink
    relay.login = relay.add_user(SENDER)
    return relay


def test_settings_change_without_dropping_sessions(world):
    relay = start(world)
    client = relay.client(relay.login)
    relay.config += 'limits { message_size = "2MB" }\n'
    relay.log.wait("reloaded", after=relay.reload(), role="relay", timeout=30 * PATIENCE)
    submit(client, SENDER, [RECIPIENT], PLAIN)
    client.close()
    with relay.client(relay.login) as again:
        assert again.esmtp_features["size"] == "2000000"
    assert len(relay.log.all("child_started")) == 2  # nothing was restarted


def test_a_bad_file_keeps_the_old_settings_and_says_why(world):
    relay = start(world)
    good = relay.config
    relay.config = good + 'limits { recipients = "many" }\n'
    failed = relay.log.wait("reload_failed", after=relay.reload(), timeout=30 * PATIENCE)
    line = relay.config_text().splitlines().index('limits { recipients = "many" }') + 1
    assert f":{line}" in " ".join(failed.values()), failed
    relay.send(relay.login, SENDER, RECIPIENT, PLAIN)
    check = relay.command("config", "check", "--config", relay.config_file)
    assert check.returncode == 78 and f":{line}" in check.stdout + check.stderr
    relay.config = good
    relay.log.wait("reloaded", after=relay.reload(), role="relay", timeout=30 * PATIENCE)


def reload_with(relay, text):
    mark = relay.log.mark()
    fresh = relay.config_file.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(relay.config_file)
    relay.process.send_signal(signal.SIGHUP)
    return mark


def test_a_file_cut_short_closes_no_listener(world):
    """It is valid, as it is for a start: but nobody empties a file to end a service."""
    relay = start(world)
    text = relay.config_text()
    for cut in ("", text[:text.index("listen")]):
        failed = relay.log.wait("reload_failed", after=reload_with(relay, cut),
                                timeout=30 * PATIENCE)
        assert "no listen section is left" in " ".join(failed.values()), failed
        relay.send(relay.login, SENDER, RECIPIENT, PLAIN)
    mark = reload_with(relay, text)
    relay.log.wait("reloaded", after=mark, role="relay", timeout=30 * PATIENCE)


def test_a_start_without_listeners_is_valid(world):
    relay = world.appliance(listeners="")
    assert relay.command("health").returncode == 0
    relay.listeners = LISTENERS
    relay.log.wait("reloaded", after=relay.reload(), role="relay", timeout=30 * PATIENCE)
    with relay.client() as client:
        assert client.noop()[0] == 250


def test_an_unknown_name_is_an_error(world):
    relay = start(world)
    relay.config += "colour = 1\n"
    failed = relay.log.wait("reload_failed", after=relay.reload(), timeout=30 * PATIENCE)
    assert "colour" in " ".join(failed.values())


def test_a_listener_comes_and_goes(world):
    relay = start(world)
    mark = relay.log.mark()
    relay.listeners = LISTENERS + 'listen "extra" { address = "127.0.0.1:0" }\n'
    relay.reload()
    event = relay.log.wait("listening", after=mark, name="extra", timeout=30 * PATIENCE)
    host, port = event["address"].rsplit(":", 1)
    relay.log.wait("reloaded", after=mark, role="relay", timeout=30 * PATIENCE)
    with socket.create_connection((host, int(port)), 30) as raw:
        assert raw.recv(100).startswith(b"220")
    relay.listeners = LISTENERS
    relay.log.wait("reloaded", after=relay.reload(), role="relay", timeout=30 * PATIENCE)

    def is_closed():
        try:
            socket.create_connection((host, int(port)), 5).close()
        except ConnectionRefusedError:
            return True
        return False
    wait_for(is_closed, "the listener is gone")
    relay.send(relay.login, SENDER, RECIPIENT, PLAIN)


def test_certificates_are_reloaded_when_the_files_change(world, authority):
    own = authority.issue("relay.example", "127.0.0.1", file_name="changing")
    relay = start(world, certificate=own)
    before = serial(relay)
    assert before == own.serial
    client = relay.client(relay.login)
    mark = relay.log.mark()
    renewed = authority.issue("relay.example", "127.0.0.1", file_name="changing")
    relay.log.wait("certificate_loaded", after=mark, timeout=30 * PATIENCE)
    wait_for(lambda: serial(relay) == renewed.serial, "the new certificate is used")
    submit(client, SENDER, [RECIPIENT], PLAIN)
    client.close()


def test_a_bad_certificate_keeps_the_old_one(world, authority):
    own = authority.issue("relay.example", "127.0.0.1", file_name="spoiled")
    relay = start(world, certificate=own)
    mark = relay.log.mark()
    own.certificate.write_text("-----BEGIN NONSENSE-----\n")
    relay.log.wait("certificate_failed", after=mark, timeout=30 * PATIENCE)
    assert serial(relay) == own.serial


def test_certificates_by_name(world, authority):
    other = authority.issue("mail.shop.example")
    relay = start(world, f'tls "mail.shop.example" {{ certificate = "{other.certificate}"  '
                         f'key = "{other.key}" }}\n')
    assert serial(relay, "mail.shop.example") == other.serial
    assert serial(relay, "else.example") != other.serial
    assert serial(relay) != other.serial


def test_no_certificate_means_a_self_signed_one(world):
    sink = world.sink()
    relay = world.relay_to(sink, certificate=None)
    relay.log.wait("self_signed")
    assert serial(relay)


def test_drain_finishes_the_transaction_under_way(world):
    relay = start(world)
    client = relay.client(relay.login)
    client.mail(SENDER)
    client.rcpt(RECIPIENT)
    client.putcmd("data")
    assert client.getreply()[0] == 354
    octets = stuffed(PLAIN)
    client.sock.sendall(octets[:40])
    mark = relay.log.mark()
    relay.process.send_signal(signal.SIGTERM)
    relay.log.wait("draining", after=mark, timeout=30 * PATIENCE)
    client.sock.sendall(octets[40:] + b".\r\n")
    code, reply = client.getreply()
    assert code == 250, reply
    code, reply = client.getreply()
    assert (code, reply[:5]) == (421, b"4.3.2")
    assert relay.process.wait(60 * PATIENCE) == 0
    relay.start()
    relay.log.wait_until(lambda events: True)
    wait_for(lambda: len(relay.sink.messages()) == 1, "the message is delivered")


def test_a_killed_relay_is_started_again(world):
    relay = start(world)
    identifier = relay.send(relay.login, SENDER, RECIPIENT, PLAIN)
    relay.wait_delivered(identifier)
    port = relay.port()
    child = next(pid for pid, name in relay.children().items() if "sign" not in name)
    mark = relay.log.mark()
    os.kill(child, signal.SIGKILL)
    relay.log.wait("child_ended", after=mark, timeout=30 * PATIENCE)
    relay.log.wait("ready", after=mark, timeout=60 * PATIENCE)
    assert relay.port() == port  # the parent kept the sockets
    relay.wait_delivered(relay.send(relay.login, SENDER, RECIPIENT, text("after")))


def test_health(world):
    relay = start(world)
    assert relay.command("health").returncode == 0
    relay.stop()
    assert relay.command("health").returncode == 69


def test_config_show(world):
    relay = start(world)
    changed = relay.cli("config", "show", "--changed")
    assert "hostname" in changed and "relay.example" in changed
    explained = relay.cli("config", "show", "--explain")
    assert "message_size" in explained and "RFC" in explained


def test_it_drops_to_its_users(world):
    relay = start(world)
    owners = {}
    for pid, name in relay.children().items():
        import pwd
        owners[name] = pwd.getpwuid(user_of(pid)).pw_name
    assert sorted(owners.values()) == ["staffetta", "staffetta-sign"], owners


def test_json_log(world):
    import json
    sink = world.sink()
    relay = world.relay_to(sink, 'log { format = "json" }', start=False)
    relay.start(ready=False)
    wait_for(lambda: any('"ready"' in line for line in relay.log.other_lines), "ready in JSON")
    lines = [json.loads(line) for line in relay.log.other_lines if line.startswith("{")]
    assert any(line["event"] == "ready" for line in lines)
    assert all("ts" in line and "level" in line for line in lines)
