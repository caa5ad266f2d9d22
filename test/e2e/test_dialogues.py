"""The conversations of test/dialogues/ once more, against the living service.  Files whose owner is
scripted (`D:`) belong to the pure session alone; checks of the owner (`O:`, `B:`) are left out."""
import fnmatch
import pathlib
import re
import socket
import subprocess

import pytest

from appliance import PATIENCE

DIALOGUES = pathlib.Path(__file__).resolve().parents[1] / "dialogues"
USER, PASSWORD = "alice@example.org", "wonderland"
LISTENER_WORDS = {"starttls", "tls", "network", "plain_auth", "repair", "bounces"}
# How many errors end a session is no setting; the other limits have a least value.
UNSUPPORTED = ("errors=",)
LEAST = {"size": 64000, "recipients": 100}
ESCAPES = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}


def unescape(text):
    def replace(match):
        code = match[1]
        return chr(int(code[1:], 16)) if code[0] == "x" else ESCAPES[code]
    return re.sub(r"\\(x[0-9a-fA-F]{2}|.)", replace, text).encode("latin-1")


class Dialogue:
    def __init__(self, path):
        self.name = path.stem
        self.words, self.steps = [], []
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            kind, rest = line[:2], line[2:].strip(" ")
            if line.startswith("@"):
                self.words += line[1:].split()
            else:
                self.steps.append((kind, line[3:] if kind != "T:" else rest))

    def is_live(self):
        return not any(kind == "D:" for kind, _ in self.steps) and not any(
            word.startswith(UNSUPPORTED) for word in self.words) and all(
                word in LISTENER_WORDS or int(word.split("=")[1]) >= LEAST[word.split("=")[0]]
                for word in self.words)

    def listener(self):
        """The settings of the listener, and of the service, that @ asks for."""
        listen = {"tls": '"none"'}
        limits = {}
        for word in self.words:
            if word == "starttls":
                listen["tls"] = '"starttls"'
            elif word == "tls":
                listen["tls"] = '"implicit"'
            elif word == "plain_auth":
                listen["plain_auth"] = "true"
            elif word == "bounces":
                listen["auth"] = '"none"'
            elif word == "repair":
                listen["repair_newlines"] = "true"
            elif word.startswith("size="):
                limits["message_size"] = word[5:]
            elif word.startswith("recipients="):
                limits["recipients"] = word[11:]
        return listen, limits


def load():
    return [d for d in (Dialogue(p) for p in sorted(DIALOGUES.glob("*.smtp"))) if d.is_live()]


class Player:
    def __init__(self, relay, dialogue):
        self.relay, self.dialogue = relay, dialogue
        self.socket = socket.create_connection(relay.address("live"), 60 * PATIENCE)
        if "tls" in dialogue.words:
            self.secure()
        self.file = self.socket.makefile("rb")
        self.unsent = b""

    def secure(self):
        self.socket = self.relay.tls_context().wrap_socket(
            self.socket, server_hostname="127.0.0.1")
        self.file = self.socket.makefile("rb")

    def flush(self):
        try:
            self.socket.sendall(self.unsent)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the service closed first; the next S: says whether it should have
        self.unsent = b""

    def reply(self):
        lines = []
        while True:
            try:
                line = self.file.readline().decode("utf-8", "replace").rstrip("\r\n")
            except ConnectionResetError:
                line = ""
            if not line:
                return "<closed>"
            lines.append(line)
            if line[3:4] != "-":
                code = lines[0][:3]
                return code + " " + " / ".join(text[4:] for text in lines)

    def play(self):
        steps = self.dialogue.steps
        if not (steps and steps[0][0] == "S:" and steps[0][1].startswith("220")):
            assert self.reply().startswith("220")
        for kind, text in steps:
            if kind == "C:":
                self.unsent += text.encode() + b"\r\n"
            elif kind == "C!":
                self.unsent += unescape(text)
            elif kind == "C*":
                count, raw = text.split(" ", 1)
                self.unsent += unescape(raw) * int(count)
            elif kind == "T:":
                # What a dialogue says in clear after the 220 races with the handshake here.
                self.unsent = b""
                self.secure()
            elif kind == "S:":
                self.flush()
                for pattern in text.split(" | "):
                    self.expect(pattern.strip())
        self.flush()

    def expect(self, pattern):
        got = self.reply()
        # Only * is special; a dialogue may say [ or ?.
        plain = re.sub(r"([\[\]?])", r"[\1]", pattern)
        # The queue id is the service's own, and so is its name.
        plain = plain.replace("7Q2F", "*").replace("relay.example.org", "*")
        if plain.startswith("535 5.7.8"):
            plain = "535 5.7.8 *"  # the words are the owner's
        if got.startswith("550 5.6.0 The message has no From field") and plain.startswith("250"):
            return  # dialogues are about the protocol, their messages have no header
        assert fnmatch.fnmatchcase(got, plain), (self.dialogue.name, pattern, got)


@pytest.fixture(scope="module")
def services(module_world):
    """One service for all dialogues that ask for the same listener."""
    made = {}

    def get(dialogue):
        listen, limits = dialogue.listener()
        text = "  ".join(f"{k} = {v}" for k, v in listen.items())
        limit = "  ".join(f"{k} = {v}" for k, v in limits.items())
        options = ["--network", "127.0.0.0/8"] if "network" in dialogue.words else []
        key = (text, limit, *options)
        if key not in made:
            relay = module_world.relay_to(
                module_world.sink(), f"limits {{ {limit} }}\n",
                listeners=f'listen "live" {{ address = "127.0.0.1:0"  {text} }}\n')
            # Shorter than a new password may be, so it comes as an import does: hashed elsewhere.
            crypted = subprocess.run(["openssl", "passwd", "-6", PASSWORD], capture_output=True,
                                     text=True, check=True).stdout
            relay.cli("user", "add", USER, "--hash-stdin", "--sender", "*", *options,
                      stdin=crypted)
            made[key] = relay
        return made[key]
    return get


@pytest.mark.sanitized
@pytest.mark.parametrize("dialogue", load(), ids=lambda d: d.name)
def test_dialogue(services, dialogue):
    Player(services(dialogue), dialogue).play()
