"""Programs of a run, what they cost and what came of it.

CPU is counted by a cgroup of its own for each contender (v2, or v1's cpuacct; both include
processes that have ended); without the right to make one, by /proc: each process and its reaped
children.  `Group.kind` says which it was."""
import json
import mmap
import os
import pathlib
import re
import signal
import struct
import subprocess
import threading
import time

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_of_process(pid):
    """Seconds of a process, its reaped children included; 0 when it is gone."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return sum(int(field) for field in fields[11:15]) / TICKS


class Group:
    """The processes of one contender."""

    def __init__(self, name):
        self.kind, self.folder = "/proc", None
        self.roots = []
        for kind, top in (("cgroup v2", "/sys/fs/cgroup"), ("cgroup v1", "/sys/fs/cgroup/cpuacct")):
            mark = "cgroup.controllers" if kind == "cgroup v2" else "cpuacct.usage"
            if not pathlib.Path(top, mark).exists():
                continue
            folder = pathlib.Path(top, f"staffetta-bench-{os.getpid()}-{name}")
            try:
                folder.mkdir()
            except OSError:
                continue
            self.kind, self.folder = kind, folder
            break

    def enter(self):
        """In the child, before it becomes the program."""
        if self.folder:
            (self.folder / "cgroup.procs").write_text(str(os.getpid()))

    def pids(self):
        if self.folder:
            return [int(word) for word in (self.folder / "cgroup.procs").read_text().split()]
        found, todo = [], list(self.roots)
        while todo:
            pid = todo.pop()
            found.append(pid)
            for path in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                try:
                    todo += [int(word) for word in path.read_text().split()]
                except OSError:
                    pass
        return found

    def cpu_seconds(self):
        if not self.folder:
            return sum(cpu_of_process(pid) for pid in self.pids())
        if self.kind == "cgroup v1":
            return int((self.folder / "cpuacct.usage").read_text()) / 1e9
        text = (self.folder / "cpu.stat").read_text()
        return int(re.search(r"usage_usec (\d+)", text).group(1)) / 1e6

    def pss_bytes(self):
        """Memory, shared pages in proportion."""
        total = 0
        for pid in self.pids():
            try:
                text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            total += int(re.search(r"^Pss:\s+(\d+)", text, re.M).group(1)) * 1024
        return total

    def switches(self):
        """Voluntary context switches of every thread: each is one sleep, so one wake-up."""
        total = 0
        for pid in self.pids():
            for path in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
                text = path.read_text()
                total += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M).group(1))
        return total

    def end(self):
        for pid in self.pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        if not self.folder:
            return
        for _ in range(100):
            try:
                self.folder.rmdir()
                return
            except OSError:
                time.sleep(0.05)


class MemoryWatch:
    """The peak of a group's memory while the block runs."""

    def __init__(self, group, pause=0.5):
        self.group, self.pause, self.peak = group, pause, 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while True:
            self.peak = max(self.peak, self.group.pss_bytes())
            if self.over.wait(self.pause):
                return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def start_program(words, group=None, **options):
    """A program that prints "listening PORT[,PORT]" first; returns (process, [ports])."""
    process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, text=True,
                               preexec_fn=group.enter if group else None, **options)
    line = process.stdout.readline()
    assert line.startswith("listening "), (words, line)
    return process, [int(word) for word in line.split()[1].split(",")]


def end_program(process):
    if process and process.poll() is None:
        process.kill()
    if process:
        process.wait()
        if process.stdout:
            process.stdout.close()


class Receiver:
    """programs/receiver and its board (programs/board.h)."""

    FIELDS = ("capacity", "messages", "recipients", "bytes", "connections", "open", "most_open",
              "last_ns", "unknown", "tls", "signatures")

    def __init__(self, programs, folder, frames=False, delay_ms=0, certificate=None, port=0,
                 address="127.0.0.1"):
        path = pathlib.Path(folder) / f"board-{os.getpid()}-{id(self)}"
        words = [programs / "receiver", "--board", path, "--port", port, "--address", address]
        words += ["--frames"] if frames else []
        words += ["--delay", delay_ms] if delay_ms else []
        if certificate:
            words += ["--certificate", certificate.certificate, "--key", certificate.key]
        self.process, (self.port,) = start_program(words)
        self.file = open(path, "rb")
        self.map = mmap.mmap(self.file.fileno(), 0, prot=mmap.PROT_READ)
        path.unlink()

    def counts(self):
        return dict(zip(self.FIELDS, struct.unpack_from(f"<{len(self.FIELDS)}Q", self.map)))

    def taken_ns(self, first, n):
        """When messages first.. were complete; 0: not yet."""
        return struct.unpack_from(f"<{n}q", self.map, 4096 + 8 * first)

    def cpu_seconds(self):
        return cpu_of_process(self.process.pid)

    def wait(self, field, number, timeout):
        """True when the count got there in time."""
        deadline = time.monotonic() + timeout
        while self.counts()[field] < number:
            if time.monotonic() > deadline or self.process.poll() is not None:
                return False
            time.sleep(0.01)
        return True

    def stop(self):
        end_program(self.process)


class Load:
    """One run of programs/load."""

    next_id = 0

    def __init__(self, programs, folder, words, messages):
        self.first_id, self.messages = Load.next_id, messages
        Load.next_id += messages
        self.times = pathlib.Path(folder) / f"times-{os.getpid()}"
        self.words = [str(word) for word in (
            programs / "load", *words, "--messages", messages, "--first-id", self.first_id,
            "--times", self.times)]
        self.result = None

    def run(self, timeout=60):
        done = subprocess.run(self.words, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=timeout, check=False)
        assert done.returncode in (0, 2), (self.words, done.returncode, done.stderr)
        self.result = json.loads(done.stdout)
        self.result["problems"] = done.stderr
        return self.result

    def dot_and_reply_ns(self):
        data = self.times.read_bytes()
        return list(struct.iter_unpack("<qq", data))


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))] if values else None
