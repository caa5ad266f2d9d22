"""kill -9 of the relay, the signer, the parent or all of them at random moments under load, then the
account (threats R1-R3): every acknowledged recipient arrives, unchanged; what arrives twice was in
flight.  A few kills of each kind by default; with --long the whole matrix, STORM_KILLS and
STORM_MESSAGES say how much of it.  Figures: README.md."""
import os
import random
import signal
import time

import pytest

import storm
from appliance import PATIENCE, wait_for

MODES = ("accept", "defer", "mixed", "nasty")
VICTIMS = ("relay", "signer", "parent", "all")
# Sanitizers (whose patience is longer) see every cell too, but not for hours each.
KILLS = int(os.environ.get("STORM_KILLS", "50" if PATIENCE == 1 else "5"))
MESSAGES = int(os.environ.get("STORM_MESSAGES", 1000 * KILLS))
ROUTE_CONNECTIONS = 20
CONFIG = ('delivery { retry = { "%s" } }\nroute "*" { via = "%s"  connections = %d }\n'
          'limits { message_size = "1MB" }\n')


class Storm:
    def __init__(self, world, mode="accept", recipients=1, is_signed=False, config="", route=None,
                 retry="1s", **options):
        path = world.new_path("storm")
        self.receiver = world.own(storm.Receiver(path.with_suffix(".received"), mode))
        self.relay = world.appliance(CONFIG % (retry, route or self.receiver.address,
                                                         ROUTE_CONNECTIONS) + config, start=False, listeners='listen "submission" { address = "127.0.0.1:0" }\n')
        self.relay.ignored_events = ("queued", "delivered", "deferred", "doubtful")
        self.relay.start()
        host, port = self.relay.address("submission")
        # Kept over restarts, so that clients find the service again.
        self.relay.listeners = f'listen "submission" {{ address = "{host}:{port}" }}\n'
        self.relay.cli("user", "add", storm.SENDER, "--generate", "--network", "127.0.0.0/8")
        if is_signed:
            self.relay.cli("domain", "add", "shop.example")
            self.relay.cli("dkim", "new", "shop.example")
        self.load = world.own(storm.Load(path.with_suffix(".sent"), f"{host}:{port}", recipients,
                                         **options))
        self.account = storm.Account(self.load, self.receiver)

    def acknowledged_at(self):
        return self.account.read().times

    def wait_progress(self, n):
        """n more messages are acknowledged."""
        wanted = self.account.n_acknowledged() + n
        wait_for(lambda: self.account.n_acknowledged() >= wanted, "progress", timeout=60, pause=0.01)

    def child(self, is_signer):
        return next(pid for pid, name in self.relay.children().items() if ("sign" in name) == is_signer)

    def kill(self, victim):
        mark = self.relay.log.mark()
        if victim == "all":
            self.relay.kill()
            self.relay.start()
        elif victim == "parent":
            self.relay.process.kill()
            self.relay.process.wait()
            self.relay.start()  # at once: no orphan may keep the ports or the spool
        else:
            os.kill(self.child(victim == "signer"), signal.SIGKILL)
            self.relay.log.wait("child_started", after=mark, timeout=60 * PATIENCE)
            if victim == "relay":
                self.relay.log.wait("ready", after=mark, timeout=60 * PATIENCE)

    def finish(self, leaves=0):
        """Ends the load and waits for the queue; so many messages of others stay in it."""
        self.load.stop()
        self.account.wait_all_arrived()
        wait_for(lambda: len(self.relay.queue()) == leaves or None, "the queue is empty", timeout=60)

    def check(self):
        self.account.read().check_contents()
        assert not self.account.missing()
        self.relay.stop()  # the log is whole
        assert storm.told_twice(self.relay.folder / "log") == []


def ages(account, kills):
    """How long before the nearest kill the receiver had taken what came again: what was open, and
    where.  (Less than 0: its octets lay in a socket's buffer, and were read after the kill.)"""
    last = sorted(min((kill - taken[0] for kill in kills), key=abs)
                  for taken in account.arrived.values() if len(taken) > 1)
    return " ".join(f"p{p} {1000 * last[len(last) * p // 100]:.1f} ms" for p in (10, 50, 90, 99)
                    if last) or "-"


def report(kind, account, kills):
    repeats, deliveries = account.repeats(), account.deliveries()
    times = [time for time in kills] + [float("inf")]
    each = [sum(times[i] <= r < times[i + 1] for r in repeats) for i in range(len(kills))]
    print(f"\n{kind}: {len(kills)} kills, {len(account.acknowledged)} messages acknowledged, "
          f"{deliveries} deliveries, {len(account.missing())} lost, {len(repeats)} repeated = "
          f"{100 * len(repeats) / deliveries:.3f} %, most after one kill {max(each)}; "
          f"first taken before the kill: {ages(account, kills)}")
    return len(repeats), max(each)


def run(world, mode, victim, recipients, kills, per_kill, **options):
    is_signed = victim in ("signer", "parent")
    s = Storm(world, mode, recipients, is_signed, **options)
    times = []
    for _ in range(kills):
        s.wait_progress(per_kill)
        time.sleep(random.uniform(0, 0.05))  # the moment of the kill is the random input
        times.append(time.monotonic())
        s.kill(victim)
    s.finish()
    result = report(f"{mode}, {victim}, {recipients} recipients", s.account, times)
    s.check()
    n_repeated, most_after_one = result
    # What was open: transactions on the wire, one a connection.  A verdict that was read and waited
    # for its commit is in the record (relay/spool/marks.h).
    assert most_after_one <= recipients * ROUTE_CONNECTIONS, result
    if is_signed:
        assert set(s.account.signatures) == {2}, s.account.signatures
    if victim == "signer" and mode != "nasty":
        assert n_repeated == 0  # the signer's end is no reason to send anything twice


@pytest.mark.parametrize(("mode", "victim", "recipients"), [
    ("defer", "relay", 1), ("accept", "signer", 5), ("mixed", "parent", 1), ("nasty", "all", 1)])
def test_nothing_acknowledged_is_lost(world, mode, victim, recipients):
    run(world, mode, victim, recipients, kills=3, per_kill=20, connections=4, pause_us=5000)


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("recipients", (1, 5))
@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("mode", MODES)
def test_the_whole_matrix(world, mode, victim, recipients):
    run(world, mode, victim, recipients, KILLS, MESSAGES // KILLS)
