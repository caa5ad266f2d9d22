#!/usr/bin/python3
"""The floor is honest: what it sends is the message it got, below a signature that dkimpy finds
valid, and the bytes are in its file when it acknowledges.      usage: floor_check.py BUILD_FOLDER"""
import base64
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile

import dkim

HEADER = (b"From: a@shop.example\r\nTo:  <b@c.example>\r\n\tfolded\r\nSubject: x  y \r\n"
          b"Date: Sun, 22 Nov 2026 17:25:03 +0000\r\nMessage-ID: <1@x>\r\nMIME-Version: 1.0\r\n"
          b"Content-Type: text/html\r\n\r\n")
BODIES = (b"hello\r\nworld\r\n", b"a\tb  c \r\n\r\n\r\n", b"x\r\n\r\n\r\n", b"", b" \r\nz \t \r\n",
          b"long line of text\r\n" * 5000)


def read(connection, n):
    data = b""
    while len(data) < n:
        piece = connection.recv(n - len(data))
        assert piece, "the floor closed"
        data += piece
    return data


def check(body, sender, receivers, listener, record, folder):
    message = HEADER + body
    sender.sendall(struct.pack("<I", len(message)) + message)
    assert read(sender, 1) == b"\0"
    assert message in (folder / "floor-0.seg").read_bytes(), "acknowledged before it was written"
    if not receivers:
        receivers.append(listener.accept()[0])
    sent = read(receivers[0], struct.unpack("<I", read(receivers[0], 4))[0])
    assert sent.endswith(message) and sent.startswith(b"DKIM-Signature:"), sent[:200]
    assert dkim.verify(sent, dnsfunc=lambda name, timeout=5: record), body[:30]


def main():
    program = pathlib.Path(sys.argv[1]) / "test/bench/programs/floor"
    with tempfile.TemporaryDirectory() as name, socket.create_server(("127.0.0.1", 0)) as listener:
        folder = pathlib.Path(name)
        key = folder / "rsa.pem"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        public = subprocess.run(["openssl", "rsa", "-in", key, "-pubout", "-outform", "DER"],
                                check=True, capture_output=True).stdout
        record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
        words = [program, "--workers", "1", "--spool", folder, "--key", key,
                 "--to", str(listener.getsockname()[1])]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as floor:
            try:
                port = int(floor.stdout.readline().split()[1])
                receivers = []
                with socket.create_connection(("127.0.0.1", port)) as sender:
                    for body in BODIES:
                        check(body, sender, receivers, listener, record, folder)
            finally:
                floor.kill()
    print(f"{len(BODIES)} messages written, signed and sent")


if __name__ == "__main__":
    main()
