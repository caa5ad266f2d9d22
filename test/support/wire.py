"""A connection to the service's intake, seen octet by octet."""
import base64
import socket
import ssl

from appliance import PATIENCE


def plain_token(user, password, acting_for=""):
    return base64.b64encode("\0".join((acting_for, user, password)).encode()).decode()


class Wire:
    def __init__(self, relay, name="submission", tls=True, login=True, index=0):
        self.socket = socket.create_connection(relay.address(name, index), 60 * PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if name == "submissions":
            self.secure(relay)
        self.file = self.socket.makefile("rb")
        self.greeting = self.reply()
        if name != "submissions" and tls:
            self.say("EHLO client.example")
            assert self.say("STARTTLS").startswith("220 2.0.0")
            self.secure(relay)
        if tls or login:
            self.say("EHLO client.example")
        if login:
            assert self.say("AUTH PLAIN " + plain_token(*relay.login)).startswith("235 2.7.0")

    def secure(self, relay):
        self.socket = relay.tls_context().wrap_socket(self.socket, server_hostname="127.0.0.1")
        self.file = self.socket.makefile("rb")

    def reply(self):
        lines = []
        while True:
            line = self.file.readline().decode("utf-8", "backslashreplace")
            lines.append(line.rstrip("\r\n"))
            if len(line) < 4 or line[3] != "-":
                return "\n".join(lines)

    def replies(self, n):
        return [self.reply() for _ in range(n)]

    def say(self, line):
        self.raw((line.encode() if isinstance(line, str) else line) + b"\r\n")
        return self.reply()

    def raw(self, octets):
        self.socket.sendall(octets)

    def is_closed(self):
        """Reads on; true when the service closed the connection (an end or a reset)."""
        try:
            return self.file.read() is not None
        except (OSError, ssl.SSLError):
            return True

    def close(self):
        try:
            self.file.close()
            self.socket.close()
        except (OSError, ssl.SSLError):
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
