"""Server-sent events of the API, over the control socket or the panel's port."""
import json
import socket
import urllib.parse

from appliance import PATIENCE


class Stream:
    """A client of server-sent events."""

    def __init__(self, relay, topics, last=None, panel=None, token=None, cookie=None, **query):
        self.socket = socket.socket(socket.AF_INET if panel else socket.AF_UNIX)
        self.socket.settimeout(60 * PATIENCE)
        self.socket.connect(panel or str(relay.folder / "run/control.sock"))
        words = urllib.parse.urlencode({"topics": topics, **query})
        head = f"GET /api/v1/events?{words} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        head += f"Last-Event-ID: {last}\r\n" if last else ""
        head += f"Authorization: Bearer {token}\r\n" if token else ""
        head += f"Cookie: {cookie}\r\n" if cookie else ""
        self.socket.sendall((head + "\r\n").encode())
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.headers = {}
        while (line := self.file.readline().strip()):
            name, _, value = line.decode().partition(":")
            self.headers[name.lower()] = value.strip()
        self.rest = b""

    def block(self):
        """The next block: {id, event, data}, {} of a comment; None at the end."""
        while b"\n\n" not in self.rest:
            size = self.file.readline().strip()
            if not size or int(size, 16) == 0:
                return None
            self.rest += self.file.read(int(size, 16))
            self.file.readline()
        block, self.rest = self.rest.split(b"\n\n", 1)
        found = dict(line.split(": ", 1) for line in block.decode().split("\n")
                     if not line.startswith(":"))
        if "data" in found:
            found["data"] = json.loads(found["data"])
        return found

    def event(self, name):
        while (block := self.block()) is not None:
            if block.get("event") == name:
                return block
        raise AssertionError(f"the stream ended before {name}")

    def close(self):
        self.file.close()
        self.socket.close()
