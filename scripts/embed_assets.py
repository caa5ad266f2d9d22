#!/usr/bin/python3
"""Makes a C table of the files of the panel: embed_assets.py OUT.c [DIST]

Each file of DIST is gzipped beside OUT.c and included by the assembler; the table is sorted by
path, as webui/assets.c expects.  Without DIST the table is empty: a program without a panel."""
import gzip
import hashlib
import pathlib
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".json": "application/json",
}


def rows_of(dist, folder):
    files = sorted((f"/{path.relative_to(dist).as_posix()}", path)
                   for path in dist.rglob("*") if path.suffix in TYPES)
    for i, (name, path) in enumerate(files):
        packed = gzip.compress(path.read_bytes(), 9, mtime=0)
        (folder / f"{i}.gz").write_bytes(packed)
        yield i, name, path, packed


def main():
    out = pathlib.Path(sys.argv[1])
    folder = out.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    data, table = [], []
    for i, name, path, packed in rows_of(pathlib.Path(sys.argv[2]), folder) if sys.argv[2:] else ():
        etag = hashlib.sha256(packed).hexdigest()[:16]
        fixed = str(name.startswith("/assets/")).lower()
        data.append(f'__asm__(".pushsection .rodata\\n.balign 16\\nasset_{i}:\\n'
                    f'.incbin \\"{folder / f"{i}.gz"}\\"\\n.popsection\\n");\n'
                    f"extern const unsigned char asset_{i}[];\n")
        table.append(f'    {{"{name}", "{TYPES[path.suffix]}", "\\"{etag}\\"", asset_{i}, '
                     f"{len(packed)}, {fixed}}},\n")
    text = ('/* Made by scripts/embed_assets.py of the built panel. */\n#include "webui/assets.h"\n\n'
            f"{''.join(data)}\nconst struct asset asset_rows[] = {{\n{''.join(table)}"
            f"    {{0}},\n}};\nconst size_t n_asset_rows = {len(table)};\n")
    if not out.exists() or out.read_text() != text:
        out.write_text(text)
    else:
        out.touch()


main()
