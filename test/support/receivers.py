"""Where mail arrives in tests: `staffetta sink`, and a receiver in Python that misbehaves as told."""
import json
import os
import pathlib
import socket
import ssl
import subprocess
import threading

from appliance import BINARY, PATIENCE, environment
from log_lines import LogReader


class Stored:
    """One message as the sink kept it."""

    def __init__(self, path):
        self.number = int(path.name)
        self.data = path.read_bytes()
        envelope = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        self.sender, self.recipients = envelope["from"], envelope["to"]
        self.tls, self.helo, self.envelope = envelope["tls"], envelope["helo"], envelope


class Sink:
    def __init__(self, folder, certificate=None, script=None, listen="127.0.0.1:0",
                 keep=True, binary=BINARY, options=(), prefix=()):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        words = [*prefix, str(binary), "sink", "--listen", listen, "--count", *options]
        if keep:
            words += ["--dir", str(self.folder)]
        if certificate:
            words += ["--tls", f"{certificate.certificate},{certificate.key}"]
        if script:
            (self.folder / "script").write_text(script)
            words += ["--script", str(self.folder / "script")]
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=environment())
        self.log = LogReader(self.process.stderr)
        self.address = self.log.wait("listening", timeout=20 * PATIENCE)["address"]
        self.host, port = self.address.rsplit(":", 1)
        self.port = int(port)

    def messages(self):
        files = [p for p in (self.folder / "new").iterdir() if not p.suffix]
        return [Stored(p) for p in sorted(files, key=lambda p: int(p.name))]

    def stop(self):
        """Ends it; returns its counts."""
        if self.process.returncode is not None:
            return None
        self.process.terminate()
        out, _ = self.process.communicate(timeout=30 * PATIENCE)
        assert self.process.returncode == 0, (self.process.returncode, self.log.tail())
        return json.loads(out)


DROP = "DROP"  # a reply: close the connection without a word
HANG = "HANG"  # a reply: say nothing until the receiver is stopped


class Transaction:
    def __init__(self):
        self.sender, self.sender_line, self.recipients, self.rcpt_lines = None, None, [], []
        self.data = b""


class Session:
    """One connection to a Receiver."""

    def __init__(self, receiver, connection):
        self.receiver, self.socket = receiver, connection
        # As long as the session, whatever TLS makes of the socket (an SSLSocket cannot be dup()ed).
        self.wire = socket.socket(fileno=os.dup(connection.fileno()))
        self.socket.settimeout(120 * PATIENCE)
        self.file = connection.makefile("rb")
        self.helo, self.is_secured, self.commands = None, False, []
        self.transaction = Transaction()

    def say(self, reply):
        raw = reply if isinstance(reply, bytes) else (
            "".join(line + "\r\n" for line in reply.split("\n")).encode())
        self.socket.sendall(raw)

    def answer(self, phase, argument, usual, before=None):
        """Says the behaviour's reply or the usual one; returns True when it was positive.
        before() runs ahead of a positive reply: what the peer hears of has happened."""
        reply = self.receiver.decide(phase, self, argument)
        if reply is None:
            reply = usual
        if reply == DROP:
            raise ConnectionAbortedError
        if reply == HANG:
            self.receiver.stopping.wait()
            raise ConnectionAbortedError
        is_positive = reply[:1] in ("2", "3", b"2", b"3")
        if is_positive and before:
            before()
        self.say(reply)
        if reply[:3] in ("421", b"421"):
            raise ConnectionAbortedError
        return is_positive

    def serve(self):
        self.answer("CONNECT", "", "220 receiver ESMTP")
        while True:  # not an iterator: STARTTLS replaces the file
            raw = self.file.readline()
            if not raw:
                return
            line = raw.decode("utf-8", "surrogateescape").rstrip("\r\n")
            self.commands.append(line)
            verb, _, argument = line.partition(" ")
            handler = getattr(self, "on_" + verb.lower(), None)
            if not handler:
                self.say("500 5.5.2 What?")
            elif handler(argument) is False:
                return

    def drop(self):
        """Ends the connection, from any thread and in the middle of a handshake too."""
        try:
            self.wire.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended

    def on_ehlo(self, argument):
        self.helo = argument
        self.transaction = Transaction()
        words = [w for w in self.receiver.extensions
                 if not (w == "STARTTLS" and (self.is_secured or not self.receiver.tls))]
        self.answer("EHLO", argument, "\n".join(
            [f"250{'-' if i < len(words) else ' '}{w}" for i, w in enumerate(["receiver"] + words)]))

    def on_helo(self, argument):
        self.helo = argument
        self.answer("HELO", argument, "250 receiver")

    def on_starttls(self, argument):
        if self.answer("STARTTLS", argument, "220 2.0.0 Go ahead") and self.receiver.tls:
            self.file.close()
            self.socket = self.receiver.tls.wrap_socket(self.socket, server_side=True)
            self.file = self.socket.makefile("rb")
            self.is_secured = True

    def on_auth(self, argument):
        if argument == "PLAIN":
            self.say("334 ")
            argument += " " + self.file.readline().decode().strip()
        self.receiver.logins.append(argument)
        self.answer("AUTH", argument, "235 2.7.0 Welcome")

    def on_mail(self, argument):
        self.transaction = Transaction()
        if self.answer("MAIL", argument, "250 2.1.0 Ok"):
            self.transaction.sender_line = argument
            self.transaction.sender = argument[argument.index("<") + 1:argument.index(">")]

    def on_rcpt(self, argument):
        if self.transaction.sender is None:
            self.say("503 5.5.1 MAIL first")
        elif self.answer("RCPT", argument, "250 2.1.5 Ok"):
            self.transaction.rcpt_lines.append(argument)
            self.transaction.recipients.append(
                argument[argument.index("<") + 1:argument.index(">")])

    def on_data(self, argument):
        if not self.transaction.recipients:
            self.say("503 5.5.1 No recipients")
            return
        if not self.answer("DATA", argument, "354 Go on"):
            return
        lines = []
        for raw in self.file:
            if raw == b".\r\n":
                break
            lines.append(raw[1:] if raw.startswith(b".") else raw)
        else:
            raise ConnectionAbortedError
        self.transaction.data = b"".join(lines)
        done, self.transaction = self.transaction, Transaction()
        self.receiver.offered.append(done)
        self.answer("DOT", done.data, "250 2.0.0 Taken",
                    before=lambda: self.receiver.taken.append(done))

    def on_rset(self, argument):
        self.transaction = Transaction()
        self.answer("RSET", argument, "250 2.0.0 Ok")

    def on_noop(self, argument):
        self.answer("NOOP", argument, "250 2.0.0 Ok")

    def on_quit(self, argument):
        self.answer("QUIT", argument, "221 2.0.0 Bye")
        return False


class Receiver:
    """behaviour: phase -> a reply, or a function (session, argument) -> reply or None (as usual).
    `taken` holds what got a positive last reply, `offered` every message whose dot arrived."""

    EXTENSIONS = ("PIPELINING", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES",
                  "SIZE 50000000", "STARTTLS")

    def __init__(self, behaviour=None, certificate=None, extensions=EXTENSIONS, host="127.0.0.1",
                 port=0):
        self.behaviour, self.extensions = dict(behaviour or {}), extensions
        self.tls = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certificate.certificate, certificate.key)
        self.taken, self.offered, self.sessions, self.logins = [], [], [], []
        self.stopping, self.lock = threading.Event(), threading.Lock()
        self.listener = socket.create_server((host, port), backlog=128)
        self.host, self.port = self.listener.getsockname()[:2]
        self.address = f"{self.host}:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()

    def decide(self, phase, session, argument):
        rule = self.behaviour.get(phase)
        with self.lock:
            return rule(session, argument) if callable(rule) else rule

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            session = Session(self, connection)
            self.sessions.append(session)
            threading.Thread(target=self.run, args=(session,), daemon=True).start()

    @staticmethod
    def run(session):
        try:
            session.serve()
        except (OSError, ValueError):
            pass  # the peer left, or the behaviour dropped it
        finally:
            session.drop()
            session.wire.close()
            session.socket.close()

    def drop_sessions(self):
        for session in self.sessions:
            session.drop()
        self.sessions = []

    def stop(self):
        self.stopping.set()
        self.listener.close()
        self.drop_sessions()
