"""Starts `staffetta serve` in a throw-away folder, reads its log, and speaks its command line."""
import base64
import json
import os
import pathlib
import signal
import smtplib
import ssl
import subprocess
import time

from log_lines import LogReader

TOP = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("STAFFETTA_BINARY", TOP / "build/release/staffetta"))
# Sanitizers and busy machines are slow: every time limit is multiplied.
PATIENCE = float(os.environ.get("STAFFETTA_PATIENCE", "1"))
SANITIZER_WORDS = ("ERROR: AddressSanitizer", "WARNING: ThreadSanitizer", "runtime error:",
                   "ERROR: LeakSanitizer", "Assertion `")

LISTENERS = """
listen "submission"  { address = "127.0.0.1:0"  tls = "starttls" }
listen "submissions" { address = "127.0.0.1:0"  tls = "implicit" }
"""


def sanitizer():
    """The one in the program that is tried, "asan" or "tsan"; "" without."""
    program = BINARY.read_bytes()
    return next((name for name in ("asan", "tsan") if f"__{name}_init".encode() in program), "")


def environment():
    env = dict(os.environ, LC_ALL="C.UTF-8")
    env.setdefault("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0:exitcode=99")
    env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1")
    env.setdefault("TSAN_OPTIONS", "halt_on_error=0:second_deadlock_stack=1")
    return env


class Appliance:
    """One service.  `config` is appended to the folders and the certificate that every one has."""

    def __init__(self, folder, config, listeners=LISTENERS, certificate=None, authority=None,
                 hostname="relay.example", user=None, prefix=(), binary=BINARY, env=()):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        self.hostname, self.authority, self.user = hostname, authority, user
        self.prefix = list(prefix)  # words before the program: who it is started by
        self.binary, self.env = binary, dict(env)
        self.certificate = certificate
        self.listeners, self.config = listeners, config
        self.config_file = self.folder / "staffetta.conf"
        self.process = self.log = None
        self.logs = []
        self.ignored_events = ()  # of the log: see LogReader
        self.passwords = []
        self.may_be_refused = set()  # system calls made on purpose; None: any

    # ---- the process

    def config_text(self):
        tls = ""
        if self.certificate:
            tls = (f'tls "default" {{ certificate = "{self.certificate.certificate}"  '
                   f'key = "{self.certificate.key}" }}\n')
        user = f'user = "{self.user}"\n' if self.user else ""
        # Tests send to many mailboxes that do not exist: only those of the brake want it.
        brake = "" if "brake" in self.config else "limits { brake = false }\n"
        return (f'hostname = "{self.hostname}"\n{user}data_dir = "{self.folder}/data"\n'
                f'spool_dir = "{self.folder}/spool"\nrun_dir = "{self.folder}/run"\n'
                f'{tls}{self.listeners}\n{brake}{self.config}\n')

    def write_config(self):
        """In one step, as editors do: a reload must not meet half a file."""
        fresh = self.config_file.with_suffix(".new")
        fresh.write_text(self.config_text())
        fresh.replace(self.config_file)

    def start(self, ready=True):
        self.write_config()
        self.process = subprocess.Popen(
            [*self.prefix, str(self.binary), "serve", "--config", str(self.config_file)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
            env={**environment(), **self.env}, cwd="/")
        copy = open(self.folder / "log", "a", encoding="utf-8")
        self.log = LogReader(self.process.stderr, copy, self.ignored_events)
        self.logs.append(self.log)
        if ready:
            self.log.wait("ready", timeout=30 * PATIENCE)
        return self

    def reload(self):
        """SIGHUP with the settings as they are now; returns the log's mark before it."""
        mark = self.log.mark()
        self.write_config()
        self.process.send_signal(signal.SIGHUP)
        return mark

    def stop(self, timeout=60):
        """Drains; the exit status must be 0 and no sanitizer may have complained."""
        if not self.process or self.process.returncode is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout * PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("SIGTERM did not end the service\n" + self.log.tail()) from None
        self.log.join(10)
        assert status == 0, f"ended with {status}\n{self.log.tail()}"
        self.check_sanitizers()
        self.check_calls()
        if os.environ.get("STAFFETTA_SEARCH_SECRETS"):
            assert secrets_left(self) == []

    def kill(self):
        """kill -9 of every process of this service at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log.join(10)

    def restart(self):
        self.stop()
        return self.start()

    def check_calls(self):
        """The sandbox refused nothing that the service asked for."""
        for log in self.logs if self.may_be_refused is not None else ():
            calls = [event["name"] for event in log.all("call_refused")]
            assert set(calls) <= self.may_be_refused, f"refused by the sandbox: {calls}"

    def check_sanitizers(self):
        for log in self.logs:
            text = "\n".join(log.other_lines)
            assert not any(word in text for word in SANITIZER_WORDS), text

    def children(self):
        """pid -> command line of the parent's children."""
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            pids = [int(word) for word in file.read().split()]
        result = {}
        for child in pids:
            with open(f"/proc/{child}/comm", encoding="ascii") as file:
                result[child] = file.read().strip()
        return result

    # ---- what listens where

    def address(self, name, index=0):
        """(host, port) of a listener, as its `listening` line said it."""
        text = self.log.wait("listening", count=index + 1, name=name)["address"]
        host, port = text.rsplit(":", 1)
        return host.strip("[]"), int(port)

    def port(self, name="submission"):
        return self.address(name)[1]

    # ---- the command line

    def command(self, *words, stdin=None, binary=BINARY):
        """Runs one verb; returns the finished process, whatever its status."""
        return subprocess.run(
            [str(binary), "--socket", str(self.folder / "run/control.sock"), *map(str, words)],
            input=stdin, capture_output=True, text=True, timeout=60 * PATIENCE, env=environment(),
            check=False)

    def cli(self, *words, stdin=None):
        """Runs one verb that must succeed; returns what it printed."""
        done = self.command(*words, stdin=stdin)
        assert done.returncode == 0, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def json(self, *words):
        """One verb with --json, as a list of objects."""
        return [json.loads(line) for line in self.cli("--json", *words).splitlines() if line]

    def health(self):
        """What `health` says, whatever its status."""
        return json.loads(self.command("--json", "health").stdout)

    def add_user(self, name="news@shop.example", *options):
        """Makes a user; returns (name, password)."""
        password = self.cli("user", "add", name, "--generate", *options).strip()
        self.passwords.append(password)
        return name, password

    def queue(self):
        return self.json("queue", "list")

    # ---- a plain client

    def tls_context(self):
        context = ssl.create_default_context(cafile=str(self.authority.file))
        return context

    def client(self, login=None, name="submission", starttls=True):
        """smtplib, connected, secured and logged in."""
        host, port = self.address(name)
        client = smtplib.SMTP(host, port, local_hostname="client.example", timeout=30 * PATIENCE)
        client.ehlo()
        if starttls:
            client.starttls(context=self.tls_context())
            client.ehlo()
        if login:
            client.login(*login)
        return client

    def send(self, login, sender, recipients, message, **options):
        """One message; returns its queue id."""
        if isinstance(recipients, str):
            recipients = [recipients]
        with self.client(login) as client:
            return submit(client, sender, recipients, message, **options)

    def wait_delivered(self, message_id, count=1, timeout=30):
        self.log.wait("delivered", count=count, msg=message_id, timeout=timeout * PATIENCE)


def secrets_left(service):
    """[(file, what)]: passwords and DKIM keys in what a service wrote: log, databases, spool."""
    needles = {}
    for password in service.passwords:
        needles[password.encode()] = "a password"
        needles[base64.b64encode(password.encode()).rstrip(b"=")[:-1]] = "a password, base64"
    keys = service.folder / "data/keys"
    for file in keys.iterdir() if keys.is_dir() else ():
        lines = file.read_bytes().splitlines()
        needles.update((line, f"the key {file.name}") for line in lines[2:-1] if len(line) >= 40)
    places = [file for top in ("log", "spool", "run", "data/db", "data/history")
              for file in [service.folder / top, *(service.folder / top).rglob("*")]]
    return [(str(file), what) for file in places if file.is_file()
            for octets in [file.read_bytes()] for needle, what in needles.items()
            if needle in octets]


def submit(client, sender, recipients, message, mail_options=(), rcpt_options=()):
    """A transaction on an open connection; returns the queue id that the 250 named."""
    if isinstance(message, str):
        message = message.replace("\r\n", "\n").replace("\n", "\r\n").encode()
    check(client.mail(sender, list(mail_options)))
    for recipient in recipients:
        check(client.rcpt(recipient, list(rcpt_options)))
    code, reply = client.data(message)
    check((code, reply))
    return queue_id(reply)


def check(answer):
    code, reply = answer
    if not 200 <= code < 300:
        raise smtplib.SMTPResponseException(code, reply)


def queue_id(reply):
    text = reply.decode() if isinstance(reply, bytes) else reply
    prefix = "2.0.0 Ok: queued as "
    assert text.startswith(prefix), text
    identifier = text[len(prefix):]
    assert identifier.isalnum() and identifier.isascii() and identifier == identifier.upper(), text
    return identifier


def wait_for(condition, what, timeout=30, pause=0.02):
    """For facts that no event tells (a file of a foreign program): asks until true."""
    deadline = time.monotonic() + timeout * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what}: not within {timeout * PATIENCE} s"
        time.sleep(pause)
