"""The unit that packages install: how much it exposes, and that the service runs under it."""
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from appliance import TOP, sanitizer, wait_for
from messages import PLAIN
from proc import status_of
from signatures import signatures_of
from test_sandbox import SENDER, RECIPIENT

PACKAGING = TOP / "scripts/packaging"
UNIT = PACKAGING / "staffetta.service"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="changes its user")
NET_BIND_SERVICE = 1 << 10


def run(*words, **options):
    return subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False,
                          **options)


def settings():
    lines = UNIT.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and line[0] not in "#[")


def test_the_unit_exposes_little():
    done = run("systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", UNIT)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


def test_the_unit_is_well_formed(folder):
    """With programs that are there: the package's is not installed here."""
    copy = folder / "staffetta.service"
    copy.write_text(UNIT.read_text().replace("/usr/bin/staffetta", "/bin/true"))
    done = run("systemd-analyze", "verify", copy)
    assert done.returncode == 0 and not done.stderr, done.stderr


def test_users_and_folders_are_well_formed(folder):
    (folder / "etc").mkdir()
    done = run("systemd-sysusers", f"--root={folder}", PACKAGING / "staffetta.sysusers")
    assert done.returncode == 0, done.stderr
    users = (folder / "etc/passwd").read_text()
    assert "staffetta:" in users and "staffetta-sign:" in users
    done = run("systemd-tmpfiles", "--create", f"--root={folder}", PACKAGING / "staffetta.tmpfiles")
    assert done.returncode == 0, done.stderr
    assert (folder / "var/spool/staffetta").stat().st_mode & 0o777 == 0o700


@needs_root
@pytest.mark.skipif(bool(sanitizer()),
                    reason="LeakSanitizer traces its own process, which the unit forbids")
def test_the_service_runs_under_the_unit(world):
    """Its user, its capability, its system calls and families; a port below 1024, TLS, a signature,
    a reload with another such port.  Mounts and cgroups need systemd itself."""
    receiver = world.receiver()
    low = f"127.0.{os.getpid() % 250}.{os.getpid() // 250 % 250 + 2}"
    relay = world.appliance(
        f'route "*" {{ via = "{receiver.address}" }}\n', start=False, user="staffetta",
        certificate=world.authority.issue(low),
        listeners=f'listen "submission" {{ address = "{low}:587" }}\n',
        prefix=["setpriv", "--reuid=staffetta", "--regid=staffetta", "--clear-groups",
                "--bounding-set=-all,+net_bind_service", "--inh-caps=-all,+net_bind_service",
                "--ambient-caps=-all,+net_bind_service", "--no-new-privs", sys.executable,
                str(pathlib.Path(__file__).parents[1] / "support/under_unit.py"), str(UNIT)])
    assert settings()["CapabilityBoundingSet"] == settings()["AmbientCapabilities"] \
        == "CAP_NET_BIND_SERVICE" and settings()["User"] == "staffetta"
    for folder in (relay.folder, relay.folder / "data"):  # StateDirectory=
        folder.mkdir(exist_ok=True)
        shutil.chown(folder, "staffetta", "staffetta")
    os.chmod(relay.certificate.key, 0o644)
    relay.start()
    login = relay.add_user(SENDER)
    relay.cli("domain", "add", "shop.example")
    relay.cli("dkim", "new", "shop.example", "--type", "rsa2048")
    relay.wait_delivered(relay.send(login, SENDER, RECIPIENT, PLAIN))
    assert len(signatures_of(receiver.taken[0].data)) == 1
    assert int(status_of(relay.process.pid)["CapEff"], 16) == NET_BIND_SERVICE
    for pid in relay.children():
        status = status_of(pid)
        assert int(status["CapPrm"], 16) == int(status["CapAmb"], 16) == 0
    event = relay.log.wait("confined", process="relay")
    assert relay.log.wait("confined", process="signer")["landlock"] == event["landlock"]
    relay.listeners += f'listen "second" {{ address = "{low}:465" }}\n'
    mark = relay.reload()
    relay.log.wait("listening", after=mark, name="second")
    relay.restart()
    relay.wait_delivered(relay.send(login, SENDER, RECIPIENT, PLAIN))
    os.kill(next(iter(relay.children())), 9)  # the parent may end and restart its children
    wait_for(lambda: relay.log.all("child_started") and len(relay.log.all("ready")) >= 2,
             "the next relay")
