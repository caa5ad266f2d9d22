"""The log and what became of mail, from the command line; the log from the API too."""
import http.server
import json
import socketserver
import subprocess
import threading

import pytest

from appliance import BINARY, PATIENCE
from test_api import API, problem
from test_history import get, one_of_each

pytestmark = pytest.mark.sanitized


@pytest.fixture(scope="module")
def relay(module_world):
    return one_of_each(module_world)


def test_the_last_lines(relay):
    lines = get(relay, "/logs", limit=1000)["items"]
    assert [line["number"] for line in lines] == sorted((line["number"] for line in lines),
                                                        reverse=True)
    one = next(line for line in lines if line["event"] == "bounced")
    assert one["fields"]["msg"] == relay.message and one["level"] == "info"
    assert one["line"].startswith("ts=") and "event=bounced" in one["line"]
    assert "from" not in one["fields"]  # what only history keeps
    assert {line["event"] for line in get(relay, "/logs", event="queued")["items"]} == {"queued"}
    assert all("later@" in line["line"]
               for line in get(relay, "/logs", text="LATER@")["items"])
    assert all(line["level"] in ("warning", "error")
               for line in get(relay, "/logs", level="warning")["items"])
    first = get(relay, "/logs", limit=2)
    again = get(relay, "/logs", limit=2, cursor=first["next_cursor"])
    assert again["items"][0]["number"] < first["items"][-1]["number"]
    assert problem(relay, "GET", API + "/logs?level=loud") == (422, "bad_level")


def test_the_command_line_searches_what_became_of_mail(relay):
    rows = relay.json("log", "search", "msgid:" + relay.message)
    assert {(row["recipient"], row["state"]) for row in rows if row["n"]} == {
        ("anna@dest.example", "delivered"), ("nobody@dest.example", "bounced"), ("later@other.example", "deferred")}
    assert [row["recipient"] for row in relay.json("log", "search", "msgid:" + relay.message, "state:bounced")] == [
        "nobody@dest.example"]
    assert len(relay.json("log", "search", "msgid:" + relay.message, "--limit", "2")) == 2
    assert relay.json("log", "search", "--to", "2020-01-01T00:00:00Z") == []
    assert "nobody@dest.example" in relay.cli("log", "search", "to:nobody@dest.example")
    for wrong in (("search", "colour:red"), ("search", "--limit", "0"), ("tail", "--limit", "5000"), ("tail", "--level", "loud")):
        assert relay.command("log", *wrong).returncode in (64, 65), wrong


def test_the_command_line_tells_the_last_lines(relay):
    lines = relay.json("log", "tail", "--event", "bounced", "--text", relay.message)
    assert [line["fields"]["rcpt"] for line in lines] == ["2"]
    numbers = [line["number"] for line in relay.json("log", "tail")]
    assert numbers == sorted(numbers) and len(numbers) > 5
    assert len(relay.cli("log", "tail", "--limit", "3").splitlines()) == 3


# ---- --follow

class Follower:
    """`log tail --follow`, for a minute at most."""

    def __init__(self, binary, control_socket, *words):
        self.process = subprocess.Popen(
            [str(binary), "--socket", str(control_socket), "log", "tail", "--follow", *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.limit = threading.Timer(60 * PATIENCE, self.process.kill)
        self.limit.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.limit.cancel()
        self.process.kill()
        self.process.communicate()

    def wait(self, words):
        assert any(words in line for line in iter(self.process.stdout.readline, "")), words


def test_it_tells_lines_as_they_come(relay):
    def suspend_and_resume(name):
        relay.cli("destination", "suspend", name, "--reason", "r")
        relay.cli("destination", "resume", name)
    suspend_and_resume("before.example")
    with Follower(relay.binary, relay.folder / "run/control.sock", "--event", "destination_resumed") as follower:
        follower.wait("before.example")
        suspend_and_resume("followed.example")
        follower.wait("followed.example")


def line(number, minute, words):
    return {"number": number, "ts": f"2026-01-01T00:{minute:02}:00.000Z", "line": words}


ANSWERS = [
    [line(7, 2, "the newest"), line(6, 1, "an old warning")],
    [line(6, 1, "an old warning")],  # the newest is forgotten before it
    [line(2, 3, "second of a new life"), line(1, 3, "first of a new life")],
    [line(number, 4, f"line {number}") for number in range(1010, 10, -1)],
]


@pytest.fixture
def scripted(world):
    """A control socket that answers with ANSWERS in turn, and then no more."""
    left = list(ANSWERS)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if left else 503)
            body = json.dumps({"items": left.pop(0) if left else [], "next_cursor": None}).encode()
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass
    path = world.new_path("control")
    with socketserver.ThreadingUnixStreamServer(str(path), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield path
        server.shutdown()


def test_it_goes_on_over_a_restart_and_says_what_it_left_out(scripted):
    with Follower(BINARY, scripted) as follower:
        out, complaints = follower.process.communicate()
    assert out.splitlines() == ["an old warning", "the newest", "first of a new life", "second of a new life"] + [
        f"line {number}" for number in range(11, 1011)]
    assert follower.process.returncode > 0 and "left out" in complaints.splitlines()[0]
