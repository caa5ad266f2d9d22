"""Changes that hold only of what was seen (If-Match), requests asked twice (Idempotency-Key), HEAD, the
first administrator out of a file, and what the audit keeps of before and after."""
import grp
import json
import os
import shutil
import socket
import sqlite3

import pytest
from appliance import PATIENCE
from panel import PASSWORD, Panel, set_up

PANEL = 'panel { address = "127.0.0.1:0" }\n'


@pytest.fixture(scope="module")
def relay(module_world):
    return module_world.appliance(PANEL)


@pytest.fixture(scope="module")
def owner(relay):
    return set_up(relay, patience=PATIENCE)


def user(owner, name):
    assert owner.post("/users", {"name": name, "password": PASSWORD}).status == 201
    return f"/users/{name}"


@pytest.mark.sanitized
def test_a_change_of_what_somebody_else_changed_is_refused(owner):
    path = user(owner, "tagged@shop.example")
    seen = owner.get(path).headers["ETag"]
    assert seen == owner.get(path).headers["ETag"]
    change = {"options": {"recipients_per_hour": "100"}}
    if_seen = {"headers": {"If-Match": seen}}
    assert owner.post(path + ":options", change, **if_seen).status == 204
    assert owner.get(path).headers["ETag"] != seen
    for method, verb, body in (("POST", ":options", change), ("POST", ":disable", {}), ("DELETE", "", None)):
        answer = owner.ask(method, path + verb, body, **if_seen)
        assert (answer.status, answer.code) == (412, "changed_meanwhile"), verb
    assert owner.get(path).body["enabled"]
    assert owner.post(path + ":disable", headers={"If-Match": f'"other", {owner.get(path).headers["ETag"]}'}).status == 204
    assert owner.post(path + ":enable", headers={"If-Match": "*"}).status == 204
    assert owner.post("/users/nobody@shop.example:enable", headers={"If-Match": "*"}).status == 412
    assert owner.post(path + ":disable").status == 204, "without a condition as before"


def test_of_two_changes_at_once_one_is_refused(relay, owner):
    path = user(owner, "raced@shop.example")
    seen = owner.get(path).headers["ETag"]
    body = json.dumps({"options": {"recipients_per_hour": "7"}})
    request = (f"POST /api/v1{path}:options HTTP/1.1\r\nHost: localhost\r\nCookie: {owner.cookie}\r\nX-Staffetta: 1\r\n"
               f"Content-Type: application/json\r\nIf-Match: {seen}\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode()
    peers = [socket.create_connection(relay.address("panel"), timeout=60 * PATIENCE) for _ in range(6)]
    for peer in peers:
        peer.sendall(request)
    answers = [peer.recv(64).split()[1] for peer in peers]
    assert sorted(answers) == [b"204"] + [b"412"] * 5
    for peer in peers:
        peer.close()


def test_settings_and_domains_have_tags(owner):
    assert owner.get("/config").headers["ETag"] == owner.get("/config").headers["ETag"]
    owner.post("/domains", {"name": "tagged.example"})
    seen = owner.get("/domains/tagged.example").headers["ETag"]
    assert owner.post("/domains/tagged.example:options", {"requires_signing": True}, headers={"If-Match": seen}).status == 204
    assert owner.post("/domains/tagged.example:options", {"requires_signing": False}, headers={"If-Match": seen}).status == 412


@pytest.mark.sanitized
def test_what_is_asked_twice_is_done_once(owner):
    wish = {"name": "twice@shop.example", "password": PASSWORD}
    key = {"headers": {"Idempotency-Key": "a-1"}}
    first, again = owner.post("/users", wish, **key), owner.post("/users", wish, **key)
    assert first.status == again.status == 201 and first.content == again.content
    assert owner.post("/users", wish).code == "exists"
    assert owner.post("/users", {**wish, "name": "third@shop.example"}, **key).code == "key_reused"
    changes = [row for row in owner.get("/audit").body["items"] if row["object"] == "twice@shop.example"]
    assert len(changes) == 1, "the second time nothing was done"
    # An answer with a secret in it is not kept.
    key["headers"]["Idempotency-Key"] = "a-2"
    wish = {"name": "secret@shop.example", "generate": True}
    assert "password" in owner.post("/users", wish, **key).body
    assert owner.post("/users", wish, **key).code == "done_before"
    # What was refused was not done.
    key["headers"]["Idempotency-Key"] = "a-3"
    assert owner.post("/users", wish, **key).code == "exists"
    assert owner.delete("/users/secret@shop.example").status == 204
    assert owner.post("/users", wish, **key).status == 201
    for bad in ("", "x" * 129, "a b"):
        assert owner.post("/users", wish, headers={"Idempotency-Key": bad}).status in (422, 409)


def test_a_key_is_its_account_s_own(relay, owner):
    key = {"headers": {"Idempotency-Key": "shared"}}
    owner.post("/admins", {"name": "second", "role": "owner", "password": PASSWORD})
    other = Panel(relay.address("panel"), patience=PATIENCE)
    assert other.sign_in("second").status == 200
    wish = {"name": "keyed@shop.example", "password": PASSWORD}
    assert owner.post("/users", wish, **key).status == 201
    assert other.post("/users", wish, **key).code == "exists"


@pytest.mark.long
def test_no_more_keys_of_one_than_their_bound(owner):
    for n in range(205):
        assert owner.post("/queue/actions", {"verb": "hold", "filter": "user:x", "dry_run": True},
                          headers={"Idempotency-Key": f"many-{n}"}).status == 200
    # The first is forgotten, so it is done anew.
    other = {"verb": "release", "filter": "user:x", "dry_run": True}
    assert owner.post("/queue/actions", other, headers={"Idempotency-Key": "many-0"}).status == 200
    assert owner.post("/queue/actions", other, headers={"Idempotency-Key": "many-204"}).code == "key_reused"


def test_head_is_get_without_its_body(owner):
    for path in ("/users", "/config", "/events?topics=jobs", "/healthz"):
        answer = owner.ask("HEAD", path)
        assert answer.status == 200 and answer.content == b"", path
    got = owner.get("/users")
    assert int(owner.ask("HEAD", "/users").headers["Content-Length"]) == len(got.content)
    assert owner.ask("HEAD", "/diagnostics/path").status == 405
    assert owner.ask("HEAD", "/users/nobody").status == 404


def test_the_audit_has_before_and_after_of_what_has_a_state(owner):
    def last(of):
        return next(row for row in owner.get("/audit").body["items"] if row["object"] == of)
    owner.post("/domains", {"name": "kept.example"})
    assert last("kept.example")["before"] is None and last("kept.example")["after"]["requires_signing"] is False
    owner.post("/domains/kept.example:options", {"requires_signing": True})
    row = last("kept.example")
    assert (row["before"]["requires_signing"], row["after"]["requires_signing"]) == (False, True)
    user(owner, "net@shop.example")
    owner.post("/networks", {"network": "192.0.2.0/24", "user": "net@shop.example"})
    assert last("192.0.2.0/24")["after"] == {"network": "192.0.2.0/24", "user": "net@shop.example"}
    owner.delete("/networks/192.0.2.0/24")
    assert last("192.0.2.0/24")["before"]["user"] == "net@shop.example" and last("192.0.2.0/24")["after"] is None
    owner.post("/destinations/slow.example:suspend", {"reason": "one"})
    owner.post("/destinations/slow.example:suspend", {"reason": "two"})
    row = last("slow.example")
    assert [row[when]["orders"][0]["reason"] for when in ("before", "after")] == ["one", "two"]
    owner.post("/destinations/slow.example:resume")
    assert last("slow.example")["after"] is None
    owner.post("/users/net@shop.example:options", {"options": {"recipients_per_day": "5"}})
    row = last("net@shop.example")
    assert row["before"]["limits"] != row["after"]["limits"]


def test_the_set_up_card_has_the_ports_that_are_bound(relay, owner):
    user(owner, "card@shop.example")
    panel = Panel(relay.address("panel"), patience=PATIENCE)
    panel.sign_in("card@shop.example")
    ports = {item["port"] for item in panel.get("/me/setup-card").body["ports"]}
    assert relay.port("submission") in ports and 0 not in ports


# ---- the first administrator out of a file

HASH = "$argon2id$v=19$m=19456,t=2,p=1$"


def own_hash(relay):
    """Of PASSWORD, as the service itself makes it."""
    with sqlite3.connect(relay.folder / "data/db/staffetta.db") as connection:
        return connection.execute("SELECT hash FROM admins WHERE name = 'owner'").fetchone()[0]


def preseeded(world, text, mode=0o640):
    relay = world.appliance(start=False)
    path = relay.folder / "preseed.json"
    path.write_text(text)
    path.chmod(mode)
    if os.geteuid() == 0 and any(group.gr_name == "staffetta" for group in grp.getgrall()):
        shutil.chown(path, group="staffetta")
    relay.config = f'panel {{ address = "127.0.0.1:0"  preseed = "{path}" }}\n'
    return relay.start()


def test_the_first_owner_may_come_out_of_a_file(world, relay, owner):
    made = preseeded(world, json.dumps({"user": "boss", "hash": own_hash(relay), "language": "it"}))
    assert made.log.wait("preseeded")["admin"] == "boss"
    panel = Panel(made.address("panel"), patience=PATIENCE)
    assert panel.get("/setup").status == 410 and not (made.folder / "run/setup-code").exists()
    assert panel.sign_in("boss").body["language"] == "it" and panel.get("/session").body["role"] == "owner"
    row, = [row for row in panel.get("/audit").body["items"] if row["object"] == "boss"]
    assert (row["who"], row["after"]) == ("preseed", {"role": "owner"})
    # From then on the file is nobody's.
    (made.folder / "preseed.json").write_text(json.dumps({"user": "evil", "hash": own_hash(relay)}))
    made.restart()
    panel.address = made.address("panel")
    assert [item["name"] for item in panel.get("/admins").body["items"]] == ["boss"]


@pytest.mark.parametrize("text,mode,reason", [
    ('{"user": "boss", "hash": "HASH"}', 0o644, "mode"),
    ('{"user": "boss", "hash": "HASH"}', 0o660, "mode"),
    ('{"user": "boss", "password": "four words and a horse"}', 0o640, "nothing else"),
    ('{"user": "boss", "hash": "four words and a horse"}', 0o640, "hash"),
    ('{"user": "a/b", "hash": "HASH"}', 0o640, "name"),
    ("[]", 0o640, "object"),
])
def test_a_file_that_will_not_do_makes_nobody(world, text, mode, reason):
    made = preseeded(world, text.replace("HASH", HASH + "c2FsdHNhbHRzYWx0c2FsdA$c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0"), mode)
    assert reason in made.log.wait("preseed_refused")["reason"]
    made.log.wait("setup_code")
    panel = Panel(made.address("panel"), patience=PATIENCE)
    assert panel.get("/setup").body == {"code_needed": True, "has_admin": False}
