"""What became of mail, as the API tells it: history, counters, log lines, and the streams."""
import json
import re
import socket
import subprocess
import time
import threading
import urllib.parse

import pytest

from appliance import PATIENCE, submit, wait_for
from messages import text
from panel import PASSWORD, Panel, set_up
from test_api import API, Control, ask, problem

pytestmark = pytest.mark.sanitized
SENDER = "news@shop.example"
NASTY = "=cmd|' /C calc'!A0"


def get(relay, path, **query):
    status, _, said = ask(relay, "GET", API + path + "?" + urllib.parse.urlencode(query))
    assert status == 200, said
    return said


def get_text(relay, path, **query):
    connection = Control(relay.folder / "run/control.sock")
    connection.request("GET", API + path + "?" + urllib.parse.urlencode(query))
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/csv")
    return answer.read().decode()


@pytest.fixture(scope="module")
def relay(module_world):
    """One message: delivered to anna, refused for nobody, deferred for later."""
    receiver = module_world.receiver(
        {"RCPT": lambda session, line: "550 5.1.1 " + NASTY if "nobody" in line
         else "450 4.2.2 Mailbox full" if "later" in line else None})
    service = module_world.relay_to(receiver, 'delivery { retry = { "1h" } }\n')
    service.login = service.add_user(SENDER)
    with service.client(service.login) as client:
        reply = submit(client, SENDER, ["anna@dest.example", "nobody@dest.example",
                                        "later@other.example"], text("one"))
    service.message = reply
    service.log.wait("delivered", msg=service.message)
    service.log.wait("bounced", msg=service.message)
    service.log.wait("deferred", msg=service.message)
    wait_for(lambda: len(get(service, "/deliveries", filter="msgid:" + service.message)["items"]) >= 4,
             "history knows all of it")
    return service


def deliveries(relay, words, **query):
    return get(relay, "/deliveries", filter=words, **query)["items"]


def test_each_outcome_is_a_row(relay):
    rows = {row["state"]: row for row in deliveries(relay, "msgid:" + relay.message)}
    assert set(rows) == {"queued", "delivered", "bounced", "deferred"}
    row = rows["bounced"]
    assert row["id"] == relay.message and row["recipient"] == "nobody@dest.example"
    assert row["user"] == row["sender"] == SENDER
    assert row["code"] == 550 and row["enhanced"] == "5.1.1" and NASTY in row["reply"]
    assert row["class"] == "bad_mailbox" and row["attempts"] == 1 and row["seconds"] >= 0
    assert rows["delivered"]["code"] == 250 and rows["deferred"]["class"]
    assert rows["queued"]["n_recipients"] == 3


@pytest.mark.parametrize("words, found", [
    ("to:anna@dest.example", {"anna@dest.example"}),
    ("to:ANNA@dest.example state:delivered", {"anna@dest.example"}),
    ("to:dest.example state:delivered,bounced", {"anna@dest.example", "nobody@dest.example"}),
    ("dest:other.example", {"later@other.example"}),
    ('reply:"mailbox full"', {"later@other.example"}),
    ("nobody@", {"nobody@dest.example"}),
    ("user:someone-else", set()),
    ("older:1h", set()),
    ("state:deleted", set()),
])
def test_words_find_what_they_say(relay, words, found):
    rows = deliveries(relay, words + f" from:{SENDER}")
    assert {row["recipient"] for row in rows if row["id"] == relay.message} - {""} == found


@pytest.mark.parametrize("query, code", [
    ({"filter": "colour:red"}, "bad_filter"), ({"filter": "to:a to:b"}, "bad_filter"),
    ({"filter": 'reply:"open'}, "bad_filter"), ({"filter": "older:soon"}, "bad_filter"),
    ({"filter": "state:sending"}, "bad_state"), ({"cursor": "x"}, "bad_cursor"),
    ({"from": "yesterday"}, "bad_time"), ({"limit": "0"}, "bad_limit"),
    ({"limit": "1001"}, "bad_limit")])
def test_what_is_not_understood_is_refused(relay, query, code):
    path = API + "/deliveries?" + urllib.parse.urlencode(query)
    assert problem(relay, "GET", path) == (422, code)


def test_a_bad_word_is_named_with_its_place(relay):
    status, _, said = ask(relay, "GET", API + "/deliveries?filter=to:a%20colour:red%20x")
    assert status == 422 and said["params"] == {"at": 5, "length": 10, "word": "colour:red"}


def test_pages_and_times(relay):
    seen, cursor = [], None
    while True:
        page = get(relay, "/deliveries", filter="msgid:" + relay.message, limit=1,
                   **({"cursor": cursor} if cursor else {}))
        seen += page["items"]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert len(seen) == len({(row["n"], row["state"]) for row in seen}) == 4
    assert [row["at"] for row in seen] == sorted((row["at"] for row in seen), reverse=True)
    assert not get(relay, "/deliveries", to="2020-01-01T00:00:00Z")["items"]
    assert get(relay, "/deliveries", **{"from": "2020-01-01T00:00:00Z"})["items"]


def test_a_spreadsheet_runs_nothing(relay):
    lines = get_text(relay, "/deliveries.csv", filter="state:bounced").splitlines()
    assert lines[0].startswith("at,id,n,state,user")
    cells = re.findall(r'"((?:[^"]|"")*)"', lines[1])
    assert any(NASTY in cell for cell in cells)
    assert not [cell for cell in cells if cell.strip()[:1] in tuple("=+-@|")]


def test_a_message_with_all_its_attempts(relay):
    said = get(relay, "/messages/" + relay.message)
    states = {row["address"]: row["state"] for row in said["recipients"]}
    assert states == {"anna@dest.example": "delivered", "nobody@dest.example": "bounced",
                      "later@other.example": "deferred"}
    assert said["waits"] and said["user"] == SENDER and len(said["attempts"]) >= 4
    assert problem(relay, "GET", API + "/messages/0000000000") == (404, "not_found")


# ---- counters

def total(relay, metric, **query):
    series = get(relay, "/stats", metric=metric, **query)["series"][0]
    return sum(n or 0 for n in series["sum"])


def test_counters_say_what_the_rows_say(relay):
    wait_for(lambda: total(relay, "bounced", range="24h") >= 1, "counters are stored",
             timeout=60 * PATIENCE)
    for span in ("24h", "week", "month", "year"):
        assert total(relay, "accepted", range=span) >= 3
        assert total(relay, "delivered", range=span) >= 1
    assert total(relay, "accepted", range="24h", by="user:" + SENDER) >= 3
    assert total(relay, "accepted", range="24h", by="user:nobody") == 0
    said = get(relay, "/stats", metric="delivered,queued,latency_p95", range="week")
    assert said["step"] == 1800 and len(said["times"]) == 336 == len(said["series"][0]["mean"])
    assert said["times"][1] - said["times"][0] == 1800 and said["gaps"] == []
    for name in ("mean", "min", "max"):
        assert len(said["series"][2][name]) == 336
    csv = get_text(relay, "/stats.csv", metric="accepted", range="24h").splitlines()
    assert csv[0] == "time,accepted" and sum(float(line.split(",")[1]) for line in csv[1:]) >= 3


@pytest.mark.parametrize("query, code", [
    ({"metric": "luck"}, "bad_metric"), ({"by": "moon:1"}, "bad_by"), ({"by": "user"}, "bad_by"),
    ({"range": "ever"}, "bad_range"), ({"step": "7"}, "bad_step"),
    ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "bad_time"),
    ({"range": "year", "step": "60"}, "bad_step")])
def test_stats_are_asked_for_strictly(relay, query, code):
    path = API + "/stats?" + urllib.parse.urlencode(query)
    assert problem(relay, "GET", path) == (422, code)


def test_overview(relay):
    said = wait_for(lambda: (lambda seen: seen if seen["tiles"]["bounced_24h"] else None)(
        get(relay, "/overview")), "the day is summed up", timeout=60 * PATIENCE)
    assert said["state"] in ("ok", "attention") and said["version"]
    assert said["tiles"]["queued"] >= 1 and said["tiles"]["held"] == 0
    assert said["tiles"]["oldest_seconds"] >= 0 and said["tiles"]["accepted_24h"] >= 3
    assert len(said["spark"]["delivered"]) == 24 and sum(said["spark"]["accepted"]) >= 3
    top = said["top_destinations"][0]
    assert top["name"] == "other.example" and top["queued"] == 1 and top["rate"] >= 0
    assert said["certificate"]["days_left"] > 0 and said["certificate"]["name"] == "default"
    assert said["top_users"][0]["name"] == SENDER and said["disk"]["free"] > 0


def test_how_each_destination_fares(relay):
    def found():
        said = get(relay, "/destinations")
        assert said["total"] == len(said["items"]) == 1  # both domains go to one next hop
        row = said["items"][0]
        # One message, and the report about the one that was refused.
        return row if row["oldest_seconds"] is not None and row["day"]["delivered"] == 2 else None
    row = wait_for(found, "it has been counted and looked at", timeout=60 * PATIENCE)
    assert row["domains"] == ["other.example"] and row["provider"] is None
    assert (row["waiting"], row["oldest_seconds"] >= 0, row["rate"] >= 0) == (1, True, True)
    for span in ("hour", "day"):
        assert (row[span]["delivered"], row[span]["deferred"], row[span]["bounced"]) == (2, 1, 1)
        assert row[span]["percent"] == 50
    last = row["last_reply"]
    assert last["state"] == "delivered" and last["code"] == 250 and last["at"] and last["text"]
    assert row["drain_forecast"] is None  # nothing is due now
    get(relay, "/destinations", name="other.example", limit=1)
    assert problem(relay, "GET", API + "/destinations?limit=0") == (422, "bad_limit")


def test_limits_of_destinations(relay):
    relay.cli("destination", "throttle", "other.example", "--per-hour", "120", "--connections", "2", "--reason", "r")
    try:
        row = wait_for(lambda: [r for r in get(relay, "/destinations")["items"] if r["limits"]],
                       "the order is known")[0]
        assert row["limits"]["messages_per_hour"] == 120 and row["limits"]["connections"] == 2
        assert row["limit"] == 2
    finally:
        relay.cli("destination", "resume", "other.example")


def test_how_each_user_fares(relay):
    def found():
        row = get(relay, "/users")["items"][0]
        return row if row["queued"] and row["day"]["delivered"] == 2 else None
    row = wait_for(found, "it has been counted and looked at", timeout=60 * PATIENCE)
    assert row["last_used"] and (row["queued"], row["held"]) == (1, 0)
    assert 33 < row["day"]["bounce_percent"] < 34 and row["day"]["accepted"] >= 3
    assert row["used"]["recipients_per_month"] >= 3 and row["quotas"] == {}
    one = get(relay, "/users/" + SENDER)
    assert {name: one[name] for name in ("last_used", "used", "quotas", "queued", "held", "day")} == {
        name: row[name] for name in ("last_used", "used", "quotas", "queued", "held", "day")}


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
    following = subprocess.Popen([str(relay.binary), "--socket", str(relay.folder / "run/control.sock"), "log", "tail", "--follow",
                                  "--event", "destination_resumed"], stdout=subprocess.PIPE, text=True)
    try:
        relay.cli("destination", "suspend", "followed.example", "--reason", "r")
        relay.cli("destination", "resume", "followed.example")
        assert any("followed.example" in line for line in iter(following.stdout.readline, ""))  # after those before it
    finally:
        following.kill()
        following.wait()


def test_header_and_text_of_a_message_while_it_waits(world):
    relay = world.relay_to(world.receiver({"RCPT": lambda session, line: "450 4.2.2 Later" if "later" in line else None}),
                           'panel { address = "127.0.0.1:0" }\ndelivery { retry = { "1h" } }\n')
    login = relay.add_user(SENDER)
    owner = set_up(relay, patience=PATIENCE)
    subject = "=?utf-8?q?Caff=C3=A8?= =?iso-8859-15?q?_10_=A4?=\r\n\t<script>"
    message = f"From: {SENDER}\r\nTo: later@dest.example\r\nSubject: {subject}\r\n\r\nThe text.\r\n"
    with relay.client(login) as client:
        waiting, sent = (submit(client, SENDER, [to], message) for to in ("later@dest.example", "now@dest.example"))
    relay.log.wait("deferred", msg=waiting)
    relay.log.wait("delivered", msg=sent)
    fields = {field["name"]: field["value"] for field in get(relay, f"/messages/{waiting}")["header"]}
    assert fields["Subject"] == "Caff\u00e8 10 \u20ac\t<script>" and fields["From"] == SENDER and "Received" in fields
    assert wait_for(lambda: ask(relay, "GET", f"{API}/messages/{sent}")[0] == 200, "history has it")
    assert get(relay, f"/messages/{sent}")["header"] is None
    answer = owner.get(f"/messages/{waiting}/raw")
    assert answer.headers["Content-Type"] == "message/rfc822" and answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.content.endswith(b"\r\n\r\nThe text.\r\n") and subject.encode() in answer.content
    assert owner.get(f"/messages/{sent}/raw").status == 404
    audited = [row for row in owner.get("/audit").body["items"] if waiting in (row["object"] or "")]
    assert len(audited) == 1 and audited[0]["who"] == "owner"
    relay.cli("queue", "delete", waiting, "--reason", "not wanted")
    told = relay.log.wait("deleted", msg=waiting)
    assert (told["to"], told["reply"]) == ("later@dest.example", "not wanted")
    row = wait_for(lambda: deliveries(relay, f"msgid:{waiting} state:deleted"), "history has it")[0]
    assert (row["recipient"], row["user"], row["sender"]) == ("later@dest.example", SENDER, SENDER)
    assert get(relay, f"/messages/{waiting}")["header"] is None and owner.get(f"/messages/{waiting}/raw").status == 404


# ---- log

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


# ---- streams

class Stream:
    """A client of server-sent events."""

    def __init__(self, relay, topics, last=None, panel=None, token=None, cookie=None, **query):
        self.socket = socket.socket(socket.AF_INET if panel else socket.AF_UNIX)
        self.socket.settimeout(60 * PATIENCE)
        self.socket.connect(panel or str(relay.folder / "run/control.sock"))
        words = urllib.parse.urlencode({"topics": topics, **query})
        head = f"GET {API}/events?{words} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        head += f"Last-Event-ID: {last}\r\n" if last else ""
        head += f"Authorization: Bearer {token}\r\n" if token else ""
        head += f"Cookie: {cookie}\r\n" if cookie else ""
        self.socket.sendall((head + "\r\n").encode())
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.headers = {}
        while (line := self.file.readline().strip()):
            name, _, value = line.decode().partition(":")
            self.headers[name.lower()] = value.strip()
        self.rest = b""

    def block(self):
        """The next block: {id, event, data}, {} of a comment; None at the end."""
        while b"\n\n" not in self.rest:
            size = self.file.readline().strip()
            if not size or int(size, 16) == 0:
                return None
            self.rest += self.file.read(int(size, 16))
            self.file.readline()
        block, self.rest = self.rest.split(b"\n\n", 1)
        found = dict(line.split(": ", 1) for line in block.decode().split("\n")
                     if not line.startswith(":"))
        if "data" in found:
            found["data"] = json.loads(found["data"])
        return found

    def event(self, name):
        while (block := self.block()) is not None:
            if block.get("event") == name:
                return block
        raise AssertionError(f"the stream ended before {name}")

    def close(self):
        self.file.close()
        self.socket.close()


@pytest.fixture
def streams(relay):
    opened = []

    def make(topics, **options):
        opened.append(Stream(relay, topics, **options))
        return opened[-1]

    yield make
    for stream in opened:
        stream.close()


def test_a_stream_tells_how_it_goes(relay, streams):
    stream = streams("overview,queue")
    assert stream.status == 200 and stream.headers["content-type"] == "text/event-stream"
    said = stream.event("overview")
    assert said["data"]["tiles"]["queued"] >= 1 and int(said["id"]) > 0
    assert stream.event("queue")["data"]["by_state"]["deferred"] >= 1


def test_lines_and_logins_as_they_happen(relay, streams):
    stream = streams("logs,auth:" + SENDER, text="login")
    stream.block()
    mark = time.time()
    wait_for(lambda: relay.client(relay.login).close() is None, "a login")
    line = stream.event("auth")["data"]
    assert line["event"] == "login" and line["fields"]["user"] == SENDER
    assert time.time() - mark < 60 * PATIENCE


def test_topics_are_asked_for_strictly(relay):
    assert problem(relay, "GET", API + "/events?topics=weather") == (422, "bad_topic")
    assert problem(relay, "GET", API + "/events") == (422, "bad_topic")
    assert problem(relay, "GET", API + "/events?topics=logs:x") == (422, "bad_topic")


def test_a_stream_that_comes_back_misses_nothing(relay, streams):
    first = streams("overview")
    last = first.event("overview")["id"]
    second = first.event("overview")
    first.close()
    again = streams("overview", last=last)
    assert again.event("overview")["data"] == second["data"]


def test_a_session_has_four_streams_and_those_left_do_not_count(relay, streams):
    opened = [streams("jobs") for _ in range(4)]
    assert [stream.status for stream in opened] == [200] * 4
    assert problem(relay, "GET", API + "/events?topics=jobs") == (429, "too_many_streams")
    opened[0].close()
    assert streams("jobs").status == 200


def test_a_stop_ends_the_streams(module_world):
    service = module_world.relay_to(module_world.sink())
    opened = [Stream(service, "overview,logs") for _ in range(4)]
    opened[0].event("overview")
    service.stop()
    for stream in opened:
        while stream.block() is not None:
            pass
        stream.close()


@pytest.fixture(scope="module")
def served(module_world):
    """A service with a panel, and its owner."""
    service = module_world.appliance('panel { address = "127.0.0.1:0" }\n')
    service.owner = set_up(service, patience=PATIENCE)
    service.owner.post("/session:confirm", {"password": PASSWORD})
    return service


def test_fifty_streams_asleep_beside_busy_requests(served):
    """libmicrohttpd 0.9.75 is said to pass over ready connections while others are suspended."""
    address = served.address("panel")
    tokens = [served.owner.post("/tokens", {"name": f"t{n}", "scopes": ["history:read", "stats:read"]})
              .body["secret"] for n in range(13)]
    opened = [Stream(served, "overview", panel=address, token=token)
              for token in tokens for _ in range(4)]
    assert [stream.status for stream in opened] == [200] * 52
    answers = []

    def ask_often():
        panel = Panel(address, token=tokens[0], patience=PATIENCE)
        answers.extend(panel.get("/stats", headers=None).status for _ in range(50))

    askers = [threading.Thread(target=ask_often) for _ in range(4)]
    for asker in askers:
        asker.start()
    for _ in range(2):
        for stream in opened:
            assert stream.event("overview")["data"]["tiles"]["queued"] == 0
    for asker in askers:
        asker.join()
    assert answers == [200] * 200
    for stream in opened:
        stream.close()


def test_a_stream_ends_with_its_session(served):
    browser = Panel(served.address("panel"), patience=PATIENCE)
    assert browser.sign_in("owner").status == 200
    stream = Stream(served, "jobs", panel=served.address("panel"), cookie=browser.cookie)
    assert stream.status == 200
    stream.block()
    assert browser.delete("/session").status in (200, 204)
    while stream.block() is not None:
        pass
    stream.close()


@pytest.mark.parametrize("way", ("role", "disable", "token", "maker", "user"))
def test_a_stream_ends_when_its_listener_may_no_more(served, way):
    name = f"listens-{way}"
    address = served.address("panel")
    browser = Panel(address, patience=PATIENCE)
    served.owner.post("/session:confirm", {"password": PASSWORD})
    if way == "user":
        name += "@shop.example"
        assert served.owner.post("/users", {"name": name, "password": PASSWORD}).status == 201
    else:
        assert served.owner.post("/admins", {"name": name, "password": PASSWORD, "role": "admin"}).status == 201
    assert browser.sign_in(name).status == 200
    who = {"cookie": browser.cookie}
    if way in ("token", "maker"):
        browser.post("/session:confirm", {"password": PASSWORD})
        made = browser.post("/tokens", {"name": way, "scopes": ["history:read"]}).body
        who = {"token": made["secret"]}
    stream = Stream(served, "auth" if way == "user" else "overview", panel=address, **who)
    assert stream.status == 200
    stream.block()
    answer = {
        "role": lambda: served.owner.post(f"/admins/{name}:role", {"role": "viewer"}),
        "disable": lambda: served.owner.post(f"/admins/{name}:disable", {}),
        "token": lambda: served.owner.delete(f"/tokens/{made['id']}"),
        "maker": lambda: served.owner.delete(f"/admins/{name}"),
        "user": lambda: served.owner.post(f"/users/{name}:disable", {}),
    }[way]()
    assert answer.status in (200, 204), answer.content
    while stream.block() is not None:
        pass
    stream.close()


def test_users_hear_of_their_own_logins_alone(served):
    name = "own@shop.example"
    served.owner.post("/users", {"name": name, "password": PASSWORD})
    browser = Panel(served.address("panel"), patience=PATIENCE)
    assert browser.sign_in(name).status == 200
    for topics in ("overview", "logs", "jobs", f"auth:{name},logs"):
        answer = browser.get("/events?topics=" + topics)
        assert (answer.status, answer.code) == (403, "role_forbidden"), topics
    served.owner.post("/users", {"name": "other@shop.example", "password": PASSWORD})
    stream = Stream(served, "auth:other@shop.example", panel=served.address("panel"), cookie=browser.cookie)
    assert stream.status == 200
    stream.block()
    wait_for(lambda: served.client(("other@shop.example", PASSWORD)).close() is None, "its login")
    wait_for(lambda: served.client((name, PASSWORD)).close() is None, "a login")
    assert stream.event("auth")["data"]["fields"]["user"] == name
    stream.close()


def test_users_see_their_own_rows_alone(world):
    """Two users, a message of each; neither finds the other's by any word."""
    receiver = world.receiver({"RCPT": "450 4.2.1 Come back"})
    service = world.relay_to(receiver, 'panel { address = "127.0.0.1:0" }\n')
    owner = set_up(service, patience=PATIENCE)
    owner.post("/session:confirm", {"password": PASSWORD})
    panels, ids = {}, {}
    for name in ("anna@shop.example", "berta@shop.example"):
        assert owner.post("/users", {"name": name, "password": PASSWORD}).status in (200, 201)
        panels[name] = Panel(service.address("panel"), patience=PATIENCE)
        assert panels[name].sign_in(name).status == 200
        with service.client((name, PASSWORD)) as client:
            ids[name] = submit(client, name, ["x@dest.example"], text("own", sender=name))
    for name, panel in panels.items():
        other = next(one for one in panels if one != name)
        wait_for(lambda: len(panel.get("/me/deliveries").body["items"]) >= 2, "history has it")
        for words in ("", "to:x@dest.example", f"msgid:{ids[other]}", f"user:{other}", "dest:dest.example",
                      "reply:come", "state:deferred", f"from:{other}"):
            query = urllib.parse.urlencode({"filter": words})
            for path in ("/me/deliveries?", "/me/queue?"):
                items = panel.get(path + query).body["items"]
                assert {item["user"] for item in items} <= {name}, (path, words)
        assert [item["id"] for item in panel.get("/me/queue").body["items"]] == [ids[name]]
        assert panel.get("/me/stats?by=total").status == 422
        assert panel.get("/deliveries").status == panel.get("/queue").status == 403
