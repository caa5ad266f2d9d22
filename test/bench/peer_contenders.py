"""Postfix with opendkim, and Haraka with its DKIM plugin.  Their settings are in peers/.

Both let loopback relay without AUTH: they are spared what our own login costs."""
import os
import pathlib
import shutil
import subprocess

import appliance
import peers
from contenders import TOP, Contender
from measure import end_program

HARAKA = TOP / "build/peers/haraka/node_modules"
SETTINGS = pathlib.Path(__file__).parent / "peers"


class BulkPostfix(peers.Postfix):
    """Started in the group of its contender."""

    def __init__(self, group, *words, **options):
        self.group = group
        super().__init__(*words, **options)

    def launch(self, *words):
        self.process = self.root.popen(*words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       preexec_fn=self.group.enter)
        appliance.wait_for(self.answers, "Postfix listens")


class Postfix(Contender):
    share = 0.2

    def launch(self):
        cell, port = self.cell, self.receiver.port
        root = pathlib.Path(self.world.folder) / "postfix"
        if root.exists():
            shutil.rmtree(root)
        self.milter = None
        if cell.keys != "none":
            (root / "run").mkdir(parents=True)
            self.start_milter(root / "run/opendkim.sock")
        # Its smtp client takes MX hosts' port from /etc/services.
        by_mx = cell.domains > 1
        settings = (SETTINGS / "postfix.cf").read_text().format(
            processes=max(200, cell.connections + cell.out_connections + 50),
            concurrency=cell.out_connections, tls_out="may" if cell.tls_out else "none",
            tls_in="may" if cell.tls_in else "none", no_dns="no",
            next_hop="" if by_mx else f"[127.0.0.1]:{port}",
            milter="unix:/run/opendkim.sock" if self.milter else "")
        names = self.world.names.split(":")[0]
        self.server = BulkPostfix(self.group, root, self.world.certificate, settings, resolver=names)
        if by_mx:
            self.server.root.write("etc/services", f"smtp {port}/tcp\n")
        self.group.roots = [self.server.process.pid] + (
            [self.milter.pid] if self.milter else [])

    def start_milter(self, socket):
        settings = self.folder / "opendkim.conf"
        settings.write_text((SETTINGS / "opendkim.conf").read_text().format(
            socket=socket, key=self.world.rsa_key))
        program = TOP / "build/peers/opendkim/usr/sbin/opendkim"
        self.milter = subprocess.Popen([program, "-f", "-x", settings], stdin=subprocess.DEVNULL,
                                       preexec_fn=self.group.enter)
        appliance.wait_for(socket.exists, "opendkim listens")

    def load_words(self):
        return self.smtp_words(self.server.port)

    def halt(self):
        self.server.stop()
        end_program(self.milter)


class Haraka(Contender):
    share = 0.6

    def launch(self):
        cell, home = self.cell, self.folder
        self.port = peers.free_port()
        for name in ("plugins", "queue"):
            (home / name).mkdir(exist_ok=True)
        shutil.copytree(HARAKA / "Haraka/config", home / "config", dirs_exist_ok=True)
        shutil.copy2(SETTINGS / "haraka/plugins/bench.js", home / "plugins")
        link = home / "node_modules"
        link.symlink_to(HARAKA)
        self.write("plugins", "bench\n" + ("tls\n" if cell.tls_in else "") +
                   ("dkim\n" if cell.keys != "none" else ""))
        self.write("smtp.ini", f"listen=127.0.0.1:{self.port}\nnodes=cpus\n")
        self.write("outbound.ini", f"concurrency_max={max(100, cell.out_connections)}\n"
                   f"enable_tls={'true' if cell.tls_out else 'false'}\n")
        self.write("log.ini", "[main]\nlevel=WARN\n")
        self.write("me", "haraka.example\n")
        shutil.copy2(self.world.certificate.certificate, home / "config/tls_cert.pem")
        shutil.copy2(self.world.certificate.key, home / "config/tls_key.pem")
        self.write_keys()
        env = dict(os.environ, BENCH_NEXT_HOP=str(self.receiver.port), NODE_ENV="production")
        self.process = subprocess.Popen(
            ["node", str(link / "Haraka/bin/haraka"), "-c", str(home)], stdin=subprocess.DEVNULL,
            stdout=open(home / "log", "wb"), stderr=subprocess.STDOUT, env=env, cwd=home,
            preexec_fn=self.group.enter)
        self.group.roots = [self.process.pid]
        appliance.wait_for(self.answers, f"Haraka listens, see {home}/log")

    def write(self, name, text):
        (self.folder / "config" / name).write_text(text)

    def write_keys(self):
        self.write("dkim.ini", "[sign]\nenabled=true\nselector=s1\ndomain=shop.example\n"
                   "headers=From,To,Subject,Date,Message-ID,MIME-Version,Content-Type,"
                   "Content-Transfer-Encoding,List-Unsubscribe,List-Unsubscribe-Post\n"
                   "[verify]\nenabled=false\n")
        shutil.copy2(self.world.rsa_key, self.folder / "config/dkim.private.key")

    def answers(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
        try:
            with peers.socket.create_connection(("127.0.0.1", self.port), 5) as probe:
                return probe.recv(100).startswith(b"220")
        except OSError:
            return False

    def load_words(self):
        words = [str(word) for word in self.smtp_words(self.port)]
        # It stalls with few: its figures are those at 100 connections at least.
        at = words.index("--connections") + 1
        words[at] = str(max(100, int(words[at])))
        return words

    def halt(self):
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
