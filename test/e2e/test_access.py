"""Who gets into the panel: first run, sessions, roles, second factors, tokens, and who changed what."""
import json
import re
import socket
import sqlite3
import stat
import time

import pytest
from appliance import PATIENCE
from panel import PASSWORD, Panel, set_up, setup_code, totp
from test_api_contract import operations, rows

PANEL = 'panel { address = "127.0.0.1:0" }\n'
OTHER = "another four words here"


@pytest.fixture(scope="module")
def relay(module_world):
    return module_world.appliance(PANEL)


@pytest.fixture(scope="module")
def owner(relay):
    return set_up(relay, patience=PATIENCE)


def browser(relay):
    return Panel(relay.address("panel"), patience=PATIENCE)


def confirmed(panel, password=PASSWORD):
    assert panel.post("/session:confirm", {"password": password}).status == 200
    return panel


def admin(relay, owner, name, role):
    """An administrator, signed in."""
    answer = confirmed(owner).post("/admins", {"name": name, "role": role, "password": PASSWORD})
    assert answer.status in (201, 409), answer.content
    panel = browser(relay)
    assert panel.sign_in(name).status == 200
    return panel


def sender(relay, owner, name):
    """An SMTP user, signed in."""
    owner.post("/users", {"name": name, "password": PASSWORD})
    panel = browser(relay)
    answer = panel.sign_in(name)
    assert answer.status == 200, answer.content
    return panel


# ---- the first run

def test_the_first_owner_needs_the_code_of_the_log(world):
    relay = world.appliance(PANEL)
    told = relay.log.wait("setup_code")
    file = relay.folder / "run/setup-code"
    assert told["code"] == setup_code(relay) and re.fullmatch("([a-z2-9]{4}-){7}[a-z2-9]{4}", told["code"])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    panel = browser(relay)
    assert panel.get("/setup").body == {"code_needed": True, "has_admin": False}
    wish = {"code": "a" * 32, "user": "owner", "password": PASSWORD}
    assert panel.post("/setup", wish).body["params"] == {"tries_left": 4}
    assert panel.post("/setup", {**wish, "code": told["code"], "password": "short"}).code == "weak_password"
    made = panel.post("/setup", {**wish, "code": told["code"].upper().replace("-", " "), "language": "it"})
    assert made.status == 200 and made.body["role"] == "owner" and made.body["language"] == "it"
    assert panel.get("/session").body["user"] == "owner" and not file.exists()
    assert panel.get("/setup").status == browser(relay).post("/setup", {**wish, "code": told["code"]}).status == 410
    relay.restart()
    assert not relay.log.all("setup_code") and not file.exists()
    # A session outlives the service.
    panel.address = relay.address("panel")
    assert panel.get("/session").body["user"] == "owner"


def test_guesses_at_the_code_are_paused(world):
    relay = world.appliance(PANEL)
    panel = browser(relay)
    wish = {"code": "b" * 32, "user": "owner", "password": PASSWORD}
    left = [panel.post("/setup", wish).body["params"]["tries_left"] for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    answer = panel.post("/setup", {**wish, "code": setup_code(relay)})
    assert answer.status == 429 and 0 < int(answer.headers["Retry-After"]) <= 600
    assert answer.body["params"]["seconds"] == int(answer.headers["Retry-After"])
    assert panel.get("/setup").status == 200


# ---- sessions

def test_an_unknown_name_is_answered_like_a_wrong_password(relay, owner):
    answers = [browser(relay).sign_in(name, "not the password at all") for name in ("owner", "nobody")]
    assert [answer.status for answer in answers] == [401, 401]
    assert answers[0].content == answers[1].content and answers[0].code == "wrong_login"
    line = relay.log.wait("panel_login_failed", user="nobody")
    assert line["client"] == "127.0.0.1"


def test_what_nobody_is_called_is_not_even_logged(relay, owner):
    for user, password in (("q" * 300_000, PASSWORD), ("owner", "q" * 300_000)):
        answer = browser(relay).sign_in(user, password)
        assert (answer.status, answer.code) == (401, "wrong_login")
    assert browser(relay).sign_in("nobody-again").status == 401
    relay.log.wait("panel_login_failed", user="nobody-again")
    assert "qqqq" not in json.dumps(relay.log.all("panel_login_failed"))


@pytest.mark.long
def test_guessing_gets_slow_and_says_for_how_long(world):
    relay = world.appliance(PANEL)
    set_up(relay, patience=PATIENCE)
    panel = browser(relay)
    for n in range(100):
        answer = panel.sign_in("owner", f"guess number {n} of many")
        if answer.status == 429:
            break
        assert answer.code == "wrong_login"
    assert answer.code == "too_many_tries" and int(answer.headers["Retry-After"]) == answer.body["params"]["seconds"]


def test_the_cookie_is_for_this_host_and_no_script(relay, owner):
    panel = browser(relay)
    cookie = panel.sign_in("owner").headers["Set-Cookie"]
    assert re.fullmatch("sid=[0-9a-f]{64}; Path=/; HttpOnly; SameSite=Strict", cookie)
    assert panel.get("/session").status == 200
    database = b"".join(file.read_bytes() for file in (relay.folder / "data/db").glob("staffetta.db*"))
    assert panel.cookie[4:].encode() not in database, "the secret itself is nowhere"
    for broken in ("sid=" + "0" * 64, "sid=", panel.cookie + "; " + panel.cookie, panel.cookie[:-1], "SID" + panel.cookie[3:]):
        assert browser(relay).get("/session", headers={"Cookie": broken}).status == 401, broken


def test_a_login_ends_the_session_before_it(relay, owner):
    panel = browser(relay)
    panel.sign_in("owner")
    first = panel.cookie
    panel.sign_in("owner")
    assert panel.cookie != first
    assert browser(relay).get("/session", headers={"Cookie": first}).status == 401
    second = panel.cookie
    confirmed(panel)
    assert panel.cookie != second and browser(relay).get("/session", headers={"Cookie": second}).status == 401
    assert panel.delete("/session").status == 204 and panel.cookie is None
    assert panel.get("/session").status == 401


def test_a_new_password_ends_the_other_sessions(relay, owner):
    one = admin(relay, owner, "twice", "viewer")
    two = browser(relay)
    two.sign_in("twice")
    assert len(one.get("/sessions").body["items"]) == 2
    assert one.post("/me/password", {"password": OTHER, "new_password": OTHER}).status == 403
    assert one.post("/me/password", {"password": PASSWORD, "new_password": "short"}).code == "weak_password"
    assert one.post("/me/password", {"password": PASSWORD, "new_password": OTHER}).status == 204
    assert one.get("/session").status == 200 and two.get("/session").status == 401
    assert browser(relay).sign_in("twice").status == 401 and two.sign_in("twice", OTHER).status == 200
    # Somebody else's change ends them all; so does another role.
    assert confirmed(owner).post("/admins/twice:password", {"password": PASSWORD}).status == 204
    assert one.get("/session").status == two.get("/session").status == 401
    two.sign_in("twice")
    assert owner.post("/admins/twice:role", {"role": "operator"}).body["role"] == "operator"
    assert two.get("/session").status == 401


def test_four_streams_of_an_account_in_however_many_sessions(relay, owner):
    one, two = admin(relay, owner, "hearer", "viewer"), browser(relay)
    assert two.sign_in("hearer").status == 200
    opened = []
    for panel in (one, two, one, two, one, two, owner):
        connection = panel.connection()
        connection.request("GET", "/api/v1/events?topics=jobs", headers={"Cookie": panel.cookie})
        opened.append((connection, connection.getresponse()))
    assert [answer.status for _, answer in opened] == [200] * 4 + [429] * 2 + [200]
    for connection, answer in opened:
        answer.close()
        connection.close()


def test_sessions_are_listed_and_ended(relay, owner):
    panel, other = admin(relay, owner, "watcher", "viewer"), browser(relay)
    other.sign_in("watcher")
    mine = panel.get("/sessions").body["items"]
    assert {item["user"] for item in mine} == {"watcher"} and [item["current"] for item in mine].count(True) == 1
    ends = next(item["id"] for item in mine if not item["current"])
    foreign = next(item["id"] for item in owner.get("/sessions").body["items"] if item["user"] == "owner")
    assert panel.delete(f"/sessions/{foreign}").status == 404
    assert panel.delete(f"/sessions/{ends}").status == 204 and other.get("/session").status == 401
    assert owner.delete(f"/sessions/{mine[0]['id'] if mine[0]['current'] else mine[1]['id']}").status == 204
    assert panel.get("/session").status == 401


# ---- pages of others

@pytest.mark.parametrize("headers,code", [
    ({"X-Staffetta": None}, "cross_site"),
    ({"X-Staffetta": "yes"}, "cross_site"),
    ({"Content-Type": "text/plain"}, "not_json"),
    ({"Content-Type": "application/x-www-form-urlencoded"}, "not_json"),
    ({"Sec-Fetch-Site": "cross-site"}, "cross_site"),
    ({"Sec-Fetch-Site": "same-site"}, "cross_site"),
    ({"Origin": "http://evil.example"}, "cross_site"),
    ({"Origin": "null"}, "cross_site"),
])
def test_a_page_of_others_changes_nothing(relay, owner, headers, code):
    for path in ("/users", "/session", "/setup"):
        assert owner.post(path, {"name": "x@y.example"}, headers=headers).code == code, path
    assert owner.get("/users/x@y.example").status == 404


def test_our_own_page_may(relay, owner):
    host, port = relay.address("panel")
    for headers in ({"Origin": f"http://{host}:{port}", "Sec-Fetch-Site": "same-origin"},
                    {"Content-Type": "application/json; charset=utf-8"}):
        assert owner.post("/session:preferences", {"theme": "dark"}, headers=headers).status == 200


@pytest.mark.parametrize("host,status", [
    ("127.0.0.1", 200), ("127.0.0.1:80", 200), ("localhost:8080", 200), ("[::1]:80", 200), ("relay.example", 200),
    ("evil.example", 421), ("127.0.0.1.evil.example", 421), ("relay.example.evil.example", 421), ("a:b:c", 421),
])
def test_only_our_own_names_are_served(relay, owner, host, status):
    assert owner.get("/session", headers={"Host": host}).status == status


# ---- roles

ROLES = ["nobody", "user", "viewer", "operator", "admin", "owner"]


def may(role, who):
    if who == "anybody":
        return True
    if who == "signed_in":
        return role != "nobody"
    if who == "sender":
        return role == "user"
    return role in ROLES[2:] and ROLES.index(role) >= ROLES.index(who)


@pytest.fixture(scope="module")
def people(relay, owner):
    panels = {role: admin(relay, owner, f"the-{role}", role) for role in ("viewer", "operator", "admin", "owner")}
    panels["user"] = sender(relay, owner, "sender@matrix.example")
    panels["nobody"] = browser(relay)
    return panels


@pytest.mark.parametrize("key", sorted(operations()), ids=" ".join)
def test_each_route_and_role(relay, people, key):
    method, path = key
    assert key in rows(), "described, and no route"
    who = rows()[key][0]
    asked = path.replace("{}", "9999")
    for role in ROLES:
        panel = people[role]
        cookie = panel.cookie
        answer = panel.ask(method.upper(), asked, {} if method == "post" else None)
        panel.cookie = cookie
        code = answer.body.get("code") if answer.status >= 400 else ""
        if may(role, who):
            assert code not in ("not_signed_in", "role_forbidden"), (role, answer.content)
        elif role == "nobody":
            assert (answer.status, code) == (401, "not_signed_in"), (role, answer.content)
        else:
            assert (answer.status, code) == (403, "role_forbidden"), (role, answer.content)
        if key == ("delete", "/api/v1/session") and role != "nobody":
            name = {"user": "sender@matrix.example"}.get(role, f"the-{role}")
            assert panel.sign_in(name).status == 200


def test_who_may_is_what_the_description_says_and_every_route_has_a_level():
    assert {who for who, _, _ in rows().values()} <= {"anybody", "signed_in", "sender", *ROLES[2:]}
    for key, (who, scope, needs_confirmation) in rows().items():
        if who == "owner":
            assert scope is None, f"{key}: a token for owners' matters"
        if "/admins" in key[1] and key[0] != "get":
            assert who == "owner" and needs_confirmation, key


def test_dangerous_things_want_the_password_again(world):
    relay = world.appliance(PANEL)
    panel = set_up(relay, patience=PATIENCE)
    assert panel.post("/admins", {"name": "x", "role": "viewer", "password": PASSWORD}).status == 201
    relay.stop()
    database = relay.folder / "data/db/staffetta.db"
    # the quarter of an hour passes in the file
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE panel_sessions SET confirmed = 1")
    connection.close()
    relay.start()
    panel.address = relay.address("panel")
    assert panel.delete("/admins/x").code == "confirm_first"
    ends = [{"verb": "delete"}, {"verb": "bounce"}, {"verb": "bounce", "silent": True}]
    for order in ends:
        by_words, by_ids = ({**order, **what} for what in ({"filter": "user:nobody"}, {"ids": ["7Q2F"]}))
        assert panel.post("/queue/actions", by_words).code == "confirm_first"
        assert panel.post("/queue/actions", {**by_words, "dry_run": True}).status == 200
        assert panel.post("/queue/actions", by_ids).status == 202
    assert panel.post("/queue/actions", {"verb": "hold", "filter": "user:nobody"}).status == 202
    assert panel.post("/session:confirm", {"password": "not the password at all"}).status == 401
    assert panel.delete("/admins/x").code == "confirm_first"
    assert confirmed(panel).delete("/admins/x").status == 204


def test_sessions_end_by_idleness_and_by_age(world):
    relay = world.appliance(PANEL)
    panels = [set_up(relay, patience=PATIENCE), browser(relay), browser(relay)]
    for panel in panels[1:]:
        assert panel.sign_in("owner").status == 200
    relay.stop()
    now = int(time.time() * 1000)
    with sqlite3.connect(relay.folder / "data/db/staffetta.db") as connection:
        connection.execute("UPDATE panel_sessions SET last_seen = ? WHERE id = 1", (now - 12 * 3600 * 1000 - 1000,))
        connection.execute("UPDATE panel_sessions SET created = ? WHERE id = 2", (now - 7 * 86400 * 1000 - 1000,))
    connection.close()
    relay.start()
    for panel, status in zip(panels, (401, 401, 200)):
        panel.address = relay.address("panel")
        assert panel.get("/session").status == status


# ---- administrators

def test_the_last_owner_stays(relay, owner):
    confirmed(owner)
    for name in [item["name"] for item in owner.get("/admins").body["items"] if item["role"] == "owner" and item["name"] != "owner"]:
        assert owner.delete(f"/admins/{name}").status == 204
    assert owner.post("/admins/owner:role", {"role": "admin"}).code == "last_owner"
    assert owner.post("/admins/owner:disable").code == "last_owner"
    assert owner.delete("/admins/owner").status == 409
    assert owner.post("/admins", {"name": "owner", "role": "viewer", "password": PASSWORD}).code == "exists"
    assert owner.post("/admins", {"name": "a/b", "role": "viewer", "password": PASSWORD}).code == "invalid_name"
    assert owner.post("/admins", {"name": "new", "role": "king", "password": PASSWORD}).code == "bad_field"


def test_a_disabled_administrator_is_out(relay, owner):
    panel = admin(relay, owner, "gone", "admin")
    assert confirmed(owner).post("/admins/gone:disable").status == 204
    assert panel.get("/session").status == 401 and browser(relay).sign_in("gone").code == "wrong_login"
    assert owner.post("/admins/gone:enable").status == 204
    assert browser(relay).sign_in("gone").status == 200


# ---- the second factor

def test_a_second_factor_is_asked_for_and_good_once(relay, owner):
    panel = admin(relay, owner, "careful", "viewer")
    secret = panel.post("/me/totp:begin").body["secret"]
    assert panel.post("/me/totp:enable", {"code": "000000"}).code == "wrong_code"
    code = totp(secret)
    codes = panel.post("/me/totp:enable", {"code": code}).body["recovery_codes"]
    assert len(set(codes)) == 10 and panel.get("/session").body["second_factor"]
    assert browser(relay).sign_in("careful").code == "second_factor_needed"
    assert browser(relay).sign_in("careful", code=code).code == "wrong_code", "the code that enabled it was used"
    later = totp(secret, time.time() + 30)
    assert browser(relay).sign_in("careful", code=later).status == 200
    assert browser(relay).sign_in("careful", code=later).code == "wrong_code"


def test_recovery_codes_are_good_once_each(relay, owner):
    panel = admin(relay, owner, "forgetful", "viewer")
    secret = panel.post("/me/totp:begin").body["secret"]
    codes = panel.post("/me/totp:enable", {"code": totp(secret)}).body["recovery_codes"]
    assert browser(relay).sign_in("forgetful", code=codes[0].upper()).status == 200
    assert browser(relay).sign_in("forgetful", code=codes[0]).code == "wrong_code"
    # Another account's are none of this one.
    assert browser(relay).sign_in("careful", code=codes[1]).code == "wrong_code"
    assert browser(relay).sign_in("forgetful", code=codes[1]).status == 200
    assert panel.post("/me/totp:disable").status == 204 and browser(relay).sign_in("forgetful").status == 200
    database = b"".join(file.read_bytes() for file in (relay.folder / "data/db").glob("staffetta.db*"))
    assert codes[2].encode() not in database and codes[2].replace("-", "").encode() not in database


def test_wrong_codes_get_slow(relay, owner):
    panel = admin(relay, owner, "guessed", "viewer")
    secret = panel.post("/me/totp:begin").body["secret"]
    panel.post("/me/totp:enable", {"code": totp(secret)})
    answers = [browser(relay).sign_in("guessed", code=f"{n:06d}").status for n in range(4)]
    assert answers == [401, 401, 401, 429]
    assert relay.log.wait("panel_login_failed", reason="code", user="guessed")


# ---- tokens

def test_a_token_does_what_its_scopes_say(relay, owner):
    wish = {"name": "monitor", "scopes": ["queue:read", "users:read"]}
    made = confirmed(owner).post("/tokens", wish).body
    assert made["secret"].startswith("stf_") and len(made["secret"]) == 68
    token = Panel(relay.address("panel"), token=made["secret"], patience=PATIENCE)
    assert token.get("/queue/summary").status == token.get("/users").status == 200
    for method, path in (("POST", "/users"), ("GET", "/destinations"), ("GET", "/admins"), ("GET", "/session"),
                         ("POST", "/tokens"), ("POST", "/admins"), ("GET", "/me")):
        answer = token.ask(method, path, {} if method == "POST" else None)
        assert (answer.status, answer.code) == (403, "scope_missing"), (path, answer.content)
    listed = next(item for item in owner.get("/tokens").body["items"] if item["id"] == made["id"])
    assert listed["last_used"] and "secret" not in listed
    database = b"".join(file.read_bytes() for file in (relay.folder / "data/db").glob("staffetta.db*"))
    assert made["secret"].encode() not in database
    assert owner.delete(f"/tokens/{made['id']}").status == 204 and token.get("/users").status == 401
    assert owner.delete(f"/tokens/{made['id']}").status == 404
    for broken in ("stf_" + "0" * 64, "", "x y"):
        assert Panel(relay.address("panel"), token=broken or " ").get("/users").status == 401


@pytest.mark.parametrize("key", sorted(rows()), ids=" ".join)
def test_each_route_and_scope(relay, owner, key, tokens):
    """A token with every scope but the route's is refused; with the route's alone it is let in."""
    method, path = key
    who, scope, _ = rows()[key]
    if who == "anybody":
        return
    body = {} if method == "post" else None
    without, only = tokens(scope)
    answer = without.ask(method.upper(), path.replace("{}", "9999"), body)
    assert (answer.status, answer.code) == (403, "scope_missing")
    if scope:
        answer = only.ask(method.upper(), path.replace("{}", "9999"), body)
        assert answer.status < 400 or answer.code not in ("scope_missing", "not_signed_in", "confirm_first"), answer.content


@pytest.fixture(scope="module")
def tokens(relay, owner):
    every = sorted({scope for _, scope, _ in rows().values() if scope})
    made = {}

    def token(scopes):
        answer = confirmed(owner).post("/tokens", {"name": "t", "scopes": scopes})
        assert answer.status == 201, answer.content
        return Panel(relay.address("panel"), token=answer.body["secret"], patience=PATIENCE)

    def pair(scope):
        if scope not in made:
            made[scope] = (token([other for other in every if other != scope]), token([scope]) if scope else None)
        return made[scope]
    return pair


def test_a_token_ends_and_stays_where_it_belongs(relay, owner):
    confirmed(owner)
    assert owner.post("/tokens", {"name": "x", "scopes": ["nonsense"]}).code == "bad_field"
    assert owner.post("/tokens", {"name": "x", "scopes": []}).code == "bad_field"
    assert owner.post("/tokens", {"name": "x", "scopes": ["queue:read"], "expires_seconds": 1}).code == "bad_field"
    assert owner.post("/tokens", {"name": "x", "scopes": ["queue:read"], "networks": ["1.2.3"]}).code == "bad_field"
    for networks, status in ((["192.0.2.0/24"], 401), (["192.0.2.0/24", "127.0.0.0/8"], 200)):
        made = owner.post("/tokens", {"name": "x", "scopes": ["queue:read"], "networks": networks,
                                      "expires_seconds": 3600}).body
        assert made["networks"] == networks and made["expires"]
        assert Panel(relay.address("panel"), token=made["secret"]).get("/queue/summary").status == status


def test_a_token_is_worth_what_its_maker_is(relay, owner):
    maker = admin(relay, owner, "maker", "admin")
    wish = {"name": "of maker", "scopes": ["queue:read", "users:write"]}
    token = Panel(relay.address("panel"), token=confirmed(maker).post("/tokens", wish).body["secret"], patience=PATIENCE)

    def may():
        return [(answer.status, answer.body.get("code")) for answer in
                (token.get("/queue/summary"), token.post("/users/nobody@shop.example:enable", {}))]

    everything, nothing = [(200, None), (404, "not_found")], [(401, "not_signed_in")] * 2
    assert may() == everything
    assert owner.post("/admins/maker:role", {"role": "viewer"}).status == 200
    assert may() == [(200, None), (403, "role_forbidden")]
    assert owner.post("/admins/maker:role", {"role": "operator"}).status == 200 and may() == everything
    assert owner.post("/admins/maker:disable", {}).status == 204 and may() == nothing
    assert owner.post("/admins/maker:enable", {}).status == 204 and may() == everything
    assert owner.delete("/admins/maker").status == 204 and may() == nothing
    admin(relay, owner, "maker", "owner")
    assert may() == nothing
    assert "of maker" not in [item["name"] for item in owner.get("/tokens").body["items"]]


# ---- who changed what

def test_every_change_is_told_with_before_and_after_and_without_secrets(relay, owner):
    owner.post("/users", {"name": "audited@shop.example", "password": PASSWORD})
    owner.post("/users/audited@shop.example:disable")
    owner.delete("/users/audited@shop.example")
    relay.cli("user", "add", "by-socket@shop.example", "--generate")
    rows_now = owner.get("/audit?limit=4").body["items"]
    assert [row["action"] for row in rows_now] == ["POST /users", "DELETE /users/{}", "POST /users/{}:disable", "POST /users"]
    socket, deleted, disabled, added = rows_now
    assert (added["who"], added["from"], added["object"]) == ("owner", "127.0.0.1", "audited@shop.example")
    assert added["before"] is None and added["after"]["enabled"]
    assert disabled["before"]["enabled"] and not disabled["after"]["enabled"]
    assert deleted["before"] and deleted["after"] is None
    assert socket["who"].startswith("uid ") and socket["from"] == "socket"
    everything = owner.get("/audit?limit=500").content
    assert PASSWORD.encode() not in everything and b"argon2" not in everything
    pages, cursor = [], ""
    while cursor is not None:
        page = owner.get(f"/audit?limit=3{cursor and '&cursor=' + cursor}").body
        pages += [row["id"] for row in page["items"]]
        cursor = page["next_cursor"]
    assert pages == sorted(pages, reverse=True) and len(set(pages)) == len(pages) > 4
    assert owner.post("/users", {"name": ""}).status == 422
    assert owner.get("/audit?limit=1").body["items"][0]["id"] == pages[0], "what failed changed nothing"


def test_a_row_of_the_audit_is_short(relay, owner):
    confirmed(owner)
    networks = [f"192.0.2.{n}/32" for n in range(40)]
    assert owner.post("/tokens", {"name": "n" * 100_000, "scopes": ["queue:read"], "networks": networks}).status == 201
    row = owner.get("/audit?limit=1").body["items"][0]
    assert row["after"] == {"name": "n" * 1024, "scopes": ["queue:read"], "networks": 40}
    assert row["object"] == "n" * 254
    reason = {"ids": [], "reason": "r" * 513, "verb": "hold", "dry_run": True}
    assert owner.post("/queue/actions", reason).code == "bad_field"


def test_what_changes_nothing_leaves_no_row(relay, owner):
    panel = confirmed(sender(relay, owner, "loud@mine.example"))
    before = owner.get("/audit?limit=1").body["items"][0]["id"]
    answer = panel.post("/me/totp:disable")
    assert (answer.status, answer.code) == (409, "no_factor")
    assert owner.get("/audit?limit=1").body["items"][0]["id"] == before


def test_a_body_comes_too_late_for_a_session_that_ended(relay, owner):
    panel = admin(relay, owner, "late", "admin")
    body = b'{"name": "late@shop.example", "generate": true}'
    with socket.create_connection(relay.address("panel"), timeout=60 * PATIENCE) as stream:
        stream.sendall(f"POST /api/v1/users HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {panel.cookie}\r\nX-Staffetta: 1\r\n"
                       f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n".encode())
        assert stream.recv(100).startswith(b"HTTP/1.1 100 "), "the header was let in"
        assert panel.delete("/session").status == 204
        stream.sendall(body)
        assert stream.recv(100).startswith(b"HTTP/1.1 401 ")
    assert owner.get("/users/late@shop.example").status == 404


# ---- SMTP users: their own and nobody else's

def test_a_user_meets_only_what_is_his(relay, owner):
    one, two = sender(relay, owner, "one@mine.example"), sender(relay, owner, "two@mine.example")
    assert one.get("/me").body["user"] == "one@mine.example" and two.get("/me").body["user"] == "two@mine.example"
    assert one.get("/session").body["kind"] == "user" and one.get("/session").body["role"] == "user"
    made = one.post("/me/app-passwords", {"label": "my shop"}).body
    assert [item["label"] for item in one.get("/me/app-passwords").body["items"]] == ["my shop"]
    assert two.get("/me/app-passwords").body["items"] == []
    assert two.delete(f"/me/app-passwords/{made['id']}").status == 404
    assert [item["user"] for item in two.get("/sessions").body["items"]] == ["two@mine.example"]
    foreign = one.get("/sessions").body["items"][0]["id"]
    assert two.delete(f"/sessions/{foreign}").status == 404 and one.get("/session").status == 200
    # No answer to one of them names the other, whatever the route.
    for method, path in sorted(rows()):
        if method == "get" and rows()[method, path][0] in ("signed_in", "sender"):
            answer = two.get(path.replace("{}", "one@mine.example"))
            assert b"one@mine.example" not in answer.content.replace(path.encode(), b""), path


def test_an_app_password_sends_mail_and_does_not_sign_in(relay, owner):
    panel = sender(relay, owner, "apps@mine.example")
    made = panel.post("/me/app-passwords", {"label": "list program"}).body
    relay.client(login=("apps@mine.example", made["password"])).quit()
    assert browser(relay).sign_in("apps@mine.example", made["password"]).code == "wrong_login"
    assert panel.delete(f"/me/app-passwords/{made['id']}").status == 204
    with pytest.raises(Exception, match="535"):
        relay.client(login=("apps@mine.example", made["password"]))


def test_a_user_changes_the_own_password(relay, owner):
    panel, other = sender(relay, owner, "change@mine.example"), browser(relay)
    other.sign_in("change@mine.example")
    assert panel.post("/me/password", {"password": PASSWORD, "new_password": OTHER}).status == 204
    assert panel.get("/session").status == 200 and other.get("/session").status == 401
    assert browser(relay).sign_in("change@mine.example").status == 401
    assert browser(relay).sign_in("change@mine.example", OTHER).status == 200
    owner.post("/users/change@mine.example:disable")
    assert panel.get("/session").status == 401


def test_what_an_administrator_takes_away_is_gone_at_once(relay, owner):
    name, other = "taken@mine.example", OTHER + " still"
    panel = sender(relay, owner, name)
    app = panel.post("/me/app-passwords", {"label": "shop"}).body["password"]
    relay.client(login=(name, app)).quit()
    assert owner.post(f"/users/{name}:password", {"password": other}).status == 200
    assert panel.get("/session").status == 401
    assert name not in [item["user"] for item in owner.get("/sessions").body["items"]]
    with pytest.raises(Exception, match="535"):
        relay.client(login=(name, app))
    assert panel.sign_in(name, other).status == 200 and panel.get("/me/app-passwords").body["items"] == []
    assert owner.post(f"/users/{name}:disable").status == 204
    assert owner.post(f"/users/{name}:enable").status == 204
    assert panel.get("/session").status == 401, "not alive again"


def test_a_user_sees_the_records_of_the_own_domains_alone(relay, owner):
    for domain in ("records.example", "foreign.example"):
        assert owner.post("/domains", {"name": domain}).status == 201
        assert confirmed(owner).post("/dkim", {"domain": domain, "selector": "s1", "type": "ed25519"}).status == 201
    panel = sender(relay, owner, "dns@records.example")
    shown = panel.get("/me/dns")
    assert [item["name"] for item in shown.body["items"]] == panel.get("/me").body["domains"] == ["records.example"]
    assert shown.body["items"][0]["keys"][0]["record_name"] == "s1._domainkey.records.example"
    assert b"foreign.example" not in shown.content


# ---- the command line

def test_who_has_the_machine_gets_in_again(world):
    relay = world.appliance(PANEL)
    assert relay.cli("admin", "setup-code").strip() == setup_code(relay)
    panel = set_up(relay, patience=PATIENCE)
    secret = panel.post("/me/totp:begin").body["secret"]
    panel.post("/me/totp:enable", {"code": totp(secret)})
    fresh = relay.cli("admin", "reset", "owner").strip()
    assert panel.get("/session").status == 401
    assert browser(relay).sign_in("owner").code == "wrong_login"
    assert browser(relay).sign_in("owner", fresh).status == 200
    assert relay.json("admin", "list")[0]["name"] == "owner"
