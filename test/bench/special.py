"""What is no throughput: syncs, idle sessions, the idle service.  Each returns its figures."""
import pathlib
import re
import subprocess
import time

from contenders import USER, Cell, Staffetta
from measure import Group, Load


def counted_by():
    group = Group("probe")
    group.end()
    return group.kind


class Traced(Staffetta):
    """Under strace with a filter that stops at syncs only; every sync of every process counts,
    those of the database too."""

    def __init__(self, world, cell):
        super().__init__(world, cell)
        self.trace = self.folder / "syncs"
        self.prefix = ("strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=fsync,fdatasync",
                       "-e", "signal=none", "-o", str(self.trace))

    def n_syncs(self):
        return len(re.findall(r"\b(?:fsync|fdatasync)\(", self.trace.read_text()))


def syncs(world, quick):
    """Messages per fsync with 64 sessions."""
    contender = Traced(world, Cell("syncs", connections=64, out_connections=64))
    try:
        contender.start()
        Load(world.programs, world.folder, contender.load_words(), 200).run()
        contender.receiver.wait("messages", 200, 60)
        before, messages = contender.n_syncs(), 1000 if quick else 6000
        Load(world.programs, world.folder, contender.load_words(), messages).run()
        assert contender.receiver.wait("messages", 200 + messages, 120)
        time.sleep(0.5)
        return {"per_sync": messages / (contender.n_syncs() - before)}
    finally:
        contender.stop()


def held_memory(world, tls, n):
    contender = Staffetta(world, Cell(f"held-{'tls' if tls else 'plain'}", tls_in=tls, keys="none"))
    process = None
    try:
        contender.start()
        Load(world.programs, world.folder, contender.load_words(), 200).run()
        time.sleep(1)
        before = contender.group.pss_bytes()
        words = [str(word) for word in (world.programs / "load", *contender.load_words(),
                                        "--connections", n, "--hold", 600)]
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline().startswith("ready"), "sessions did not open"
        time.sleep(1)
        return (contender.group.pss_bytes() - before) / n / 1000
    finally:
        if process:
            process.kill()
            process.wait()
        contender.stop()


def sessions(world, quick):
    """User-space memory of one idle session that has logged in (sockets are the kernel's)."""
    n = 200 if quick else 2000
    return {"plain_kb": held_memory(world, False, n), "tls_kb": held_memory(world, True, n)}


def idle(world, quick):
    """After some mail, with nothing to do: memory and wake-ups of all threads."""
    contender = Staffetta(world, Cell("idle"))
    seconds = 5 if quick else 30
    try:
        contender.start()
        Load(world.programs, world.folder, contender.load_words(), 500).run()
        contender.receiver.wait("messages", 500, 60)
        time.sleep(10 if quick else 30)  # until connections and caches have gone to rest
        before = contender.group.switches()
        time.sleep(seconds)
        return {"wakeups_s": (contender.group.switches() - before) / seconds,
                "pss_mb": contender.group.pss_bytes() / 1e6}
    finally:
        contender.stop()


PARTS = {"syncs": syncs, "sessions": sessions, "idle": idle}
