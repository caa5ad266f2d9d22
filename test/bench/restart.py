"""From the start of the service to the first delivery, with a queue of millions: ours to measure,
for nobody else's queue is asked.  usage: restart.py BUILD-DIR [RECIPIENTS [DOMAINS [A-MESSAGE]]]
The queue is submitted over SMTP while nobody listens at the next hop; then the service is stopped,
the next hop begins to listen, and the clock starts with the service."""
import os
import pathlib
import re
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "test/support"), str(TOP / "test/bench")]
# pylint: disable=wrong-import-position
import appliance
from measure import Load, Receiver

LISTENERS = 'listen "submission" { address = "127.0.0.1:0"  tls = "starttls"  plain_auth = "true" }\n'
USER = "news@shop.example"
PATIENCE_S = 600


def settings(port):
    return (f'limits {{ per_address = 100000  per_user = 100000  recipients = 1000 }}\n'
            f'delivery {{ connections = 5000 }}\nlog {{ level = "info" }}\n'
            f'route "*" {{ via = "127.0.0.1:{port}"  tls = "never" }}\n')


def fill(service, programs, folder, n_recipients, n_domains, a_message):
    _, password = service.add_user(USER)
    words = ["--to", "127.0.0.1", "--port", service.address("submission")[1], "--user", USER,
             "--password", password, "--size", 2000, "--recipients", a_message, "--domains",
             n_domains, "--connections", 20]
    begun = time.monotonic()
    for at in range(0, n_recipients // a_message, 1000):
        Load(programs, folder, words, min(1000, n_recipients // a_message - at)).run(PATIENCE_S)
    return time.monotonic() - begun


def resident_mb(service):
    """Of all its processes, at most so far."""
    pids = [service.process.pid, *service.children()]
    texts = [pathlib.Path(f"/proc/{pid}/status").read_text() for pid in pids]
    return sum(int(re.search(r"VmHWM:\s+(\d+)", text)[1]) for text in texts) / 1e3


def cpu_s(service):
    pids = [service.process.pid, *service.children()]
    texts = [pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1] for pid in pids]
    return sum(sum(map(int, text.split()[11:13])) for text in texts) / os.sysconf("SC_CLK_TCK")


def waited_for_a_core_s(service):
    """Of the thread that waited most: what other programs cost us."""
    most = 0
    for pid in service.children():
        for file in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
            most = max(most, int(file.read_text().split()[1]) / 1e9)
    return most


def begin(service, receiver):
    """Seconds to ready, to the first message that arrived, and of CPU until then."""
    begun = time.monotonic()
    service.start(ready=False)
    service.log.wait("ready", timeout=PATIENCE_S)
    ready = time.monotonic() - begun
    while not receiver.counts()["messages"]:
        assert time.monotonic() - begun < PATIENCE_S, service.log.tail()
        time.sleep(0.002)
    return ready, time.monotonic() - begun, cpu_s(service)


def main(build, n_recipients=5000000, n_domains=1000, a_message=100):
    programs = pathlib.Path(build) / "test/bench/programs"
    n_recipients, n_domains, a_message = int(n_recipients), int(n_domains), int(a_message)
    with tempfile.TemporaryDirectory(prefix="staffetta-restart-", dir="/var/tmp") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        probe = Receiver(programs, folder)
        port = probe.port
        probe.stop()
        service = appliance.Appliance(folder / "service", settings(port), LISTENERS)
        service.start()
        seconds = fill(service, programs, folder, n_recipients, n_domains, a_message)
        print(f"{n_recipients} recipients, {a_message} a message, of {n_domains} domains: "
              f"submitted in {seconds:.0f} s", flush=True)
        service.stop()
        receiver = Receiver(programs, folder, port=port)
        ready, first, cpu = begin(service, receiver)
        print(f"ready after {ready:.2f} s, first delivery after {first:.2f} s, of which "
              f"{waited_for_a_core_s(service):.2f} s waiting for a core; {cpu:.1f} s of CPU, "
              f"{resident_mb(service):.0f} MB resident (all processes, their peaks)", flush=True)
        service.kill()
        receiver.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
