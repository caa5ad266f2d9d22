"""Receivers on loopback addresses that share one port, as MX hosts of the world share port 25, and what
their traces (`staffetta sink --trace`) say: how many at once, how many in any window of time."""
import collections
import json
import random
import socket

from appliance import PATIENCE
from receivers import Sink

# A receiver looks at its clock when it gets the processor, not when the octets came: what came in
# time may be noted late.  Windows are shorter by this much, and receivers run before others.
JITTER = 0.05 * PATIENCE


class TracedSink(Sink):
    """A sink at host:port that writes down what it sees; its trace goes on over several lives."""

    def __init__(self, folder, host, port, script=None, certificate=None):
        super().__init__(folder, script=script, listen=f"{host}:{port}", keep=False,
                         certificate=certificate, options=["--trace", str(folder / "trace")], prefix=["nice", "-n", "-10"])

    def trace(self, event=None, code=None):
        """The lines so far, as dicts: all, or those of an event (that was answered so)."""
        with open(self.folder / "trace", encoding="utf-8") as file:
            lines = [json.loads(line) for line in file.read().splitlines() if line.endswith("}")]
        return [line for line in lines if event in (None, line["event"])
                and code in (None, line["code"])]

    def times(self, event, code=None):
        return [line["t"] for line in self.trace(event, code)]


def most_in_window(times, seconds):
    """The most that lie within any window of so many seconds (less the jitter of the notes)."""
    times, first, most = sorted(times), 0, 0
    for last, time in enumerate(times):
        while time - times[first] >= seconds - JITTER:
            first += 1
        most = max(most, last - first + 1)
    return most


def most_open(*sinks, peer=None):
    """Connections at once to all of them together (from one of our addresses), ever."""
    steps = sorted((line["t"], 1 if line["event"] == "CONNECT" else -1)
                   for sink in sinks for line in sink.trace()
                   if line["event"] in ("CONNECT", "CLOSE") and peer in (None, line["peer"]))
    now = most = 0
    for _, step in steps:
        now += step
        most = max(most, now)
    return most


def most_per_connection(sink):
    counts = collections.Counter(line["connection"] for line in sink.trace("DOT"))
    return max(counts.values(), default=0)


class Town:
    """Domains, each with a sink of its own and its script (None: it does not listen), and the settings
    by which a service finds them.  A name without a dot is `NAME.example`, with the mail host
    `mx.NAME.example`, or in the domain `PROVIDER.example` when there is a provider; one with dots is
    a zone of its own.  zone: more lines of `example`."""

    def __init__(self, world, scripts, provider="", certificate=None, zone=""):
        self.prefix = f"127.{random.randint(2, 250)}.{random.randint(1, 250)}"
        self.hosts = {name: f"{self.prefix}.{n}" for n, name in enumerate(scripts, 1)}
        with socket.socket() as probe:
            probe.bind((next(iter(self.hosts.values())), 0))
            self.port = probe.getsockname()[1]
        self.sinks = {name: world.own(TracedSink(world.new_path(name), self.hosts[name], self.port,
                                                 script, certificate))
                      for name, script in scripts.items() if script is not None}
        suffix = f".{provider}" if provider else ""
        zones = {"example": "".join(
            f"{name} MX 10 mx.{name}{suffix}\nmx.{name}{suffix} A {host}\n"
            for name, host in self.hosts.items() if "." not in name) + zone}
        zones.update((name, f"@ MX 10 mx\nmx A {host}\n")
                     for name, host in self.hosts.items() if "." in name)
        self.dns = world.name_server(zones)

    def settings(self, delivery, more=""):
        return (f'{self.dns.settings()}delivery {{ port = {self.port}  '
                f'allow_mx = {{ "127.0.0.0/8" }}  {delivery} }}\n{more}\n')

    def __getitem__(self, name):
        return self.sinks[name]


def ends(log, after=0):
    """How each recipient ended: {(msg, rcpt): [event, ...]}."""
    found = collections.defaultdict(list)
    with log.changed:
        for event in log.events[after:]:
            if event.name in ("delivered", "bounced", "expired", "deleted"):
                found[event["msg"], event["rcpt"]].append(event.name)
    return found
