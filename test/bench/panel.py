"""What the panel's lists cost: with a long queue and a long history, each kind of question as p50 and
p99, and what asking does to mail that flows meanwhile.

usage: scripts/bench panel [--recipients N] [--rows N] [--requests N]     5000000, 10000000, 200

The queue: messages of 1,000 recipients for a destination that is suspended.  History: rows written
into the files of the last days before the start, as the service lays them out."""
import argparse
import datetime
import http.client
import itertools
import json
import multiprocessing
import os
import pathlib
import random
import smtplib
import socket
import sqlite3
import statistics
import sys
import tempfile
import time
import urllib.parse

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "test/support"))
os.environ.setdefault("STAFFETTA_BINARY", str(TOP / "build/release/staffetta"))  # read when imported
import appliance  # noqa: E402
import certificates  # noqa: E402
from receivers import Sink  # noqa: E402

USERS, DOMAINS, DAYS, EACH = 50, 2000, 10, 1000
SESSIONS, PAUSE_S, ROUNDS = 4, 0.25, 8
SHOWN = "recipients=20"  # of each message, as the panel asks
MESSAGE = "From: {}\r\nSubject: bench\r\n\r\nHello.\r\n"


class Control(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=600)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(600)
        self.sock.connect(self.path)


def ask(relay, path, method="GET", body=None, parse=True):
    connection = Control(relay.folder / "run/control.sock")
    connection.request(method, "/api/v1" + path, body and json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    assert answer.status < 300, (path, content)
    return json.loads(content) if content and parse else None


def write_history(folder, n_rows):
    """Evenly over DAYS files of the days before today."""
    schema = (TOP / "sql/migrations/history_0001.sql").read_text()
    dice, now = random.Random(1), datetime.datetime.now(datetime.timezone.utc)
    for back in range(1, DAYS + 1):
        day = now - datetime.timedelta(days=back)
        start = int(day.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)
        path = folder / f"{day:%Y-%m-%d}.db"
        with sqlite3.connect(path) as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = OFF")
            database.executescript(schema)
            database.execute("PRAGMA user_version = 1")
            n = n_rows // DAYS
            database.executemany(
                "INSERT INTO outcome (at, kind, message, n, user, sender, recipient, to_hash, site, code, enhanced, "
                "reply, spent_ms, attempts, size, recipients) VALUES (?,1,?,1,?,?,?,?,?,250,'2.0.0','2.0.0 Ok',900,1,2000,0)",
                ((start + i * 86_400_000 // n, f"B{back:02}{i:08}", f"u{i % USERS}", f"u{i % USERS}@shop.example",
                  f"r{dice.randrange(10**7)}@d{i % DOMAINS}.example", dice.randrange(2**32),
                  f"d{i % DOMAINS}.example") for i in range(n)))
        database.close()
        path.chmod(0o600)
        os.chown(path, folder.stat().st_uid, folder.stat().st_gid)


def replies(client, n):
    return [client.file.readline()[:3] for _ in range(n)]


def fill_queue(relay, login, n_recipients):
    """A message's commands in one write: a round trip for each recipient would take hours."""
    with relay.client(login) as client:
        for start in range(0, n_recipients, EACH):
            to = [f"r{i}@d{i // EACH % DOMAINS}.example" for i in range(start, start + EACH)]
            client.send(f"MAIL FROM:<{login[0]}>\r\n" + "".join(f"RCPT TO:<{one}>\r\n" for one in to) + "DATA\r\n")
            assert replies(client, EACH + 2) == [b"250"] * (EACH + 1) + [b"354"]
            client.send(MESSAGE.format(login[0]) + ".\r\n")
            assert replies(client, 1) == [b"250"]


def send_all_the_time(address, context, login, n_sent, is_over):
    """One session, in a process of its own: nothing of the asking must slow it down."""
    client = smtplib.SMTP(*address)
    client.starttls(context=context)
    client.login(*login)
    while not is_over.value:
        client.sendmail(login[0], ["x@flow.example"], MESSAGE.format(login[0]))
        with n_sent.get_lock():
            n_sent.value += 1
    client.quit()


class Flow:
    """Mail through some sessions as fast as it goes; how much a second."""

    def __init__(self, relay, login):
        self.n_sent, self.is_over = multiprocessing.Value("q", 0), multiprocessing.Value("b", 0)
        address, context = relay.address("submission"), relay.tls_context()
        self.sessions = [multiprocessing.get_context("fork").Process(
            target=send_all_the_time, args=(address, context, login, self.n_sent, self.is_over))
            for _ in range(SESSIONS)]
        for session in self.sessions:
            session.start()

    def rate(self, seconds, work=None):
        before, start = self.n_sent.value, time.monotonic()
        while time.monotonic() < start + seconds:
            if work:
                work()
            time.sleep(PAUSE_S)
        return (self.n_sent.value - before) / (time.monotonic() - start)

    def end(self):
        self.is_over.value = 1
        for session in self.sessions:
            session.join()


def timed(relay, path, n):
    spans = []
    for _ in range(n):
        start = time.monotonic()
        ask(relay, path, parse=False)
        spans.append((time.monotonic() - start) * 1000)
    spans.sort()
    return statistics.median(spans), spans[min(len(spans) - 1, int(len(spans) * 0.99))]


def questions(login):
    yield "queue list", f"/queue?limit=100&{SHOWN}"
    for words in ("to:r777@d0.example", "to:d7.example", f"from:{login}", f"user:{login}", "dest:d9.example",
                  "state:deferred", "older:1h", "size:1k"):
        yield "queue " + words.split(":")[0] + ":", f"/queue?{SHOWN}&" + urllib.parse.urlencode({"filter": words})
    yield "queue reply: (first page)", f"/queue?{SHOWN}&filter=reply:nothing"
    yield "queue text (first page)", f"/queue?{SHOWN}&filter=nowhere"
    yield "destinations", "/destinations"
    yield "users", "/users"
    yield "overview", "/overview"
    yield "deliveries list", "/deliveries?limit=100"
    for words in ("user:u7", "dest:d9.example", "to:d9.example", "to:r1@d1.example", "nowhere"):
        name = "to: (address)" if words.startswith("to:r") else words.split(":")[0] + (":" if ":" in words else "")
        yield "deliveries " + name, "/deliveries?" + urllib.parse.urlencode({"filter": words})
    for span in ("24h", "week", "month", "year"):
        yield "stats " + span, "/stats?metric=accepted,delivered,deferred,bounced&range=" + span


def measure(relay, login, n_requests):
    print(f"{'question':<28}{'p50 ms':>10}{'p99 ms':>10}")
    for name, path in questions(login):
        p50, p99 = timed(relay, path, n_requests)
        print(f"{name:<28}{p50:>10.1f}{p99:>10.1f}", flush=True)


def compare(relay, login, flow, seconds):
    """In turns, because the machine is not the same from minute to minute."""
    paths, quiet, asked = itertools.cycle(path for _, path in questions(login)), [], []
    for _ in range(ROUNDS):
        quiet.append(flow.rate(seconds))
        asked.append(flow.rate(seconds, lambda: ask(relay, next(paths), parse=False)))
    changes = [100 * after / before - 100 for before, after in zip(quiet, asked, strict=True)]
    print(f"mail: {statistics.mean(quiet):.0f}/s alone, {statistics.mean(asked):.0f}/s while {1 / PAUSE_S:.0f} questions "
          f"a second at most are asked: {statistics.median(changes):+.1f} % ({min(changes):+.1f} to {max(changes):+.1f})")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("build", nargs="?", default=str(TOP / "build/release"), help="STAFFETTA_BINARY goes before")
    options.add_argument("--recipients", type=int, default=5_000_000)
    options.add_argument("--rows", type=int, default=10_000_000)
    options.add_argument("--requests", type=int, default=200)
    options.add_argument("--seconds", type=float, default=15, help="of each half of a round that compares")
    wanted = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="staffetta-panel-") as folder:
        folder = pathlib.Path(folder)
        receiver = Sink(folder / "sink")
        config = (f'route "flow.example" {{ via = "{receiver.address}" }}\n'
                  'route "*" { via = "127.0.0.1:9" }\ndelivery { retry = { "5d" } }\n'
                  'spool { keep_free = "0" }\n')
        (folder / "ca").mkdir()
        authority = certificates.Authority(folder / "ca")
        relay = appliance.Appliance(folder, config, authority=authority,
                                    certificate=authority.issue("relay.example", "localhost", "127.0.0.1"))
        relay.start()
        relay.stop()  # which made the folders, for whom it runs as
        relay.start()
        flow = None
        try:
            login = relay.add_user("news@shop.example")
            history = multiprocessing.get_context("fork").Process(target=write_history,
                                                                  args=(folder / "data/history", wanted.rows))
            history.start()
            fill_queue(relay, login, wanted.recipients)
            history.join()
            assert history.exitcode == 0
            print(f"{wanted.recipients} recipients queued, {wanted.rows} rows of history, load {os.getloadavg()[0]:.0f}", flush=True)
            flow = Flow(relay, login)
            assert ask(relay, "/deliveries?limit=100")["items"] and ask(relay, "/queue?limit=100&" + SHOWN)["items"]
            measure(relay, login[0], wanted.requests)
            compare(relay, login[0], flow, wanted.seconds)
            print(f"load {os.getloadavg()[0]:.0f}")
        finally:
            if flow:
                flow.end()
            relay.stop()
            receiver.stop()


if __name__ == "__main__":
    main()
