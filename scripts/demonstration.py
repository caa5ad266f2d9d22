#!/usr/bin/python3
"""What scripts/run shows: newsletter -> AUTH and TLS -> Staffetta -> signed -> test receiver."""
import collections
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "test/support"))
os.environ.setdefault("STAFFETTA_BINARY", str(TOP / "build/release/staffetta"))

import dkim  # noqa: E402

import certificates  # noqa: E402
from appliance import Appliance  # noqa: E402
from peers import free_port  # noqa: E402
from receivers import Sink  # noqa: E402
from signatures import records_of, signatures_of  # noqa: E402

N_SUBSCRIBERS = 25
SENDER = "news@shop.example"
LISTENERS = """
listen "submission"  { address = "127.0.0.1:0"  tls = "starttls" }
listen "submissions" { address = "127.0.0.1:0"  tls = "implicit" }
"""


def say(text):
    print(f"run: {text}", flush=True)


def panel_port():
    """8025 as the settings' example has it, or a free one when something listens there."""
    import socket
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", 8025))
            return 8025
        except OSError:
            return free_port()


def start(folder):
    authority = certificates.Authority(folder / "authority")
    certificate = authority.issue("relay.example", "localhost", "127.0.0.1")
    receiver = Sink(folder / "receiver", certificate=certificate)
    say(f"test receiver on {receiver.address}, it keeps what it gets in {receiver.folder}/new")
    service = Appliance(
        folder / "service", f'route "*" {{ via = "{receiver.address}" }}\n'
        f'panel {{ address = "127.0.0.1:{panel_port()}" }}\n', listeners=LISTENERS,
        certificate=certificate, authority=authority)
    service.start()
    say(f"Staffetta serves: {service.config_file}")
    for event in service.log.all("listening"):
        say(f"  {event['name']:<12} {event['address']}")
    return service, receiver


def prepare(service):
    """A user, and a domain with both keys; returns (login, DNS records)."""
    login = service.add_user(SENDER)
    service.cli("domain", "add", "shop.example")
    records = records_of(service.cli("dkim", "new", "shop.example", "--selector", "demo"))
    say(f"user {SENDER}; domain shop.example signs with: {', '.join(sorted(records))}")
    return login, records


def send_newsletter(service, login):
    messages = [{
        "from": SENDER, "name": "Shop", "to": [f"subscriber{i}@dest.example"],
        "subject": f"Novità n. {i}", "text": f"Ciao {i}, perché no?\n.\nIl tuo negozio\n",
        "html": f"<p>Ciao {i}, perch\u00e9 no?</p>"} for i in range(1, N_SUBSCRIBERS + 1)]
    job = {"host": "127.0.0.1", "port": service.port(), "secure": "tls", "user": login[0],
           "password": login[1], "ca": str(service.authority.file), "keepalive": True,
           "messages": messages}
    done = subprocess.run(["php", str(TOP / "test/e2e/clients/phpmailer.php")],
                          input=json.dumps(job), capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"PHPMailer failed: {done.stdout}{done.stderr}")
    lines = done.stdout.splitlines()
    say(f"PHPMailer sent {len(lines) - 1} messages with AUTH and STARTTLS on one connection in "
        f"{json.loads(lines[-1])['seconds']:.2f} s")
    return lines[:-1]


def is_valid(message, records):
    """Every signature there is, by dkimpy, with the records that `dkim new` printed as DNS."""
    def lookup(name, timeout=5):
        value = records.get(name.decode().rstrip("."))
        return value.encode() if value else None
    found = signatures_of(message)
    return sorted(s["a"] for s in found) == ["ed25519-sha256", "rsa-sha256"] and all(
        dkim.DKIM(message).verify(idx=i, dnsfunc=lookup) for i in range(len(found)))


def check(service, receiver, ids, records):
    service.log.wait("delivered", count=len(ids), timeout=60)
    stored = receiver.messages()
    arrived = collections.Counter(address for m in stored for address in m.recipients)
    once = sum(1 for count in arrived.values() if count == 1)
    valid = sum(is_valid(m.data, records) for m in stored)
    secured = sum(bool(m.tls) for m in stored)
    say(f"{len(stored)} messages arrived, {once} of {N_SUBSCRIBERS} recipients exactly once, "
        f"{secured} over TLS")
    say(f"{valid} messages with a valid RSA-2048 and a valid Ed25519 signature (checked by dkimpy)")
    counts = {once, valid, secured, len(stored), len(set(ids))}
    return counts == {N_SUBSCRIBERS} and service.queue() == []


def main():
    stays = "--once" not in sys.argv[1:]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="staffetta-run-"))
    folder.chmod(0o755)
    service = receiver = None
    good = False
    try:
        service, receiver = start(folder)
        login, records = prepare(service)
        good = check(service, receiver, send_newsletter(service, login), records)
        host, port = service.address("panel")
        code = (service.folder / "run/setup-code").read_text().strip()
        say(f"panel: http://{host}:{port}/ (first administrator's code: {code})")
        say("as it should be" if good else "NOT as it should be")
        if stays:
            say(f"try: {os.environ['STAFFETTA_BINARY']} --socket {service.folder}/run/control.sock "
                "queue summary")
            say(f"login {login[0]} password {login[1]}; Ctrl-C ends")
            signal.sigwait({signal.SIGINT, signal.SIGTERM})
    except AssertionError as problem:
        print(problem, file=sys.stderr)
        good = False
    finally:
        for thing in (service, receiver):
            if thing:
                thing.stop()
        if good:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            say(f"kept: {folder}")
    return 0 if good else 1


# Taken by sigwait() alone, also by the threads that the modules above start.
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM}
                       if "--once" not in sys.argv[1:] else set())
sys.exit(main())
