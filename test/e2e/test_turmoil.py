"""Everything at once, while nothing is killed but the signer: clients that send, break off and are
refused; a receiver that defers, refuses and drops; reloads, operators' commands, signers that die.
Then count: each recipient that got its 250 ended exactly once, and nothing came twice but what was
in doubt.  TURMOIL_SECONDS says how long (6 unless set)."""
import collections
import os
import random
import re
import signal
import smtplib
import socket
import threading
import time

import pytest

from appliance import PATIENCE, wait_for

pytestmark = pytest.mark.sanitized
SECONDS = float(os.environ.get("TURMOIL_SECONDS", "6"))
SENDER = "news@shop.example"
MARK = re.compile(rb"^X-Mark: (\S+)\r$", re.M)
ENDS = ("delivered", "bounced", "expired", "deleted")
CLIENTS = 6


def moody(chance, *replies):
    return lambda session, argument: random.choice(replies) if random.random() < chance else None


MOODS = {
    "CONNECT": moody(0.05, "421 4.3.2 Not now", "DROP"),
    "EHLO": moody(0.02, "DROP"),
    "MAIL": moody(0.05, "421 4.7.0 Slower", "451 4.3.0 Later", "DROP"),
    "RCPT": moody(0.15, "450 4.2.1 Come back", "550 5.1.1 Nobody", "452 4.5.3 Too many"),
    "DATA": moody(0.05, "451 4.3.0 Later", "DROP", "554 5.7.1 No"),
    "DOT": moody(0.05, "451 4.3.0 Later", "421 4.3.2 Going down"),
}


class Worker(threading.Thread):
    """Repeats its work until told to end; keeps what was wrong with it."""

    def __init__(self, work):
        super().__init__(daemon=True)
        self.work, self.is_ending, self.problem = work, False, None
        self.start()

    def run(self):
        while not self.is_ending and not self.problem:
            try:
                self.work()
            except (OSError, EOFError, smtplib.SMTPException):
                time.sleep(0.01)  # the service broke the connection, as it may; no event tells
            except Exception as problem:  # pylint: disable=broad-except
                self.problem = problem

    def end(self):
        self.is_ending = True
        self.join(120 * PATIENCE)
        assert not self.is_alive()
        if self.problem:
            raise self.problem


class Sender:
    """Sends letters, long ones and wrong ones; remembers the 250s: mark -> (id, recipients)."""

    def __init__(self, relay, name):
        self.relay, self.name, self.n, self.accepted = relay, name, 0, {}

    def letter(self, mark, sender=SENDER):
        body = b"x" * 70 + b"\r\n"
        return (f"From: {sender}\r\nTo: all\r\nX-Mark: {mark}\r\nSubject: {mark}\r\n\r\n".encode()
                + body * random.choice((1, 1, 20, 5000)))

    def work(self):
        with self.relay.client(self.relay.login) as client:
            for _ in range(random.randint(1, 8)):
                random.choice((self.send, self.send, self.send, self.forge, self.reset))(client)
            if random.random() < 0.3:
                self.break_off(client)

    def begin(self, client):
        recipients = [f"r{i}@d{random.randrange(6)}.example"
                      for i in range(random.choice((1, 1, 2, 30)))]
        client.mail(SENDER)
        for recipient in recipients:
            client.rcpt(recipient)
        return recipients

    def send(self, client):
        self.n += 1
        mark = f"{self.name}.{self.n}"
        recipients = self.begin(client)
        code, reply = client.data(self.letter(mark))
        if code == 250:
            self.accepted[mark] = (reply.split()[-1].decode(), len(set(recipients)))
        else:
            assert code // 100 == 4, reply

    def forge(self, client):
        self.begin(client)
        code, reply = client.data(self.letter("forged", "ceo@bank.example"))
        assert code == 550, reply

    def reset(self, client):
        self.begin(client)
        client.rset()

    def break_off(self, client):
        self.begin(client)
        client.putcmd("data")
        client.getreply()
        client.sock.sendall(self.letter("broken")[:-1])
        client.sock.shutdown(socket.SHUT_RDWR)  # close() would wait for smtplib's own file


class Operator:
    kills, one_at_a_time = 2, threading.Lock()  # after each kill the next start waits longer

    def __init__(self, relay):
        self.relay = relay

    def work(self):
        random.choice((self.kill_signer, self.reload, self.order, self.order, self.look,
                       self.suspend))()

    def kill_signer(self):
        with Operator.one_at_a_time:
            pids = [pid for pid, name in self.relay.children().items() if "sign" in name]
            if not pids or Operator.kills == 0:
                return
            Operator.kills -= 1
            mark = self.relay.log.mark()
            os.kill(pids[0], signal.SIGKILL)
            self.relay.log.wait("child_started", after=mark, role="signer", timeout=30 * PATIENCE)

    def reload(self):
        self.relay.reload()

    def order(self):
        verb = random.choice(("retry", "requeue", "hold", "release", "release"))
        words = random.choice((("--all",), ("--dest", f"d{random.randrange(6)}.example"),
                               ("--user", SENDER)))
        self.relay.command("queue", verb, *words)

    def look(self):
        self.relay.cli("queue", "summary")
        self.relay.cli("queue", "list", "--limit", "20")
        self.relay.cli("destination", "list")
        self.relay.cli("queue", "why", f"d{random.randrange(6)}.example")

    def suspend(self):
        name = f"d{random.randrange(6)}.example"
        self.relay.command("destination", "suspend", name, "--reason", "turmoil")
        self.relay.command("destination", "resume", name)


def settle(relay):
    """Nothing is held or suspended any more, and everything has an end."""
    for number in range(6):
        relay.command("destination", "resume", f"d{number}.example")

    def is_empty():
        relay.cli("queue", "release", "--all")
        relay.cli("queue", "retry", "--all")
        return not relay.queue() or None
    wait_for(is_empty, "the queue drains", timeout=120, pause=0.2)


def test_each_recipient_ends_once(world):
    receiver = world.receiver(MOODS)
    relay = world.relay_to(receiver, 'delivery { retry = { "1s" } }\nlog { level = "info" }\n')
    relay.login = relay.add_user(SENDER)
    relay.cli("domain", "add", "shop.example")
    relay.cli("dkim", "new", "shop.example", "--type", "ed25519")
    senders = [Sender(relay, f"c{i}") for i in range(CLIENTS)]
    workers = [Worker(one.work) for one in senders] + [
        Worker(Operator(relay).work) for _ in range(2)]
    time.sleep(SECONDS)  # the load itself, not a wait for an event
    for worker in workers:
        worker.end()
    receiver.behaviour.clear()
    settle(relay)

    def ends():
        return collections.Counter(
            (event["msg"], event["rcpt"]) for name in ENDS for event in relay.log.all(name))

    accepted = {mark: value for one in senders for mark, value in one.accepted.items()}
    wanted = {(identifier, str(n + 1))
              for identifier, n_recipients in accepted.values() for n in range(n_recipients)}
    # An end is told after its row is gone, so the last lines may still be on their way.
    wait_for(lambda: wanted <= ends().keys(), "each recipient's end is told")
    ended = ends()
    doubtful = {(event["msg"], event["rcpt"]) for event in relay.log.all("doubtful")}
    assert len(accepted) > 10
    for mark, (identifier, n_recipients) in accepted.items():
        counts = [ended[identifier, str(n + 1)] for n in range(n_recipients)]
        assert counts == [1] * n_recipients, (mark, identifier, counts)
    taken = collections.Counter()
    for mail in receiver.taken:
        if not mail.sender:
            continue  # a report
        mark = MARK.search(mail.data)[1].decode()
        assert mark not in ("forged", "broken")
        for recipient in mail.recipients:
            taken[mark, recipient] += 1
    twice = {key for key, count in taken.items() if count > 1 and key[0] in accepted}
    marks_in_doubt = {mark for mark, (identifier, _) in accepted.items()
                      if any(msg == identifier for msg, _ in doubtful)}
    assert {mark for mark, _ in twice} <= marks_in_doubt, twice
    assert sum(taken.values()) >= len(relay.log.all("delivered")) - len(
        [e for e in relay.log.all("delivered") if e.get("to") == SENDER])
    assert not list((relay.folder / "spool/large").iterdir())
