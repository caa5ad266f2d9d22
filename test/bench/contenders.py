"""Who is compared.  A contender is made for one cell, started in a folder of its own, and says
how `load` reaches it (`load_words`)."""
import dataclasses
import os
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "test/support"))

import appliance  # noqa: E402
from measure import Group, Receiver, end_program, start_program  # noqa: E402

USER = "news@shop.example"
RECIPIENT_DOMAIN = "customers.example"  # of `load`
MOST_RECEIVERS = 50  # that need a pace of their own: of 5,000 domains each gets little


@dataclasses.dataclass(frozen=True)
class Cell:
    """One row of the comparison."""
    name: str
    size: int = 20000
    tls_in: bool = True
    tls_out: bool = False
    keys: str = "rsa"          # none, rsa, both
    recipients: int = 1
    domains: int = 1           # above 1: found by MX
    delay_ms: int = 0          # of the receiver, per command
    connections: int = 20      # of the clients
    out_connections: int = 20  # to one next hop
    per_connection: int = 100  # messages of one client connection
    rate: float = 0            # messages a second; 0: as many as go
    seconds: float = 4         # of one measured run
    contenders: tuple = ("staffetta", "floor")


class Contender:
    """`world`: programs (folder), folder, certificate, names (address of the name server)."""

    share = 1.0  # how fast it is about, for the first run that measures it
    prefix = ()  # words before the program

    def __init__(self, world, cell):
        self.world, self.cell = world, cell
        self.name = type(self).__name__.lower()
        self.folder = pathlib.Path(world.folder) / f"{self.name}-{cell.name}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.group = Group(f"{self.name}-{cell.name}")
        self.receiver = None

    @property
    def recipients(self):
        return self.cell.recipients

    def start(self):
        self.receiver = self.make_receiver()
        self.launch()
        return self

    def make_receiver(self):
        return Receiver(self.world.programs, self.world.folder, delay_ms=self.cell.delay_ms,
                        certificate=self.world.certificate if self.cell.tls_out else None)

    def smtp_words(self, port, tls="start"):
        cell = self.cell
        words = ["--port", port, "--size", cell.size, "--connections", cell.connections,
                 "--recipients", cell.recipients, "--domains", cell.domains,
                 "--per-connection", cell.per_connection]
        words += ["--tls", tls] if cell.tls_in else []
        words += ["--mx-hosts"] if cell.domains > 1 else []
        return words + (["--rate", cell.rate] if cell.rate else [])

    def stop(self):
        """Also after a start that failed half-way."""
        try:
            self.halt()
        except (AttributeError, AssertionError):
            pass
        self.group.end()
        if self.receiver:
            self.receiver.stop()


# ---- us

class Service(appliance.Appliance):
    """The appliance with its log in a file: nobody reads along while it is measured."""

    def start_in(self, group):
        self.write_config()
        self.folder.chmod(0o755)
        log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(
            [*self.prefix, str(appliance.BINARY), "serve", "--config", str(self.config_file)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
            start_new_session=True, env=appliance.environment(), cwd="/", preexec_fn=group.enter)
        appliance.wait_for(lambda: " event=ready" in self.text(), f"ready: {self.text()[-2000:]}")

    def text(self):
        return (self.folder / "log").read_text(errors="replace")

    def port_of(self, name):
        for line in self.text().splitlines():
            if "event=listening" in line and f"name={name} " in line:
                return int(line.split("address=")[1].split()[0].rsplit(":", 1)[1])
        raise AssertionError(f"{name} does not listen")

    def halt(self):
        if self.prefix:  # the tracer's child is the parent process
            subprocess.run(["pkill", "-TERM", "-P", str(self.process.pid)], check=False)
        else:
            self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Staffetta(Contender):
    LISTENERS = ('listen "submission" { address = "127.0.0.1:0"  tls = "starttls"'
                 '  plain_auth = "true" }\n')

    def settings(self):
        cell, port = self.cell, self.receiver.port
        tls = "may" if cell.tls_out else "never"
        text = (f'limits {{ per_address = 100000  per_user = 100000 }}\n'
                f'delivery {{ port = {port}  tls = "{tls}"  allow_mx = "127.0.0.0/8"'
                f'  connections = 5000  site_connections = {cell.out_connections}'
                f'  site_connections_per_minute = 100000 }}\n')
        if cell.domains > 1:
            return (text + f'resolver {{ forward = "{self.world.names}" }}\n'
                    f'policy {{ providers = "{self.write_receivers()}" }}\n')
        return text + (f'route "*" {{ via = "127.0.0.1:{port}"  tls = "{tls}"'
                       f'  connections = {cell.out_connections} }}\n')

    def write_receivers(self):
        """The default pace of a stranger, 100 a second, would be all that is measured."""
        path = self.folder / "receivers.conf"
        path.write_text("".join(
            f"provider bench-{n}\n    domain d{n:05d}.{RECIPIENT_DOMAIN}\n    rate 100000/s\n"
            f"    connection_rate 100000/m\n    connections {self.cell.out_connections}\n"
            for n in range(min(self.cell.domains, MOST_RECEIVERS))))
        return path

    def launch(self):
        self.service = Service(self.folder, self.settings(), listeners=self.LISTENERS,
                               certificate=self.world.certificate, prefix=self.prefix)
        self.service.start_in(self.group)
        self.group.roots = [self.service.process.pid]
        _, self.password = self.service.add_user(USER)
        if self.cell.keys != "none":
            kind = {"rsa": "rsa2048", "both": "both"}[self.cell.keys]
            self.service.cli("domain", "add", "shop.example")
            self.service.cli("dkim", "new", "shop.example", "--selector", "s1", "--type", kind)

    def load_words(self):
        return [*self.smtp_words(self.service.port_of("submission")),
                "--user", USER, "--password", self.password]

    def halt(self):
        self.service.halt()


# ---- the floor

class Floor(Contender):
    workers = connections = 2 * (os.cpu_count() or 1)
    window = 64  # messages under way on one connection

    def make_receiver(self):
        return Receiver(self.world.programs, self.world.folder, frames=True,
                        certificate=self.world.certificate if self.cell.tls_out else None)

    def launch(self):
        words = [self.world.programs / "floor", "--workers", self.workers, "--spool", self.folder,
                 "--to", self.receiver.port]
        if self.cell.keys != "none":
            words += ["--key", self.world.rsa_key]
        if self.cell.tls_in:
            words += ["--certificate", self.world.certificate.certificate,
                      "--tls-key", self.world.certificate.key]
        if self.cell.tls_out:
            words += ["--tls-out"]
        self.process, self.ports = start_program(words, self.group)
        self.group.roots = [self.process.pid]

    def load_words(self):
        cell = self.cell
        words = ["--frames", "--port", ",".join(map(str, self.ports)), "--size", cell.size,
                 "--connections", self.connections, "--window", self.window]
        words += ["--tls", "implicit"] if cell.tls_in else []
        return words + (["--rate", cell.rate] if cell.rate else [])

    def halt(self):
        end_program(self.process)


class FloorSingly(Floor):
    """The same work for as many clients as a relay has, each waiting for its reply."""

    window = 1

    def __init__(self, world, cell):
        super().__init__(world, cell)
        self.connections = cell.connections
