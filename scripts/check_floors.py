#!/usr/bin/python3
"""Fails when an #include climbs: a folder includes only folders on lower floors, one foreign
library is included by one file, and the repository never names the machine it was made on."""
import pathlib
import re
import sys

FLOORS = {
    "relay/base": 0,
    "relay/smtp": 1, "relay/message": 1, "sql": 1,
    "relay/net": 2,
    "signer": 3, "policy": 3, "relay/spool": 3, "relay/events": 3,
    "relay/schedule": 4, "relay/control": 4,
    "webui": 5, "relay/intake": 5, "relay/delivery": 5, "relay/cli": 5,
    "relay": 6,
}
# header (start of its name) -> the files that may include it; None: only relay/net, or wherever noted
FOREIGN = {
    "sqlite3.h": ["sql/"],
    "event2/": ["relay/net/loop.c"],
    "unbound": ["relay/net/resolver.c"],
    "openssl/ssl.h": ["relay/net/"],
    "opendkim/": ["policy/judge.c", "signer/opendkim_engine.c"],
    "microhttpd.h": ["webui/server"],
    "jansson.h": ["webui/", "relay/cli/"],
    "confuse.h": ["relay/control/config.c"],
    "sodium.h": ["relay/base/sodium.c"],
    "libpsl.h": ["signer/public_suffix.c"],
    "idn2.h": ["relay/message/idn.c"],
    "crypt.h": ["policy/imported_hash.c"],
    "curl/": ["relay/cli/client.c"],
    "pcre2.h": ["policy/reply_pattern.c"],
    "seccomp.h": ["relay/net/system_calls.c"],
    "spf2/": ["policy/spf.c"],
}
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def folder_of(path):
    return str(path.parent)


def floor_of(folder):
    return FLOORS.get(folder)


def check_own(path, included, problems):
    mine, theirs = folder_of(path), str(pathlib.PurePath(included).parent)
    if theirs not in FLOORS:
        problems.append(f"{path}: \"{included}\" is in no folder of the plan")
    elif theirs != mine and floor_of(theirs) >= floor_of(mine):
        problems.append(f"{path}: \"{included}\" climbs (floor {floor_of(mine)} -> {floor_of(theirs)})")


def check_foreign(path, included, problems):
    for header, allowed in FOREIGN.items():
        if included.startswith(header) and not any(str(path).startswith(a) for a in allowed):
            problems.append(f"{path}: <{included}> may be included only by {', '.join(allowed)}")


# In pieces, so that this file does not name them either.
STRANGERS = re.compile("|".join((
    "/wo" r"rk/(main|shared)", r"\.\./sha" "red", r"https?://(de" "b|regi" "stry|secu" r"rity)\.",
    "regi" "stry.npm", "pypi" r"\.org")))
SKIPPED = {"build", ".git", "node_modules", "__pycache__", ".pytest_cache"}


def check_strangers(problems):
    """No path of the machine this was made on, and no package registry by name."""
    for path in sorted(pathlib.Path(".").rglob("*")):
        if SKIPPED & set(path.parts) or not path.is_file():
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if STRANGERS.search(line):
                problems.append(f"{path}:{number}: names this machine or a registry")


def sources():
    for top in ("relay", "signer", "policy", "webui", "sql"):
        for path in sorted(pathlib.Path(top).rglob("*.[ch]")):
            yield path


def main():
    problems = []
    n_files = 0
    for path in sources():
        if folder_of(path) not in FLOORS:
            problems.append(f"{path}: its folder has no floor")
            continue
        n_files += 1
        for line in path.read_text().splitlines():
            match = INCLUDE.match(line)
            if not match:
                continue
            if match[1] == '"':
                if not match[2].endswith("embedded.h"):
                    check_own(path, match[2], problems)
            else:
                check_foreign(path, match[2], problems)
    check_strangers(problems)
    print("\n".join(problems) or f"{n_files} files stand on their floors")
    return 1 if problems or not n_files else 0


sys.exit(main())
