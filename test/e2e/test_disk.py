"""Full disks and full inode tables, on small file systems of our own (threats R9): mail is refused in
time, delivery goes on and stops before a verdict could be lost, all by itself again afterwards."""
import os
import socket

import storm
from appliance import PATIENCE, submit, wait_for
from messages import text
from small_disk import SmallDisk
from test_crash import MARK

SENDER, RECIPIENT = storm.SENDER, "ann@dest.example"
KEEP_FREE = 20_000_000
CONFIG = ('delivery { retry = { "1s" } }\nlimits { message_size = "5MB" }\n'
          'spool { segment_size = "1MB"  keep_free = "20MB" }\n')
LATER = {"CONNECT": "421 4.3.2 Later"}


def start_on(world, disk_is="spool", receiver=None, **disk):
    """A service whose folder of that name is a small disk."""
    receiver = receiver or world.receiver()
    relay = world.relay_to(receiver, CONFIG, start=False,
                           listeners='listen "submission" { address = "127.0.0.1:0" }\n')
    relay.disk = SmallDisk(relay.folder / "image", relay.folder / disk_is, **disk)
    world.ends.insert(0, relay.disk.stop)  # after everything else has ended
    relay.start()
    relay.login = relay.add_user(SENDER, "--network", "127.0.0.0/8")
    relay.receiver = receiver
    return relay


def mail_reply(relay):
    with relay.client() as client:
        code, reply = client.mail(SENDER)
    return code, reply[:5].decode()


def send(relay, n, size=1000):
    """n messages; returns their marks."""
    marks = [f"m{os.urandom(6).hex()}" for _ in range(n)]
    with relay.client(relay.login) as client:
        for mark in marks:
            submit(client, SENDER, [RECIPIENT],
                   f"X-Mark: {mark}\n" + text(body=f"{'x' * 70}\n" * (size // 71)))
    return marks


def arrived(relay):
    return [MARK.search(message.data)[1].decode() for message in relay.receiver.taken]


def wait_settled(relay, marks):
    wait_for(lambda: relay.queue() == [] or None, "the queue is empty", timeout=60)
    assert sorted(arrived(relay)) == sorted(marks)  # all, and none twice


def wait_accepting(relay):
    wait_for(lambda: mail_reply(relay)[0] == 250 or None, "mail is taken again", timeout=60)


def health(relay):
    return relay.health()


def test_a_disk_that_fills_with_mail_refuses_before_the_edge(world):
    """The load runs into the watermark at full speed; everything that got a 250 arrives."""
    receiver = world.own(storm.Receiver(world.new_path("storm"), "accept"))
    closed = world.receiver(LATER)
    relay = start_on(world, receiver=closed, megabytes=48)
    host, port = relay.address("submission")
    load = world.own(storm.Load(world.new_path("load"), f"{host}:{port}", pause_us=1000))
    account = storm.Account(load, receiver)
    wait_for(lambda: account.read().refused["452"] > 20, "mail is refused", timeout=60)
    load.stop()
    account.read()
    assert set(account.refused) == {"452"}
    # What was on its way when the edge was seen: a group of ten sessions, and segments made ahead.
    assert relay.disk.free() > KEEP_FREE // 2, relay.disk.free()
    assert mail_reply(relay) == (452, "4.3.1")
    assert health(relay)["disk_full"] is True
    relay.log.wait("space_low")
    relay.config = f'route "*" {{ via = "{receiver.address}" }}\n' + CONFIG
    mark = relay.reload()
    relay.log.wait("reloaded", after=mark, role="relay", timeout=30 * PATIENCE)
    account.wait_all_arrived()
    wait_for(lambda: relay.queue() == [] or None, "the queue is empty", timeout=60)
    account.read().check_contents()
    assert not account.repeats()
    relay.log.wait("space_ok", timeout=60 * PATIENCE)
    wait_accepting(relay)


def test_a_disk_filled_by_others_delivers_out_of_the_reserve(world):
    receiver = world.receiver(LATER)
    relay = start_on(world, receiver=receiver)
    marks = send(relay, 30) + send(relay, 1, size=400_000)
    relay.disk.fill()
    relay.log.wait("space_low", timeout=60 * PATIENCE)
    assert mail_reply(relay) == (452, "4.3.1")
    receiver.behaviour.clear()
    wait_settled(relay, marks)
    assert health(relay)["disk_full"] is True
    assert relay.json("user", "list")  # the panel's side answers all the while
    relay.disk.clear()
    wait_accepting(relay)
    marks += send(relay, 3)
    wait_settled(relay, marks)


def test_without_any_room_delivery_stops_before_a_verdict_is_lost(world):
    """The reserve too is taken away: then nothing is sent whose end could not be written."""
    receiver = world.receiver(LATER)
    relay = start_on(world, receiver=receiver)
    marks = send(relay, 40)
    relay.disk.fill()
    relay.log.wait("space_low", timeout=60 * PATIENCE)
    reserve = relay.folder / "spool/reserve"
    wait_for(lambda: take_reserve(relay, reserve), "the reserve is used up", timeout=60)
    receiver.behaviour.clear()
    wait_for(lambda: health(relay)["queue"] is False or relay.queue() == [],
             "delivery stops or ends", timeout=60)
    n_offered = len(receiver.offered)
    wait_for(lambda: relay.json("queue", "summary") is not None, "the socket answers")
    assert len(receiver.offered) <= n_offered + 20  # one a connection at most
    relay.disk.clear()
    wait_settled(relay, marks)
    wait_accepting(relay)
    wait_settled(relay, marks + send(relay, 2))


def take_reserve(relay, reserve):
    """Once verdicts have taken the reserve, its blocks are somebody else's at once."""
    if reserve.exists():
        relay.disk.fill()  # the room that the queue's log gave back
        relay.cli("queue", "retry", "--all")  # a dead host is left alone for longer and longer
        return False
    relay.disk.fill()
    return True


def test_a_long_message_that_meets_the_end_of_the_disk_is_refused(world):
    relay = start_on(world)
    relay.config = relay.config.replace('message_size = "5MB"', 'message_size = "40MB"')
    mark = relay.reload()
    relay.log.wait("reloaded", after=mark, role="relay", timeout=30 * PATIENCE)
    relay.disk.fill(leave=62_000_000)  # 60 MB are kept free: one and a half times the largest
    with relay.client(relay.login) as first, relay.client(relay.login) as second:
        begun = [begin_data(client) for client in (first, second)]
        assert begun == [354, 354]
        block = (b"x" * 998 + b"\r\n") * 1000
        for _ in range(35):
            for client in (first, second):
                client.sock.sendall(block)
        replies = []
        for client in (first, second):
            client.sock.sendall(b".\r\n")
            replies.append(client.getreply())
    refused = [reply for code, reply in replies if code != 250]
    assert refused and all(reply.startswith(b"4.3.1") for reply in refused), replies
    wait_for(lambda: relay.queue() == [] or None, "what was taken is delivered", timeout=60)
    wait_for(lambda: not list((relay.folder / "spool/large").iterdir()) or None,
             "no file is left behind")
    assert len(relay.receiver.taken) == sum(code == 250 for code, _ in replies)
    relay.disk.clear()
    wait_accepting(relay)


def begin_data(client):
    client.mail(SENDER)
    client.rcpt(RECIPIENT)
    client.putcmd("data")
    code, _ = client.getreply()
    client.sock.sendall(f"From: {SENDER}\r\nSubject: long\r\nX-Mark: long\r\n\r\n".encode())
    return code


def test_kill_and_start_on_a_full_disk(world):
    receiver = world.receiver(LATER)
    relay = start_on(world, receiver=receiver)
    marks = send(relay, 20)
    relay.disk.fill()
    relay.log.wait("space_low", timeout=60 * PATIENCE)
    relay.kill()
    relay.disk.fill()
    relay.start()
    assert mail_reply(relay) == (452, "4.3.1")
    receiver.behaviour.clear()
    relay.disk.clear()
    wait_settled(relay, marks)
    wait_accepting(relay)


def test_a_full_inode_table_refuses_in_time_and_mends_itself(world):
    receiver = world.receiver(LATER)
    relay = start_on(world, receiver=receiver, inodes=400)
    marks = send(relay, 10) + send(relay, 2, size=400_000)
    relay.disk.fill_inodes()
    relay.log.wait("space_low", timeout=60 * PATIENCE)
    assert mail_reply(relay) == (452, "4.3.1")
    receiver.behaviour.clear()
    wait_settled(relay, marks)
    relay.disk.clear_inodes()
    wait_accepting(relay)
    wait_settled(relay, marks + send(relay, 2, size=400_000))


def test_users_on_a_full_disk_are_refused_in_words_and_made_later(world):
    """staffetta.db: the queue's disk has room, that of the users has none."""
    relay = start_on(world, disk_is="data")
    relay.disk.fill()
    done = None
    for i in range(2000):  # until the pages that SQLite still had are used up
        done = relay.command("user", "add", f"u{i}@shop.example", "--generate")
        if done.returncode:
            break
    assert done.returncode == 74, done
    assert done.stderr == ("staffetta: the settings could not be stored: "
                           "No space left on device\n")
    assert done.stdout == ""  # no password for a user who is not there
    name = f"u{i}@shop.example"
    assert name not in [user["name"] for user in relay.json("user", "list")]
    marks = send(relay, 2)
    wait_settled(relay, marks)
    relay.disk.clear()
    login = relay.add_user(name)
    assert login[1]
    relay.restart()
    assert name in [user["name"] for user in relay.json("user", "list")]


def test_a_log_on_a_full_disk_stops_nothing(world):
    """stderr fails at every write; mail goes in and out, the socket answers."""
    receiver = world.receiver()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    relay = world.relay_to(receiver, CONFIG, start=False,
                           listeners=f'listen "submission" {{ address = "127.0.0.1:{port}" }}\n',
                           prefix=("/bin/sh", "-c", 'exec "$@" 2>/dev/full', "sh"))
    relay.start(ready=False)
    wait_for(lambda: relay.command("health").returncode == 0 or None, "health is 0", timeout=60)
    relay.address = lambda name: ("127.0.0.1", port)
    relay.login = relay.add_user(SENDER)
    relay.receiver = receiver
    wait_settled(relay, send(relay, 20))
    relay.stop()
