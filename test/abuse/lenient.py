"""A receiver that keeps every octet of a connection as it came, for the question what a careless
one could have read into it; and a pen for queue files that no version of ours would write."""
import socket
import sqlite3
import struct
import threading

from appliance import PATIENCE

# One record's header in a segment: relay/spool/record.h.
LAYOUT = struct.Struct("<4sIQQIIIIIIIIQ")


class RawReceiver:
    """Answers as a mail server does; `streams` holds what each connection said behind its 354."""

    def __init__(self):
        self.streams, self.ended = [], threading.Condition()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "%s:%d" % self.listener.getsockname()[:2]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            connection.settimeout(60 * PATIENCE)
            try:
                self.talk(connection, connection.makefile("rb"))
            except OSError:
                pass

    def talk(self, connection, file):
        connection.sendall(b"220 raw\r\n")
        while line := file.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                connection.sendall(b"354 go\r\n")
                self.keep(connection, file)
                connection.sendall(b"250 2.0.0 taken\r\n")
            else:
                connection.sendall(b"250-raw\r\n250 8BITMIME\r\n" if verb == b"EHLO" else b"250 ok\r\n")

    def keep(self, connection, file):
        octets = b""
        while not octets.endswith(b"\r\n.\r\n"):
            more = file.read1(65536)
            if not more:
                break
            octets += more
        with self.ended:
            self.streams.append(octets)
            self.ended.notify_all()
        if not octets.endswith(b"\r\n.\r\n"):
            raise ConnectionAbortedError

    def wait(self, n):
        with self.ended:
            assert self.ended.wait_for(lambda: len(self.streams) >= n, 60 * PATIENCE)
            return self.streams[:n]

    def stop(self):
        self.listener.close()


def crc32c(octets):
    """As the spool's checksums: reflected, 0x82f63b78."""
    value = 0xffffffff
    for octet in octets:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ (0x82f63b78 if value & 1 else 0)
    return value ^ 0xffffffff


def rewrite_records(spool, change):
    """change(stored bytes) -> bytes of the same length, for every record; checksums are made anew, in
    the record and in its row.  Returns how many were changed."""
    crcs = {}
    for path in sorted((spool / "segments").glob("*.seg")):
        octets = bytearray(path.read_bytes())
        at = octets.find(b"TFFS")
        while at >= 0:
            rewrite_record(octets, at, change, crcs)
            at = octets.find(b"TFFS", at + 8)
        path.write_bytes(octets)
    with sqlite3.connect(spool / "queue.db") as database:
        done = sum(database.execute("UPDATE message SET crc = ? WHERE id = ?", (crc, number)).rowcount
                   for number, crc in crcs.items())
    database.close()
    return done


def rewrite_record(octets, at, change, crcs):
    fields = list(LAYOUT.unpack_from(octets, at))
    begin = at + LAYOUT.size + fields[6]
    end = begin + fields[8] + fields[9]
    if crc32c(octets[at + 8:at + LAYOUT.size]) != fields[1]:
        return  # no record: these four letters stood somewhere
    changed = change(bytes(octets[begin:end]))
    assert len(changed) == end - begin
    if changed == octets[begin:end]:
        return
    octets[begin:end] = changed
    fields[10] = crcs[fields[2]] = crc32c(changed)
    LAYOUT.pack_into(octets, at, *fields)
    fields[1] = crc32c(octets[at + 8:at + LAYOUT.size])
    LAYOUT.pack_into(octets, at, *fields)
