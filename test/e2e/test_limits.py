"""How many, how long, how slow, how full: every bound of a session, seen from outside."""
import base64
import signal
import socket
import time

import pytest

from appliance import PATIENCE, submit, wait_for
from messages import PLAIN, text
from receivers import HANG

pytestmark = pytest.mark.sanitized
SENDER, RECIPIENT = "news@shop.example", "ann@dest.example"


def start(world, config="", receiver=None, **options):
    relay = world.relay_to(receiver or world.sink(), config, **options)
    relay.login = relay.add_user(SENDER)
    return relay


def connect(relay, name="submission"):
    """A plain socket and the greeting that it read."""
    raw = socket.create_connection(relay.address(name), 60 * PATIENCE)
    return raw, raw.recv(500)


def rest(raw):
    """Everything until the service closes."""
    octets = b""
    while True:
        more = raw.recv(1000)
        if not more:
            return octets
        octets += more


def login_reply(client, login):
    token = base64.b64encode("\0".join(("",) + login).encode()).decode()
    return client.docmd("AUTH", "PLAIN " + token)


def begin_data(client):
    client.mail(SENDER)
    client.rcpt(RECIPIENT)
    client.putcmd("data")
    assert client.getreply()[0] == 354


# ---- how many

def test_sessions_in_all_are_bounded(world):
    relay = start(world, 'limits { connections = 3 }')
    opened = [connect(relay) for _ in range(3)]
    assert all(greeting.startswith(b"220") for _, greeting in opened)
    refused, greeting = connect(relay)
    assert greeting.startswith(b"421 4.7.0")
    assert rest(refused) == b""
    opened[0][0].close()
    relay.log.wait("session_refused", timeout=30 * PATIENCE)
    deadline = time.monotonic() + 30 * PATIENCE
    while not connect(relay)[1].startswith(b"220"):
        assert time.monotonic() < deadline, "the place of a closed session is not given again"


def test_implicit_tls_over_the_bound_is_closed_before_the_handshake(world):
    """A handshake for each refused connection would be what a flood wants."""
    relay = start(world, 'limits { per_address = 1 }')
    _first, greeting = connect(relay)
    assert greeting.startswith(b"220")
    refused, greeting = connect(relay, "submissions")
    assert greeting == b"" and rest(refused) == b""
    assert relay.log.wait("session_refused", timeout=30 * PATIENCE)["ip"] == "127.0.0.1"


def test_sessions_of_a_user_are_bounded(world):
    relay = start(world, 'limits { per_user = 2 }')
    clients = [relay.client(relay.login) for _ in range(2)]
    third = relay.client()
    code, reply = login_reply(third, relay.login)
    assert code == 421 and reply.startswith(b"4.7.0"), (code, reply)
    clients[0].quit()
    deadline = time.monotonic() + 30 * PATIENCE
    while login_reply(relay.client(), relay.login)[0] != 235:
        assert time.monotonic() < deadline, "the place of a closed session is not given again"
    clients[1].quit()


def test_a_user_may_have_bounds_of_its_own(world):
    relay = start(world)
    relay.cli("user", "limit", SENDER, "sessions=1", "recipients=2", "message_size=2000")
    with relay.client(relay.login) as client:
        code, reply = login_reply(relay.client(), relay.login)
        assert (code, reply[:5]) == (421, b"4.7.0"), (code, reply)
        assert client.mail(SENDER, ["SIZE=2001"])[0] == 552
        assert client.mail(SENDER, ["SIZE=1999"])[0] == 250
        assert [client.rcpt(f"r{i}@dest.example")[0] for i in range(3)] == [250, 250, 452]
        code, reply = client.data(PLAIN + b"x" * 2000 + b"\r\n")
        assert (code, reply[:5]) == (552, b"5.3.4"), (code, reply)
        submit(client, SENDER, [RECIPIENT], PLAIN)
    shown = relay.json("user", "show", SENDER)[0]
    assert "2000" in str(shown), shown
    assert relay.command("user", "limit", SENDER, "colour=1").returncode != 0
    assert relay.command("user", "limit", SENDER, "recipients=few").returncode != 0


# ---- how long

def test_silence_ends_a_session(world):
    relay = start(world, 'limits { idle_before_login = "1s"  idle = "3s"  data_idle = "2s" }')
    begin = time.monotonic()
    assert rest(connect(relay)[0]).startswith(b"421 4.4.2")
    assert 0.9 < time.monotonic() - begin < 2.9 * PATIENCE
    client = relay.client(relay.login)
    begin = time.monotonic()
    assert client.getreply()[0] == 421
    assert 2.8 < time.monotonic() - begin
    client = relay.client(relay.login)
    begin_data(client)
    client.sock.sendall(b"Subject: x\r\n")
    assert client.getreply()[0] == 421
    relay.stop()
    assert not relay.log.all("queued")


def test_a_command_dribbled_in_byte_by_byte_ends_in_time(world):
    relay = start(world, 'limits { idle_before_login = "2s" }')
    raw, _ = connect(relay)
    begin = time.monotonic()
    raw.settimeout(0.2)
    octets = b""
    for letter in b"EHLO " + b"x" * 200:
        raw.sendall(bytes([letter]))
        try:
            octets = raw.recv(1000)
            break
        except TimeoutError:
            pass
    assert octets.startswith(b"421 4.4.2")
    assert time.monotonic() - begin < 10 * PATIENCE


def test_noop_keeps_a_session_open_and_is_no_error(world):
    relay = start(world, 'limits { idle = "2s" }')
    with relay.client(relay.login) as client:
        for _ in range(8):
            time.sleep(0.5)
            assert client.noop()[0] == 250
        submit(client, SENDER, [RECIPIENT], PLAIN)


@pytest.mark.long
def test_a_message_below_the_least_rate_ends_the_session(world):
    """A minute is measured; one line a second would otherwise hold a session for ever."""
    relay = start(world, 'limits { least_rate = 200 }')
    client = relay.client(relay.login)
    begin_data(client)
    begin = time.monotonic()
    client.sock.settimeout(1)
    while time.monotonic() - begin < 100 * PATIENCE:
        client.sock.sendall(b"X-Slow: y\r\n")
        try:
            assert client.sock.recv(500).startswith(b"421 4.4.2")
            break
        except TimeoutError:
            pass
    assert 55 < time.monotonic() - begin < 90 * PATIENCE


# ---- drain

@pytest.mark.parametrize("who", ["a client in DATA", "a receiver that hangs"])
def test_drain_takes_thirty_seconds_at_most(world, who):
    receiver = world.receiver({"DOT": HANG} if "receiver" in who else {})
    relay = start(world, receiver=receiver)
    client = relay.client(relay.login)
    if "receiver" in who:
        submit(client, SENDER, [RECIPIENT], PLAIN)
        wait_for(lambda: receiver.offered, "the dot has arrived")
    else:
        begin_data(client)
    begin = time.monotonic()
    relay.process.send_signal(signal.SIGTERM)
    assert relay.process.wait(60 * PATIENCE) == 0
    assert time.monotonic() - begin < 30 * PATIENCE


# ---- how full

def test_a_nearly_full_disk_refuses_in_time_and_says_so(world):
    """452 before the disk is full; what is queued is delivered all the while."""
    receiver = world.receiver({"CONNECT": "421 4.3.2 Later"})
    relay = start(world, 'delivery { retry = { "1s" } }\n', receiver=receiver)
    queued = relay.send(relay.login, SENDER, RECIPIENT, text("before"))
    relay.config += 'spool { keep_free = "1TB" }\n'
    mark = relay.reload()
    relay.log.wait("reloaded", role="relay", after=mark, timeout=30 * PATIENCE)
    relay.log.wait("space_low", after=mark, timeout=60 * PATIENCE)
    with relay.client(relay.login) as client:
        code, reply = client.mail(SENDER)
        assert (code, reply[:5]) == (452, b"4.3.1"), (code, reply)
    assert relay.json("health")[0]["disk_full"] is True
    receiver.behaviour.clear()
    relay.wait_delivered(queued)
    relay.config = relay.config.replace("1TB", "1MB")
    mark = relay.reload()
    relay.log.wait("space_ok", after=mark, timeout=60 * PATIENCE)
    relay.wait_delivered(relay.send(relay.login, SENDER, RECIPIENT, text("after")))


def set_keep_free(relay, size, event):
    relay.config += f'spool {{ keep_free = "{size}" }}\n'
    mark = relay.reload()
    relay.log.wait(event, after=mark, timeout=60 * PATIENCE)


@pytest.mark.parametrize("command", [b"DATA\r\n", b"BDAT 10\r\n0123456789"])
def test_a_refused_body_leaves_nobody_behind(world, command):
    """The disk is full between RCPT and the body: the next message of the session is not theirs."""
    receiver = world.receiver()
    relay = start(world, receiver=receiver)
    with relay.client(relay.login) as client:
        assert client.mail(SENDER)[0] == 250
        assert [client.rcpt(f"former{i}@dest.example")[0] for i in range(3)] == [250] * 3
        set_keep_free(relay, "1TB", "space_low")
        client.send(command)
        assert client.getreply()[0] == 452
        set_keep_free(relay, "1MB", "space_ok")
        client.rset()
        identifier = submit(client, SENDER, [RECIPIENT], text("after"))
    relay.wait_delivered(identifier)
    assert [transaction.recipients for transaction in receiver.taken] == [[RECIPIENT]]
