#!/usr/bin/python3
"""clang-tidy over every source of the product, two at a time or as many as there are cores.
usage: tidy.py BUILD_FOLDER [FILE...]

A file that passed is not looked at again until it, a header of ours that it includes, .clang-tidy or
its compile command changes; what passed is remembered in build/tidy/."""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[1]
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
FOLDERS = ("relay/", "signer/", "policy/", "webui/", "sql/")


def closure(path, seen):
    """The file and every header of ours below it."""
    if path in seen or not path.is_file():
        return
    seen.add(path)
    for name in INCLUDE.findall(path.read_text(errors="replace")):
        closure(TOP / name, seen)


def fingerprint(path, command, rules):
    files = set()
    closure(path, files)
    digest = hashlib.sha256(rules + command.encode())
    for one in sorted(files):
        digest.update(str(one.relative_to(TOP)).encode() + one.read_bytes())
    return digest.hexdigest()


def check(build, path, stamp):
    done = subprocess.run(["clang-tidy-14", "--quiet", "-p", str(build), str(path)],
                          capture_output=True, text=True, cwd=TOP, check=False)
    if done.returncode == 0:
        stamp.touch()
        return None
    return done.stdout + "\n".join(
        line for line in done.stderr.splitlines() if "warnings generated" not in line)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    wanted = {str((TOP / name).resolve()) for name in sys.argv[2:]}
    rules = (TOP / ".clang-tidy").read_bytes()
    stamps = TOP / "build/tidy"
    stamps.mkdir(parents=True, exist_ok=True)
    jobs = []
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["file"])
        name = str(path.relative_to(TOP)) if path.is_relative_to(TOP) else ""
        if not name.startswith(FOLDERS) or (wanted and str(path) not in wanted):
            continue
        stamp = stamps / fingerprint(path, entry["command"], rules)
        if not stamp.exists():
            jobs.append((path, stamp))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for problem in pool.map(lambda job: check(build, *job), jobs):
            if problem is not None:
                failed += 1
                print(problem, flush=True)
    print(f"{len(jobs)} files looked at, {failed} with findings")
    return 1 if failed else 0


sys.exit(main())
