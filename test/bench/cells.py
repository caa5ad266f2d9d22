"""What is measured, and what is to be reached."""
from contenders import Cell

ALL = ("staffetta", "floor", "postfix", "haraka")
NAMES = (*ALL, "floorsingly")  # all there are
OURS = ("staffetta", "floor")

# The default selection: it answers every target.  `--all` adds MORE.
CELLS = (
    Cell("main", contenders=ALL),
    Cell("2kb", size=2000, contenders=OURS),
    Cell("100kb", size=100000, contenders=OURS),
    Cell("plain-in", tls_in=False, contenders=OURS),
    Cell("tls-out", tls_out=True, contenders=OURS),
    Cell("unsigned", keys="none", contenders=OURS),
    Cell("rsa+ed25519", keys="both", contenders=("staffetta",)),
    Cell("500-connections", connections=500, contenders=("staffetta",)),
    Cell("50-recipients", recipients=50, contenders=("staffetta", "postfix", "haraka")),
    Cell("50-domains", domains=50, contenders=("staffetta",)),
    Cell("5000-domains", domains=5000, contenders=("staffetta",)),
    # Several destinations: one has 1,000 connections at most, too few for 0.4 s a message.
    Cell("receiver-0ms", domains=5, out_connections=1000, seconds=12, contenders=("staffetta",)),
    Cell("receiver-100ms", domains=5, out_connections=1000, delay_ms=100, seconds=12,
         contenders=("staffetta",)),
    Cell("20-a-second", rate=20, seconds=12, connections=4, contenders=("staffetta", "postfix")),
)
MORE = (
    Cell("2kb-peers", size=2000, contenders=("postfix", "haraka")),
    Cell("100kb-peers", size=100000, contenders=("postfix", "haraka")),
    Cell("both-tls", tls_out=True, contenders=("staffetta", "postfix", "haraka")),
    Cell("plain-both", tls_in=False, contenders=("postfix", "haraka")),
    Cell("50-recipients-50-domains", recipients=50, domains=50, contenders=("staffetta",)),
    Cell("50-recipients-5000-domains", recipients=50, domains=5000, contenders=("staffetta",)),
    Cell("50-domains-postfix", domains=50, contenders=("postfix",)),
    Cell("5000-domains-postfix", domains=5000, contenders=("postfix",)),
    Cell("100-connections", connections=100, contenders=("staffetta", "postfix", "haraka")),
    Cell("500-connections-peers", connections=500, contenders=("postfix", "haraka")),
    Cell("floor-of-20-clients", contenders=("staffetta", "floor", "floorsingly")),
    Cell("one-message-a-connection", per_connection=1, contenders=("staffetta", "postfix")),
)
QUICK = (
    Cell("main", seconds=1, contenders=ALL),
    Cell("2kb", size=2000, seconds=1, contenders=OURS),
    Cell("20-a-second", rate=20, seconds=3, connections=4, contenders=("staffetta",)),
)


class Target:
    """`value` takes a function get(cell, contender, figure) -> median, or None when not measured."""

    def __init__(self, text, at_most=None, at_least=None, unit="", value=None):
        self.text, self.at_most, self.at_least = text, at_most, at_least
        self.unit, self.value = unit, value

    def judge(self, get):
        """(figure, "reached" or by how much it is missed), or None."""
        try:
            value = self.value(get)
        except (TypeError, ValueError, ZeroDivisionError):
            return None
        if self.at_most is not None:
            ok, by = value <= self.at_most, value / self.at_most - 1
        else:
            ok, by = value >= self.at_least, 1 - value / self.at_least
        return value, "reached" if ok else f"missed by {100 * by:.0f} %"


def over_floor(cell):
    return lambda get: get(cell, "staffetta", "cpu_ms") / get(cell, "floor", "cpu_ms")


def against_peer(cell, peer, figure):
    return lambda get: get(cell, "staffetta", figure) / get(cell, peer, figure)


def per_cpu_second(get):
    return get("main", "postfix", "cpu_ms") / get("main", "staffetta", "cpu_ms")


def best_peer_recipients(get):
    peers = [get("50-recipients", peer, "recipients_s") for peer in ("postfix", "haraka")]
    return get("50-recipients", "staffetta", "recipients_s") / max(
        value for value in peers if value is not None)


def slowed(get):
    return 100 * (1 - get("receiver-100ms", "staffetta", "steady_s") /
                  get("receiver-0ms", "staffetta", "steady_s"))


def ours(cell, figure):
    return lambda get: 1.0 * get(cell, "staffetta", figure)


TARGETS = (
    Target("CPU per message over the floor's, 20 KB", at_most=1.3, unit="x",
           value=over_floor("main")),
    Target("the same, 2 KB", at_most=1.4, unit="x", value=over_floor("2kb")),
    Target("the same, 100 KB", at_most=1.4, unit="x", value=over_floor("100kb")),
    Target("messages per CPU second over Postfix with opendkim", at_least=12, unit="x",
           value=per_cpu_second),
    Target("messages per second over Postfix with opendkim", at_least=8, unit="x",
           value=against_peer("main", "postfix", "delivered_s")),
    Target("100 KB: share of the floor's messages per second", at_least=0.7,
           value=against_peer("100kb", "floor", "delivered_s")),
    Target("100 KB: messages per second (best published, without fsync: 750)", at_least=750,
           unit="/s", value=ours("100kb", "delivered_s")),
    Target("20 a second: final dot to delivered, p50", at_most=2, unit="ms",
           value=ours("20-a-second", "delivery_p50_ms")),
    Target("20 a second: final dot to delivered, p99", at_most=5, unit="ms",
           value=ours("20-a-second", "delivery_p99_ms")),
    Target("20 a second: p50 over Postfix's", at_most=1, unit="x",
           value=against_peer("20-a-second", "postfix", "delivery_p50_ms")),
    Target("20 a second: p99 over Postfix's", at_most=1, unit="x",
           value=against_peer("20-a-second", "postfix", "delivery_p99_ms")),
    Target("throughput lost to receivers that take 100 ms per command", at_most=10, unit="%",
           value=slowed),
    Target("50 recipients: recipients per second over the best peer's", at_least=5, unit="x",
           value=best_peer_recipients),
    Target("messages per fsync, 64 sessions", at_least=10, value=ours("syncs", "per_sync")),
    Target("memory of an idle session, plain", at_most=20, unit="KB",
           value=ours("sessions", "plain_kb")),
    Target("memory of an idle session, TLS", at_most=50, unit="KB",
           value=ours("sessions", "tls_kb")),
    Target("memory of the idle service", at_most=30, unit="MB", value=ours("idle", "pss_mb")),
    Target("wake-ups of the idle service, all threads", at_most=1, unit="/s",
           value=ours("idle", "wakeups_s")),
)
