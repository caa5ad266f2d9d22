"""Who sees what of mail and of its receivers."""
import json

import pytest

from appliance import PATIENCE, wait_for
from appliance import submit
from panel import Panel, set_up
from test_access import admin, confirmed

SENDER = "news@shop.example"
HEAD = f"From: {SENDER}\r\nTo: ann@dest.example\r\nDate: Mon, 23 Nov 2026 08:00:00 +0000\r\nMessage-ID: <1@shop.example>\r\n"


@pytest.fixture(scope="module")
def relay(module_world):
    receiver = module_world.receiver({"RCPT": "450 4.2.2 ann is away"})
    relay = module_world.relay_to(receiver, 'panel { address = "127.0.0.1:0" }\ndelivery { retry = { "1h" } }\n')
    login = relay.add_user(SENDER)
    relay.owner = set_up(relay, patience=PATIENCE)
    with relay.client(login) as client:
        relay.message = submit(client, SENDER, ["ann@dest.example"], HEAD + "X-Secret: of the shop\r\nSubject: hush\r\n\r\nHi.\r\n")
    relay.log.wait("deferred", msg=relay.message)
    return relay


def token(relay, *scopes):
    answer = confirmed(relay.owner).post("/tokens", {"name": "t", "scopes": list(scopes)})
    assert answer.status == 201, answer.content
    return Panel(relay.address("panel"), token=answer.body["secret"], patience=PATIENCE)


def test_what_a_message_says_is_for_who_works_with_it(relay):
    def names(panel):
        return [field["name"] for field in panel.get(f"/messages/{relay.message}").body["header"]]
    for panel in (relay.owner, admin(relay, relay.owner, "operator", "operator")):
        assert {"Subject", "X-Secret", "Received"} <= set(names(panel))
    for panel in (admin(relay, relay.owner, "viewer", "viewer"), token(relay, "history:read", "queue:write")):
        assert names(panel) == ["From", "To", "Date", "Message-ID"]


def test_what_receivers_say_is_history(relay):
    def said(panel):
        return wait_for(lambda: panel.get("/destinations").body["items"][0]["last_reply"], "the reply")
    assert "ann is away" in said(relay.owner)["text"]
    assert "ann is away" in said(token(relay, "destinations:read", "history:read"))["text"]
    assert said(token(relay, "destinations:read")) == {**said(relay.owner), "text": None}


def heard(panel, after):
    """What a stream says of jobs first."""
    connection = panel.connection()
    header = {"Cookie": panel.cookie} if panel.cookie else {"Authorization": f"Bearer {panel.token}"}
    connection.request("GET", "/api/v1/events?topics=jobs", headers={**header, "Last-Event-ID": after})
    stream = connection.getresponse()
    assert stream.status == 200
    try:
        while True:
            line = stream.readline().decode()
            if line.startswith("data: "):
                return json.loads(line[6:]).get("kind")
    finally:
        stream.close()
        connection.close()


def test_tests_of_the_way_are_for_who_may_begin_them(relay):
    job = relay.owner.post("/diagnostics/path", {"address": "ann@dest.example"}).body["id"]
    wait_for(lambda: relay.owner.get(f"/jobs/{job}").body["state"] == "done", "its end", timeout=60 * PATIENCE)
    other = relay.owner.post("/queue/actions", {"filter": "", "verb": "retry"}).body["id"]
    wait_for(lambda: relay.owner.get(f"/jobs/{other}").body["state"] == "done", "its end", timeout=60 * PATIENCE)
    viewer = admin(relay, relay.owner, "viewer", "viewer")
    reader = token(relay, "history:read", "queue:read")
    for panel in (viewer, reader):
        assert panel.get(f"/jobs/{job}").code == "role_forbidden" and panel.get(f"/jobs/{other}").status == 200
        assert heard(panel, "1") != "path"
    for panel in (relay.owner, token(relay, "history:read", "queue:read", "destinations:read")):
        assert panel.get(f"/jobs/{job}").body["steps"] and heard(panel, "1") == "path"
