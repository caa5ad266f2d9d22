"""kill -9 in the middle of one thing that the service does: the next start works without hands, and
what was promised holds.  The moment is random; a few by default, many with --long.  And SIGTERM
under load (R10), which may lose and repeat nothing at all."""
import hashlib
import os
import random
import signal
import subprocess
import time

import pytest

import storm
from appliance import BINARY, PATIENCE, environment, submit, wait_for
from messages import PLAIN, text
from test_crash import MARK
from test_crash_storm import Storm

SENDER, RECIPIENT = storm.SENDER, "ann@dest.example"
FEW_AND_MANY = [pytest.param(3, id="few"),
                pytest.param(60, id="many", marks=[pytest.mark.long, pytest.mark.timeout(1800)])]


def start(world, config="", receiver=None, **options):
    relay = world.relay_to(receiver or world.receiver(), 'delivery { retry = { "1s" } }\n' + config,
                           listeners='listen "submission" { address = "127.0.0.1:0" }\n', **options)
    return relay


def pause(longest):
    time.sleep(random.uniform(0, longest))  # the moment of the kill is the random input


def interrupt(relay, *words, stdin=None, longest=0.3):
    """One verb on its way while everything is killed; returns how it ended, and what it said."""
    command = subprocess.Popen(
        [str(BINARY), "--socket", str(relay.folder / "run/control.sock"), *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment())
    if stdin:
        command.stdin.write(stdin)
    command.stdin.close()
    pause(longest)
    relay.kill()
    command.wait(60 * PATIENCE)
    with command.stdout, command.stderr:
        return command.returncode, command.stdout.read() + command.stderr.read()


def delivers(relay, login):
    relay.wait_delivered(relay.send(login, SENDER, RECIPIENT, PLAIN))


# ---- SIGTERM

@pytest.mark.parametrize("recipients", (1, 5))
def test_sigterm_under_load_loses_and_repeats_nothing(world, recipients):
    s = Storm(world, recipients=recipients)
    for _ in range(2):
        s.wait_progress(200)
        begin = time.monotonic()
        s.relay.process.send_signal(signal.SIGTERM)
        assert s.relay.process.wait(60 * PATIENCE) == 0
        assert time.monotonic() - begin < 30 * PATIENCE
        s.relay.start()
    s.wait_progress(50)
    s.finish()
    s.check()
    assert not s.account.repeats()
    assert set(s.account.refused) <= {"421"}, s.account.refused


# ---- the queue's own work

@pytest.mark.parametrize("kills", FEW_AND_MANY)
def test_killed_while_it_compacts(world, kills):
    """Some mail waits while the segments around it empty: it is copied again and again."""
    closed = world.receiver({"CONNECT": "421 4.3.2 Later"})
    s = Storm(world, config=f'route "keep.example" {{ via = "{closed.address}" }}\n'
                            'spool { segment_size = "1MB" }\n')
    kept, n_compacted = {}, 0
    for _ in range(kills):
        for _ in range(15):
            mark = f"k{len(kept)}"
            body = f"{random.getrandbits(400):x}\n" * 20
            kept[mark] = digest(body.encode().replace(b"\n", b"\r\n"))
            with s.relay.client(starttls=False) as client:
                submit(client, SENDER, ["ann@keep.example"], f"X-Mark: {mark}\n" + text(body=body))
            s.wait_progress(60)
        log = s.relay.log
        pause(0.1)
        s.kill("all")
        n_compacted += len(log.all("segment_compacted"))
    s.finish(leaves=len(kept))
    if not n_compacted:
        s.relay.log.wait("segment_compacted", timeout=60 * PATIENCE)
    closed.behaviour.clear()
    wait_for(lambda: s.relay.queue() == [] or None, "the rest leaves", timeout=60)
    found = [(MARK.search(m.data)[1].decode(), digest(m.data.split(b"\r\n\r\n", 1)[1]))
             for m in closed.taken]
    assert sorted(found) == sorted(kept.items())
    s.check()


def digest(octets):
    return hashlib.sha256(octets).hexdigest()


@pytest.mark.parametrize("kills", FEW_AND_MANY)
def test_killed_while_it_rebuilds(world, kills):
    receiver = world.receiver({"CONNECT": "421 4.3.2 Later"})
    relay = start(world, receiver=receiver)
    login = relay.add_user(SENDER)
    marks = [f"m{i}" for i in range(300)]
    with relay.client(login) as client:
        for mark in marks:
            submit(client, SENDER, [RECIPIENT], f"X-Mark: {mark}\n" + text())
    relay.stop()
    for _ in range(kills):
        rebuild = subprocess.Popen([str(BINARY), "queue", "rebuild", "--config",
                                    str(relay.config_file)], env=environment(),
                                   stdout=subprocess.DEVNULL)
        pause(0.05)
        rebuild.kill()
        rebuild.wait()
    receiver.behaviour.clear()
    relay.start()
    wait_for(lambda: relay.queue() == [] or None, "the queue is empty", timeout=60)
    assert sorted(MARK.search(m.data)[1].decode() for m in receiver.taken) == sorted(marks)


# ---- starting and changing

@pytest.mark.parametrize("kills", FEW_AND_MANY)
def test_killed_while_it_starts_for_the_first_time(world, kills):
    for _ in range(kills):
        relay = start(world, start=False)
        relay.start(ready=False)
        pause(0.2)
        relay.kill()
        relay.start()
        delivers(relay, relay.add_user(SENDER))
        relay.stop()


@pytest.mark.parametrize("kills", FEW_AND_MANY)
def test_killed_while_it_reloads(world, kills):
    relay = start(world)
    login = relay.add_user(SENDER)
    for i in range(kills):
        relay.hostname = f"relay{i}.example"
        relay.reload()
        pause(0.05)
        relay.kill()
        relay.start()
        delivers(relay, login)
    with relay.client() as client:
        client.ehlo("x")
        assert client.ehlo_resp.startswith(relay.hostname.encode())


@pytest.mark.parametrize("kills", FEW_AND_MANY)
def test_killed_while_it_makes_keys(world, kills):
    """Half a key is none: the next `dkim new` works, and what leaves is signed twice."""
    receiver = world.receiver()
    relay = start(world, receiver=receiver)
    login = relay.add_user(SENDER)
    relay.cli("domain", "add", "shop.example")
    for i in range(kills):
        interrupt(relay, "dkim", "new", "shop.example", "--selector", f"s{i}", longest=0.5)
        relay.start()
    keys = relay.json("dkim", "list")
    for kind in {"rsa2048", "ed25519"} - {key["type"] for key in keys if is_active(key)}:
        relay.cli("dkim", "new", "shop.example", "--selector", f"last{kind}", "--type", kind)
    delivers(relay, login)
    assert receiver.taken[-1].data.count(b"DKIM-Signature:") == 2
    assert relay.command("dkim", "new", "shop.example", "--selector", "another").returncode == 0


def is_active(key):
    return key.get("state") == "active" or key.get("active") is True


@pytest.mark.parametrize("kills", FEW_AND_MANY)
def test_killed_while_it_adds_a_user(world, kills):
    """What was answered holds; what was not is there or not, and can be said again."""
    relay = start(world)
    for i in range(kills):
        name, password = f"u{i}@shop.example", f"correct horse {i} battery"
        status, _ = interrupt(relay, "user", "add", name, "--password-stdin", stdin=password + "\n")
        relay.start()
        if status != 0:
            done = relay.command("user", "add", name, "--password-stdin", stdin=password + "\n")
            assert done.returncode in (0, os.EX_CANTCREAT), done
        relay.wait_delivered(relay.send((name, password), name, RECIPIENT, text(sender=name)))
    assert len(relay.json("user", "list")) == kills
