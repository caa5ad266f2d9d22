"""What became of mail, as the API tells it: history, and the streams."""
import re
import time
import threading
import urllib.parse

import pytest

from appliance import PATIENCE, submit, wait_for
from messages import text
from panel import PASSWORD, Panel, set_up
from streams import Stream
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


def one_of_each(world):
    """A service with one message: delivered to anna, refused for nobody, deferred for later."""
    receiver = world.receiver(
        {"RCPT": lambda session, line: "550 5.1.1 " + NASTY if "nobody" in line
         else "450 4.2.2 Mailbox full" if "later" in line else None})
    service = world.relay_to(receiver, 'delivery { retry = { "1h" } }\n')
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


@pytest.fixture(scope="module")
def relay(module_world):
    return one_of_each(module_world)


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


# ---- streams

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
