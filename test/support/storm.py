"""Load and receiver for tests that kill the service (`storm`, test/support/storm.h), and the account
that is drawn up afterwards: what got a 250, what arrived, what arrived twice."""
import collections
import re
import subprocess

from appliance import BINARY, wait_for

PROGRAM = BINARY.parent / "test/storm"
SENDER = "news@shop.example"
TOLD = re.compile(r" event=(delivered|bounced|expired|deleted) msg=(\S+) rcpt=(\d+) ")


class Facts:
    """A file that storm appends whole lines to, read as it grows."""

    def __init__(self, path):
        path.touch()
        self.file, self.rest = open(path, encoding="ascii"), ""

    def new(self):
        """The facts since the last call, each a list of words."""
        lines = (self.rest + self.file.read()).split("\n")
        self.rest = lines.pop()
        return [line.split() for line in lines]


class Program:
    def __init__(self, path, *words):
        self.facts = Facts(path)
        self.process = subprocess.Popen([str(PROGRAM), *map(str, words), "--out", str(path)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)

    def stop(self):
        """storm has nothing to tidy: what it noted is on file."""
        if self.process.returncode is None:
            status = self.process.poll()
            assert status in (None, 0), f"storm ended by itself with {status}"
            self.process.kill()
            self.process.communicate()


class Receiver(Program):
    def __init__(self, path, mode="accept"):
        super().__init__(path, "receive", "--listen", "127.0.0.1:0", "--mode", mode)
        self.address = f"127.0.0.1:{int(self.process.stdout.readline())}"


class Load(Program):
    def __init__(self, path, to, recipients=1, connections=10, **options):
        words = [word for name, value in options.items()
                 for word in ("--" + name.replace("_", "-"), value)]
        super().__init__(path, "load", "--to", to, "--sender", SENDER, "--recipients", recipients,
                         "--connections", connections, *words)


class Account:
    """Read load and receiver as they go on."""

    def __init__(self, load, receiver):
        self.load, self.receiver = load, receiver
        self.acknowledged = {}  # mark -> (queue id, SHA-256, number of recipients)
        self.times = []  # of the 250s
        self.refused = collections.Counter()
        self.arrived = collections.defaultdict(list)  # (mark, recipient) -> times
        self.digests, self.signatures = {}, collections.Counter()
        self.n_cut = 0  # taken, but the receiver broke off instead of saying so
        self.changed = []

    def read(self):
        for what, time, *rest in self.load.facts.new():
            if what == "A":
                identifier, mark, digest, n = rest
                self.times.append(float(time))
                self.acknowledged[mark] = (identifier, digest, int(n))
            else:
                self.refused[rest[0]] += 1
        for what, time, mark, digest, n_signatures, recipients in self.receiver.facts.new():
            if self.digests.setdefault(mark, digest) != digest:
                self.changed.append(mark)
            self.signatures[int(n_signatures)] += 1
            if what == "X":
                self.n_cut += 1
                continue
            for recipient in recipients.split(","):
                self.arrived[mark, recipient].append(float(time))
        return self

    def n_acknowledged(self):
        return len(self.read().acknowledged)

    def missing(self):
        return [(mark, f"r{i}") for mark, (_, _, n) in self.acknowledged.items()
                for i in range(1, n + 1) if (mark, f"r{i}") not in self.arrived]

    def wait_all_arrived(self, timeout=60):
        """Waits anew as long as something arrives: only standing still is a failure."""
        while missing := len(self.read().missing()):
            wait_for(lambda: len(self.read().missing()) < missing, f"some of {missing} arrive",
                     timeout=timeout, pause=0.1)

    def deliveries(self):
        return sum(len(times) for times in self.arrived.values())

    def repeats(self):
        """Times of each arrival after the first of its recipient."""
        return sorted(time for times in self.arrived.values() for time in times[1:])

    def check_contents(self):
        wrong = [mark for mark, (_, digest, _) in self.acknowledged.items()
                 if mark in self.digests and self.digests[mark] != digest]
        assert not wrong and not self.changed, (wrong[:5], self.changed[:5])


def told_twice(log_file):
    """Recipients whose end was told more than once.  An end is told only when it is committed, so a
    repeat after it would be more than what was in flight."""
    with open(log_file, encoding="utf-8", errors="replace") as file:
        ends = collections.Counter(match.groups()[1:] for match in map(TOLD.search, file) if match)
    return [end for end, n in ends.items() if n > 1]
