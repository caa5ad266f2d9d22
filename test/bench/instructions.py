#!/usr/bin/python3
"""Counts the instructions that one message costs in each stage (instructions_bench.c) and compares
with instructions.json: more than MARGIN above is a failure, more than MARGIN below asks for
--update.  Only code of our own program file counts: libraries choose by processor.

usage: instructions.py BUILD_FOLDER [--update]"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

MARGIN = 0.05
MESSAGES = 20  # as instructions_bench.c
STORED = pathlib.Path(__file__).with_suffix(".json")
NAME = re.compile(r"c?ob=\((\d+)\)(?: (.*))?$")
COST = re.compile(r"[+*\d-]\S* (\d+)$")


def own_instructions(text, program):
    """Self cost of the functions that lie in `program`."""
    names, here, total, is_call = {}, None, 0, False
    for line in text.splitlines():
        name = NAME.match(line)
        if name:
            names.setdefault(name.group(1), name.group(2))
            if line.startswith("ob="):
                here = names[name.group(1)]
        elif line.startswith("calls="):
            is_call = True  # the next line is what the called function cost
        elif COST.match(line):
            if not is_call and here == program:
                total += int(COST.match(line).group(1))
            is_call = False
    return total


def count(program):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out"
        subprocess.run(["valgrind", "--tool=callgrind", "--instr-atstart=no", "-q",
                        f"--callgrind-out-file={out}", str(program)], check=True, cwd=folder)
        counts = {}
        for path in sorted(pathlib.Path(folder).glob("out.*")):
            text = path.read_text()
            stage = re.search(r"Trigger: Client Request: (\w+)", text)
            if stage:
                counts[stage.group(1)] = round(own_instructions(text, str(program)) / MESSAGES)
        return counts


def compare(counts, stored):
    good = True
    for stage, number in counts.items():
        if stage not in stored:
            print(f"{stage:10} {number:9} instructions a message, not stored yet: --update")
            good = False
            continue
        change = number / stored[stage] - 1
        word = "ok"
        if change > MARGIN:
            word, good = "MORE than stored: make it cheaper, or say why and --update", False
        elif change < -MARGIN:
            word = "less than stored: --update keeps it"
        print(f"{stage:10} {number:9} instructions a message, {100 * change:+.1f} %: {word}")
    for stage in stored.keys() - counts.keys():
        print(f"{stage:10} was not run")
        good = False
    return good


def main():
    program = pathlib.Path(sys.argv[1]).resolve() / "test/bench/bench_instructions"
    counts = count(program)
    if "--update" in sys.argv[2:]:
        STORED.write_text(json.dumps(counts, indent=1) + "\n")
        print(f"stored: {counts}")
        return 0
    stored = json.loads(STORED.read_text()) if STORED.exists() else {}
    return 0 if compare(counts, stored) and counts else 1


if __name__ == "__main__":
    os.environ["LC_ALL"] = "C"
    sys.exit(main())
