"""Postfix, Exim and OpenSMTPD, each in a root folder of its own.

They conflict as packages, so scripts/setup unpacks them under build/peers/; here their files, the
libraries they need and a handful of /etc files become a folder that chroot(8) runs them in.
Nothing outside that folder is touched.  Needs root."""
import os
import pathlib
import re
import shutil
import socket
import stat
import subprocess

from appliance import PATIENCE, TOP, wait_for
from log_lines import LogReader

PEERS = TOP / "build" / "peers"
USERS = """root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/:/usr/sbin/nologin
box:x:5000:5000:box:/var/mail/box:/bin/sh
postfix:x:5001:5001:postfix:/var/spool/postfix:/bin/false
Debian-exim:x:5003:5003:exim:/var/spool/exim4:/bin/false
opensmtpd:x:5004:5004:opensmtpd:/var/lib/opensmtpd/empty:/bin/false
opensmtpq:x:5005:5005:opensmtpq:/var/lib/opensmtpd/empty:/bin/false
"""
GROUPS = """root:x:0:
daemon:x:1:
mail:x:8:
nogroup:x:65534:
box:x:5000:
postfix:x:5001:
postdrop:x:5002:
Debian-exim:x:5003:
opensmtpd:x:5004:
opensmtpq:x:5005:
"""
BOX, POSTFIX, POSTDROP, EXIM, OPENSMTPD, OPENSMTPQ = 5000, 5001, 5002, 5003, 5004, 5005
SASL_MODULES = pathlib.Path("/usr/lib/x86_64-linux-gnu/sasl2")


def free_port(host="127.0.0.1"):
    """For foreign programs, which cannot say which port they picked."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


class Root:
    """A folder that programs can be chrooted into."""

    def __init__(self, folder, trees=(), programs=("/bin/sh",), resolver=None):
        self.folder = pathlib.Path(folder)
        for name in ("etc", "dev", "tmp", "proc", "var/mail/box", "var/log", "run", "root"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "tmp").chmod(0o1777)
        for parent in (self.folder, *self.folder.parents):
            if parent == pathlib.Path("/"):
                break
            parent.chmod(parent.stat().st_mode | 0o055)
        for tree in trees:
            subprocess.run(["cp", "-a", f"{PEERS / tree}/.", str(self.folder)], check=True)
        self.make_etc(resolver)
        self.make_devices()
        for program in programs:
            self.add_program(program)
        for binary in self.executables():
            self.add_libraries(binary)
        os.chown(self.folder / "var/mail/box", BOX, BOX)

    def make_etc(self, resolver):
        self.write("etc/passwd", USERS)
        self.write("etc/group", GROUPS)
        self.write("etc/hosts", "127.0.0.1 localhost\n")
        self.write("etc/resolv.conf", f"nameserver {resolver or '127.0.0.1'}\n")
        self.write("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
        self.write("etc/services", "smtp 25/tcp\nsubmission 587/tcp\nsubmissions 465/tcp\n")
        self.write("etc/mailname", "peer.example\n")

    def make_devices(self):
        for name, minor in (("null", 3), ("zero", 5), ("random", 8), ("urandom", 9)):
            path = self.folder / "dev" / name
            if not path.exists():
                os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, minor))
                path.chmod(0o666)

    def write(self, name, text, mode=0o644):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def make_folder(self, name, mode=0o755, user=0, group=0):
        path = self.folder / name
        path.mkdir(parents=True, exist_ok=True)
        os.chown(path, user, group)
        path.chmod(mode)
        return path

    def add_program(self, program):
        """A program of this machine, at the same place inside, with its libraries."""
        target = self.folder / program.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            shutil.copy2(os.path.realpath(program), target)

    def executables(self):
        for path in self.folder.rglob("*"):
            if path.is_file() and not path.is_symlink() and (
                    os.access(path, os.X_OK) or ".so" in path.name):
                with open(path, "rb") as file:
                    if file.read(4) == b"\x7fELF":
                        yield path

    def add_libraries(self, binary):
        env = dict(os.environ, LD_LIBRARY_PATH=str(self.folder / "usr/lib/postfix"))
        out = subprocess.run(["ldd", str(binary)], capture_output=True, text=True, env=env,
                             check=False).stdout
        for path in re.findall(r"(?:=> |^\s*)(/\S+) \(0x", out, re.M):
            target = self.folder / path.lstrip("/")
            if not path.startswith(str(self.folder)) and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(os.path.realpath(path), target)

    def popen(self, *words, **options):
        return subprocess.Popen(["chroot", str(self.folder), *words], stdin=subprocess.DEVNULL,
                                cwd="/", start_new_session=True, env={"PATH": "/usr/sbin:/usr/bin:/bin"},
                                **options)

    def run(self, *words, stdin=None, check=True):
        return subprocess.run(["chroot", str(self.folder), *words], input=stdin,
                              capture_output=True, cwd="/", env={"PATH": "/usr/sbin:/usr/bin:/bin"},
                              timeout=60, check=check)


class Peer:
    """A mail server that listens on host:port and keeps what it gets in a Maildir."""

    def __init__(self, root, host="127.0.0.1", port=None):
        self.root, self.host = root, host
        self.port = port or free_port(host)
        self.process = self.log = None

    def launch(self, *words):
        self.process = self.root.popen(*words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.log = LogReader(self.process.stderr)
        wait_for(self.answers, f"{type(self).__name__} listens\n{self.problems()}")
        return self

    def answers(self):
        assert self.process.poll() is None, self.problems()
        try:
            with socket.create_connection((self.host, self.port), 2) as probe:
                return probe.recv(100).startswith(b"220")
        except OSError:
            return False

    def problems(self):
        return "\n".join(self.log.other_lines[-30:]) if self.log else ""

    def files(self):
        """The kept messages, oldest first, as bytes with CRLF line ends."""
        found = sorted((self.root.folder / "var/mail/box").rglob("new/*"),
                       key=lambda p: p.stat().st_mtime_ns)
        return [p.read_bytes().replace(b"\n", b"\r\n") for p in found if p.is_file()]

    def wait_files(self, count):
        return wait_for(lambda: (lambda f: f if len(f) >= count else None)(self.files()),
                        f"{count} messages kept by {type(self).__name__}", timeout=30)

    def stop(self):
        if self.process and self.process.returncode is None:
            self.process.terminate()
            try:
                self.process.wait(20 * PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def copy_certificate(self, certificate):
        for name, source in (("cert", certificate.certificate), ("key", certificate.key)):
            self.root.write(f"etc/ssl/peer.{name}", source.read_text(), 0o600)


class Postfix(Peer):
    """`settings` is appended to main.cf."""

    MASTER = """{host}:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
    MAIN = """compatibility_level = 3.6
myhostname = postfix.example
mydestination =
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
local_recipient_maps =
alias_maps =
maillog_file = /var/log/mail.log
smtpd_tls_security_level = may
smtpd_tls_chain_files = /etc/ssl/peer.key, /etc/ssl/peer.cert
"""
    RECEIVER = """virtual_mailbox_domains = static:all
virtual_mailbox_base = /var/mail
virtual_mailbox_maps = static:box/
virtual_uid_maps = static:5000
virtual_gid_maps = static:5000
"""

    def __init__(self, folder, certificate, settings=RECEIVER, resolver=None, **where):
        root = Root(folder, trees=["postfix"], resolver=resolver)
        super().__init__(root, **where)
        self.copy_certificate(certificate)
        if SASL_MODULES.is_dir():
            shutil.copytree(SASL_MODULES, root.folder / str(SASL_MODULES).lstrip("/"),
                            dirs_exist_ok=True)
            for module in SASL_MODULES.glob("*.so"):
                root.add_libraries(module)
        shared = root.folder / "usr/share/postfix"
        for name in ("dynamicmaps.cf", "postfix-files"):
            for place in (shared, root.folder / "etc/postfix"):
                if (place / name).is_file() and place == shared:
                    shutil.copy2(place / name, root.folder / "etc/postfix" / name)
        root.write("etc/postfix/master.cf", self.MASTER.format(host=self.host, port=self.port))
        root.write("etc/postfix/main.cf", self.MAIN + settings)
        spool = "var/spool/postfix"
        root.make_folder(spool)
        root.make_folder(f"{spool}/pid")
        for name in ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold",
                     "incoming", "private", "saved", "trace"):
            root.make_folder(f"{spool}/{name}", 0o700, POSTFIX)
        root.make_folder(f"{spool}/maildrop", 0o730, POSTFIX, POSTDROP)
        root.make_folder(f"{spool}/public", 0o710, POSTFIX, POSTDROP)
        root.make_folder("var/lib/postfix", 0o755, POSTFIX)
        self.launch("/usr/lib/postfix/sbin/master", "-d", "-c", "/etc/postfix")

    def problems(self):
        path = self.root.folder / "var/log/mail.log"
        text = path.read_text(errors="replace") if path.exists() else ""
        return super().problems() + text[-4000:]


class Exim(Peer):
    CONFIG = """primary_hostname = exim.example
local_interfaces = {host}
daemon_smtp_ports = {port}
tls_advertise_hosts = *
tls_certificate = /etc/ssl/peer.cert
tls_privatekey = /etc/ssl/peer.key
acl_smtp_rcpt = take
smtputf8_advertise_hosts = *
accept_8bitmime = true
keep_environment =
host_lookup =
deliver_drop_privilege = false
{settings}
begin acl
take:
  accept
begin routers
all:
  driver = accept
  transport = keep
begin transports
keep:
  driver = appendfile
  directory = /var/mail/box/Maildir
  maildir_format
  user = box
  group = box
"""

    def __init__(self, folder, certificate, settings="", resolver=None, **where):
        root = Root(folder, trees=["exim4-base", "exim4-daemon-light"], resolver=resolver)
        super().__init__(root, **where)
        self.copy_certificate(certificate)
        for name in ("cert", "key"):
            os.chown(root.folder / f"etc/ssl/peer.{name}", EXIM, EXIM)
        root.write("etc/exim4/exim4.conf",
                   self.CONFIG.format(host=self.host, port=self.port, settings=settings))
        root.make_folder("var/spool/exim4", 0o750, EXIM, EXIM)
        root.make_folder("var/log/exim4", 0o750, EXIM, EXIM)
        (root.folder / "usr/sbin/exim4").chmod(0o4755)
        root.make_folder("run/exim4", 0o755, EXIM, EXIM)
        self.launch("/usr/sbin/exim4", "-bdf", "-q30m")

    def problems(self):
        text = ""
        for name in ("mainlog", "paniclog"):
            path = self.root.folder / "var/log/exim4" / name
            text += path.read_text(errors="replace")[-2000:] if path.exists() else ""
        return super().problems() + text


class OpenSmtpd(Peer):
    CONFIG = """pki peer cert "/etc/ssl/peer.cert"
pki peer key "/etc/ssl/peer.key"
table everyone {{ "@" = "box" }}
listen on {host} port {port} tls pki peer hostname opensmtpd.example
action "keep" maildir "/var/mail/box/Maildir" virtual <everyone>
match from any for any action "keep"
"""

    def __init__(self, folder, certificate, resolver=None, **where):
        root = Root(folder, trees=["opensmtpd"], resolver=resolver)
        super().__init__(root, **where)
        self.copy_certificate(certificate)
        root.write("etc/smtpd.conf", self.CONFIG.format(host=self.host, port=self.port), 0o600)
        root.make_folder("var/lib/opensmtpd/empty", 0o755)
        root.make_folder("var/spool/smtpd", 0o711)
        for name, mode, user, group in (
                ("offline", 0o770, 0, OPENSMTPQ), ("purge", 0o700, OPENSMTPQ, 0),
                ("temporary", 0o700, OPENSMTPQ, 0), ("incoming", 0o700, OPENSMTPQ, 0),
                ("queue", 0o700, OPENSMTPQ, 0), ("corrupt", 0o700, OPENSMTPQ, 0)):
            root.make_folder(f"var/spool/smtpd/{name}", mode, user, group)
        run = root.folder / "var/run"
        if not run.exists():
            run.mkdir(parents=True)
        self.launch("/usr/sbin/smtpd", "-d", "-v")
