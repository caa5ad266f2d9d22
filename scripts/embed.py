#!/usr/bin/python3
"""Turns text files into C strings: embed.py OUT.h FILE...

Each FILE becomes `static const char NAME[]`, NAME being its file name with every
character that C does not allow in an identifier replaced by `_`, led by `text_`."""
import pathlib
import re
import sys


def c_string(text):
    lines = text.splitlines() or [""]
    escaped = (line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return "\n".join(f'    "{line}\\n"' for line in escaped)


def main():
    out, files = pathlib.Path(sys.argv[1]), map(pathlib.Path, sorted(sys.argv[2:]))
    parts = ["/* Made by scripts/embed.py; change those files instead. */\n#pragma once\n"]
    for path in files:
        name = "text_" + re.sub(r"\W", "_", path.stem)
        parts.append(f"static const char {name}[] =\n{c_string(path.read_text())};\n")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(parts))


main()
