#!/usr/bin/python3
"""Compares us, the floor, Postfix with opendkim and Haraka, side by side in one run, alternating;
see README.md.  scripts/bench builds what this needs and calls it.

usage: bench.py BUILD_FOLDER [--quick | --all] [--rounds N] [--only CELL,CELL...]"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import types

os.environ.setdefault("STAFFETTA_PATIENCE", "4")
build = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None
if build:
    os.environ["STAFFETTA_BINARY"] = str(build / "staffetta")

from cells import CELLS, MORE, NAMES, QUICK, TARGETS  # noqa: E402
from contenders import TOP, Floor, FloorSingly, Staffetta  # noqa: E402
from peer_contenders import Haraka, Postfix  # noqa: E402
from measure import Load, MemoryWatch, end_program, percentile, start_program  # noqa: E402
from certificates import Authority  # noqa: E402
import special  # noqa: E402

KINDS = {"staffetta": Staffetta, "floor": Floor, "postfix": Postfix, "haraka": Haraka,
         "floorsingly": FloorSingly}
NAME_SERVER = "127.0.77.53"
SETTLE = 0.5  # seconds for what follows the last 250: verdicts, closed connections
FIGURES = (("delivered_s", "delivered/s", 0), ("recipients_s", "recipients/s", 0),
           ("accepted_s", "accepted/s", 0), ("cpu_ms", "CPU ms/message", 3),
           ("reply_p50_ms", "250 p50 ms", 2), ("reply_p99_ms", "p99", 2),
           ("delivery_p50_ms", "delivered p50 ms", 2), ("delivery_p99_ms", "p99", 2),
           ("memory_mb", "MB at peak", 0), ("load_cpu_ms", "load's CPU ms", 3),
           ("receiver_cpu_ms", "receiver's", 3))


def make_world(build_folder):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=build_folder))
    folder.chmod(0o755)
    world = types.SimpleNamespace(folder=folder, programs=build_folder / "test/bench/programs",
                                  names=f"{NAME_SERVER}:53", rsa_key=folder / "rsa.pem")
    world.certificate = Authority(folder / "tls").issue("relay.example", "127.0.0.1")
    (folder / "tls").chmod(0o755)
    subprocess.run(["openssl", "genrsa", "-out", str(world.rsa_key), "2048"], check=True,
                   capture_output=True)
    world.name_server, _ = start_program(
        [world.programs / "names", "--address", NAME_SERVER, "--port", 53])
    return world


# ---- one run

def measure(world, contender, messages, with_memory=False):
    """Sends so many and waits until all have arrived; the figures, or an AssertionError."""
    receiver, group, cell = contender.receiver, contender.group, contender.cell
    before, cpu, receiver_cpu = receiver.counts(), group.cpu_seconds(), receiver.cpu_seconds()
    load = Load(world.programs, world.folder, contender.load_words(), messages)
    with MemoryWatch(group, 0.5 if with_memory else 3600) as memory:
        result = load.run()
        wanted = before["recipients"] + messages * contender.recipients
        arrived = receiver.wait("recipients", wanted, 120)
    time.sleep(SETTLE)
    after, used = receiver.counts(), group.cpu_seconds() - cpu
    assert arrived and result["accepted"] == messages, (contender.name, cell.name, result, after)
    signed = after["signatures"] - before["signatures"]
    assert cell.keys == "none" or signed >= messages, (contender.name, cell.name, "not signed")
    taken = receiver.taken_ns(load.first_id, messages)
    return figures(result, load, taken, contender, messages) | {
        "cpu_ms": 1000 * used / messages, "memory_mb": memory.peak / 1e6,
        "load_cpu_ms": 1000 * result["cpu_s"] / messages,
        "receiver_cpu_ms": 1000 * (receiver.cpu_seconds() - receiver_cpu) / messages}


def figures(result, load, taken, contender, messages):
    begin, last = result["begin_ns"], max(taken)
    times = load.dot_and_reply_ns()
    waits = [(done - dot) / 1e6 for done, (dot, _) in zip(taken, times)]
    order = sorted(taken)
    low, high = order[messages // 10], order[messages * 9 // 10]
    return {
        "messages": messages,
        "accepted_s": messages / ((result["end_ns"] - begin) / 1e9),
        "delivered_s": messages / ((last - begin) / 1e9),
        "recipients_s": messages * contender.recipients / ((last - begin) / 1e9),
        # without the beginning and the end, where connections open and the last ones trickle
        "steady_s": 0.8 * messages / (max(high - low, 1) / 1e9),
        "reply_p50_ms": result["p50_ms"], "reply_p99_ms": result["p99_ms"],
        "delivery_p50_ms": percentile(waits, 0.5), "delivery_p99_ms": percentile(waits, 0.99)}


def warm_up(world, contender):
    """Opens connections, lets hashes and compilers warm up; returns messages for one run."""
    cell = contender.cell
    if cell.rate:
        measure(world, contender, 20)
        return int(cell.rate * cell.seconds)
    first = max(int(1000 * contender.share), 2 * cell.connections)
    measure(world, contender, first)
    speed = measure(world, contender, first)["delivered_s"]
    return max(100, min(40000, int(speed * cell.seconds)))


# ---- one cell: every contender stands, runs alternate

class Row:
    """The contenders of one cell; one that fails is taken out and named, the others go on."""

    def __init__(self, world, cell):
        self.world, self.cell = world, cell
        self.standing, self.runs, self.problems = [], {}, []

    def try_to(self, contender, step):
        try:
            return step(contender)
        except (AssertionError, subprocess.SubprocessError, OSError) as problem:
            text = f"{contender.name}: {type(problem).__name__}: {str(problem)[:400]}"
            print(f"  {self.cell.name} {text}", file=sys.stderr, flush=True)
            self.problems.append(text)
            self.standing.remove(contender)
            contender.stop()
            return None

    def start(self):
        for name in self.cell.contenders:
            contender = KINDS[name](self.world, self.cell)
            self.standing.append(contender)
            self.try_to(contender, lambda c: c.start())
        self.messages = {c.name: self.try_to(c, lambda c: warm_up(self.world, c))
                         for c in list(self.standing)}

    def measure(self, number):
        # In turn forwards and backwards, so that none always has the same neighbour.
        for contender in self.standing[:] if number % 2 == 0 else self.standing[::-1]:
            run = self.try_to(contender, lambda c: measure(
                self.world, c, self.messages[c.name], number == 0))
            if run:
                self.runs.setdefault(contender.name, []).append(run)
                print(f"  {self.cell.name} {contender.name}: {run['delivered_s']:.0f}/s "
                      f"{run['cpu_ms']:.3f} ms", file=sys.stderr, flush=True)

    def result(self):
        return {name: summary(each) for name, each in self.runs.items()} | (
            {"problem": "; ".join(self.problems)} if self.problems else {})


def run_cell(world, cell, rounds):
    row = Row(world, cell)
    try:
        row.start()
        for number in range(rounds):
            row.measure(number)
    finally:
        for contender in row.standing:
            contender.stop()
    return row.result()


def summary(runs):
    """Of each figure median, least and most."""
    return {key: {"median": statistics.median(run[key] for run in runs),
                  "least": min(run[key] for run in runs), "most": max(run[key] for run in runs)}
            for key in runs[0]}


# ---- what is told

def machine():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", text)
    memory = re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())
    return {"cores": os.cpu_count(), "processor": model.group(1) if model else platform.machine(),
            "memory_gb": round(int(memory.group(1)) / 1e6), "kernel": platform.release(),
            "load_before": round(os.getloadavg()[0], 1)}


def spread(figure, digits):
    if figure["least"] == figure["most"]:
        return f"{figure['median']:.{digits}f}"
    return f"{figure['median']:.{digits}f} ({figure['least']:.{digits}f}–{figure['most']:.{digits}f})"


def table(results):
    lines = ["| cell | who | " + " | ".join(title for _, title, _ in FIGURES) + " |",
             "| --- | --- |" + " --- |" * len(FIGURES)]
    for cell, each in results.items():
        for who in NAMES:
            if who not in each or "cpu_ms" not in each[who]:
                continue
            row = [spread(each[who][key], digits) for key, _, digits in FIGURES]
            lines.append(f"| {cell} | {who} | " + " | ".join(row) + " |")
        if "problem" in each:
            lines.append(f"| {cell} | failed | {each['problem'][:150]} |")
    return lines


def judgement(results):
    def get(cell, who, figure):
        return results.get(cell, {}).get(who, {}).get(figure, {}).get("median")

    lines = ["| target | to reach | measured | |", "| --- | --- | --- | --- |"]
    for target in TARGETS:
        limit = (f"≤ {target.at_most}" if target.at_most is not None else f"≥ {target.at_least}")
        judged = target.judge(get)
        measured, word = (f"{judged[0]:.2f} {target.unit}", judged[1]) if judged else ("", "not run")
        lines.append(f"| {target.text} | {limit} {target.unit} | {measured} | {word} |")
    return lines


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--only")
    return parser.parse_args()


def chosen_cells(chosen):
    cells = QUICK if chosen.quick else CELLS + MORE if chosen.all else CELLS
    if chosen.only:
        cells = [cell for cell in CELLS + MORE if cell.name in chosen.only.split(",")]
    return cells


def keep(about, results, path):
    """After every cell: a run that is cut short leaves what it had."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".json").write_text(
        json.dumps({"about": about, "results": results}, indent=1) + "\n")
    path.with_suffix(".md").write_text("\n".join(report(about, results)) + "\n")


def report(about, results):
    return [", ".join(f"{key} {value}" for key, value in about.items()), "",
            *judgement(results), "", *table(results)]


def run_special(world, run, quick):
    try:
        return {"staffetta": summary([run(world, quick)])}
    except (AssertionError, OSError, subprocess.SubprocessError) as problem:
        return {"problem": f"{type(problem).__name__}: {str(problem)[:400]}"}


def run_all(chosen, about, results, path):
    world, begin = make_world(build), time.monotonic()
    steps = [(cell.name, lambda cell=cell: run_cell(world, cell, chosen.rounds))
             for cell in chosen_cells(chosen)]
    steps += [(name, lambda run=run: run_special(world, run, chosen.quick))
              for name, run in special.PARTS.items()
              if not chosen.only or name in chosen.only.split(",")]
    try:
        for name, step in steps:
            results[name] = step()
            about |= {"minutes": round((time.monotonic() - begin) / 60, 1),
                      "load_after": round(os.getloadavg()[0], 1)}
            keep(about, results, path)
    finally:
        end_program(world.name_server)
        shutil.rmtree(world.folder, ignore_errors=True)


def main():
    chosen, results = options(), {}
    chosen.rounds = chosen.rounds or (1 if chosen.quick else 3)
    now = datetime.datetime.now(datetime.timezone.utc)
    about = {"date": now.strftime("%Y-%m-%d %H:%M UTC")} | machine() | {
        "cpu_counted_by": special.counted_by()}
    path = TOP / "build/bench/results" / now.strftime("%Y%m%d-%H%M%S")
    run_all(chosen, about, results, path)
    print("\n".join(report(about, results)))
    print(f"\nwritten: {path.relative_to(TOP)}.json and .md")
    return 1 if any("problem" in each for each in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
