"""What receivers say, and what is made of it: rules, their scopes and ends; the table of providers;
bounce classes; files of the operator's own."""
import sqlite3
import threading
import time
from datetime import datetime

import pytest

from appliance import PATIENCE, wait_for
from messages import text
from test_delivery import Net, settings

SENDER = "news@shop.example"
ZONE = """
one          MX 10 mx.one.big
two          MX 10 mx.two.big
other        MX 10 mx.other
mx.one.big   A {h1}
mx.two.big   A {h2}
mx.other     A {h3}
"""
PROVIDERS = """
provider big
    mx .big.example
    connections 4
"""
RULE = """
rule big-slow
    provider big
    code     451
    text     come slower
    when     2 in 1h do {action}
    reason   the big one wants less
    sample   mail 451 4.7.1 please come slower
"""


@pytest.fixture
def net():
    return Net()


class Scene:
    """Two sites of one provider and a third that is nobody's, each a receiver of its own."""

    def __init__(self, world, net, action, behaviour=None, config="", user=(), second=None):
        self.folder = world.new_path("files")
        self.folder.mkdir()
        self.write("providers", PROVIDERS)
        self.write("reply_rules", RULE.format(action=action))
        self.one = world.receiver(behaviour, host=net.host(1), port=net.port)
        self.two = world.receiver(second, host=net.host(2), port=net.port)
        self.other = world.receiver(host=net.host(3), port=net.port)
        dns = world.name_server(
            {"example": ZONE.format(**{f"h{n}": net.host(n) for n in range(1, 4)})})
        self.relay = world.appliance(
            settings(net, dns) + f'policy {{ providers = "{self.folder}/providers"  '
            f'reply_rules = "{self.folder}/reply_rules" }}\n{config}')
        self.login = self.relay.add_user(SENDER, *user)

    def write(self, name, content):
        (self.folder / name).write_text(content)
        (self.folder / name).chmod(0o644)

    def send(self, domain, n=0, sender=SENDER):
        return self.relay.send(self.login, sender, f"r{n}@{domain}.example",
                               text(f"s{n}", sender=sender))

    def wait_applied(self, **fields):
        return self.relay.log.wait("rule_applied", timeout=30 * PATIENCE, **fields)


def first(n, reply):
    """Replies so to the first n, then as usual."""
    left, lock = [n], threading.Lock()

    def decide(_, __):
        with lock:
            left[0] -= 1
            return reply if left[0] >= 0 else None
    return decide


SLOWER = "451 4.7.1 Please come slower"


@pytest.mark.sanitized
def test_a_rule_suspends_its_scope_and_nothing_else(world, net):
    scene = Scene(world, net, "suspend on lane_provider for 1h", {"MAIL": SLOWER},
                  second={"MAIL": first(1, SLOWER)})
    refused = [scene.send("one", n) for n in range(2)]
    # One tenant speaks for itself, its neighbour goes on until it says the same.
    event = scene.wait_applied(rule="big-slow", action="suspend", scope="lane")
    assert event["provider"] == "big" and int(event["for"]) == 3600
    assert event["reason"] == "the big one wants less" and "come slower" in event["reply"]
    refused.append(scene.send("two", 3))
    scene.wait_applied(rule="big-slow", action="suspend", scope="lane_provider")
    waiting = scene.send("two", 7)
    scene.relay.wait_delivered(scene.send("other"))
    why = wait_for(lambda: [r for r in scene.relay.json("queue", "why", waiting)
                            if "rule big-slow" in (r.get("reason") or "")], "the rule is named")[0]
    assert "the big one wants less" in why["reason"] and why["until"], why
    assert len(scene.other.taken) == 1 and not scene.two.taken
    for identifier in refused:
        assert scene.relay.log.wait("deferred", msg=identifier)["class"] == "policy"


def test_a_suspension_ends_by_itself_with_one_probe(world, net):
    taken_before, refuse = [], first(2, SLOWER)

    def decide(session, argument):
        reply = refuse(session, argument)
        if not reply:
            taken_before.append(len(session.receiver.taken))
        return reply
    scene = Scene(world, net, "suspend on provider for 3s", {"MAIL": decide})
    for n in range(2):
        scene.send("one", n)
    scene.wait_applied(rule="big-slow")
    for n in range(2, 12):
        scene.send("one", n)
    scene.relay.log.wait("delivered", count=12, timeout=60 * PATIENCE)
    applied = scene.relay.log.all("rule_applied")
    delivered = scene.relay.log.all("delivered")
    assert len(applied) == 1, applied
    assert moment(delivered[0]) - moment(applied[0]) >= 2.9
    # The second was not begun before the first, the probe, was taken.
    assert len(taken_before) == 12 and taken_before[0] == 0 and taken_before[1] >= 1, taken_before


def words(relay):
    path = f"file:{relay.folder}/data/db/staffetta.db?mode=ro"
    with sqlite3.connect(path, uri=True) as database:
        return database.execute("SELECT scope, place, verb FROM rule_words ORDER BY scope").fetchall()


@pytest.mark.parametrize("action,scope,place", [
    ("suspend on site for 1h", "site", "mx.one.big.example"),
    pytest.param("suspend on lane for 1h", "lane", "mx.one.big.example", marks=pytest.mark.sanitized),
    ("suspend on lane_provider for 1h", "lane_provider", "big"),
    ("limit 1/h on provider for 1h", "provider", "big"),
    ("suspend on from_domain for 1h", "from_domain", "big")])
def test_what_a_rule_did_outlives_kill_9(world, net, action, scope, place):
    scene = Scene(world, net, action, {"MAIL": first(2, SLOWER)}, second={"MAIL": first(2, SLOWER)})
    relay = scene.relay
    for n in range(2):
        scene.send("one", n)
    if "provider" in scope:
        relay.log.wait("rule_applied", timeout=30 * PATIENCE)
        for n in range(2):
            scene.send("two", n)
    scene.wait_applied(scope=scope)
    wait_for(lambda: (scope, place, action.split()[0]) in words(relay), "it is stored")
    relay.kill()
    relay.start()
    waiting = scene.send("one", 9)
    wait_for(lambda: [r for r in relay.json("queue", "why", waiting)
                      if "rule big-slow" in (r.get("reason") or "")], "the rule is named")
    assert not relay.log.all("delivered")
    if scope == "from_domain":
        return
    subject = ["--provider", "big"] if place == "big" else [place]
    relay.cli("destination", "suspend", *subject, "--reason", "a moment")
    relay.cli("destination", "resume", *subject)
    wait_for(lambda: (scope, place) not in [row[:2] for row in words(relay)], "it is forgotten")


def moment(event):
    return datetime.fromisoformat(event["ts"].replace("Z", "+00:00")).timestamp()


def test_a_limit_of_a_rule_holds_at_the_receiver(world, net):
    scene = Scene(world, net, "limit 1/s on provider for 1h", {"MAIL": first(2, SLOWER)})
    for n in range(2):
        scene.send("one", n)
    event = scene.wait_applied(rule="big-slow", action="limit")
    times, lock = [], threading.Lock()

    def note(_, __):
        with lock:
            times.append(time.monotonic())
    scene.one.behaviour["MAIL"] = scene.two.behaviour["MAIL"] = note
    for n in range(2, 6):
        scene.send("one" if n % 2 else "two", n)
    scene.relay.log.wait("delivered", count=6, timeout=60 * PATIENCE)
    # Two sites, one pace: four take three seconds.  The first may arrive late, the last cannot be early.
    assert len(times) >= 4 and times[-1] - times[0] > 1.5, times
    assert moment(event) <= moment(scene.relay.log.all("delivered")[0])


def test_a_recipient_that_stays_full_fails_and_its_neighbour_does_not(world, net):
    scene = Scene(world, net, "bounce on recipient",
                  {"RCPT": lambda _, argument: SLOWER if "r7@" in argument else None})
    full = scene.send("one", 7)
    event = scene.relay.log.wait("bounced", msg=full, timeout=30 * PATIENCE)
    assert event["code"] == "451" and "come slower" in event["reply"]
    assert len(scene.relay.log.all("deferred", msg=full)) == 1
    scene.relay.wait_delivered(scene.send("one", 8))


@pytest.mark.sanitized
def test_a_refused_address_rests_and_another_takes_over(world, net):
    first_address, second_address = net.host(11), net.host(12)

    def decide(session, _):
        return SLOWER if session.socket.getpeername()[0] == first_address else None
    scene = Scene(
        world, net, "other_address on lane_provider for 1h", {"MAIL": decide},
        f'egress "a" {{ address = "{first_address}"  weight = 1000 }}\n'
        f'egress "b" {{ address = "{second_address}" }}\n'
        'pool "default" { egress = { "a", "b" } }\n')
    scene.two.behaviour["MAIL"] = decide
    for n in range(4):
        scene.send("one", n)
    event = scene.wait_applied(action="other_address")
    assert event["egress"] == "a" and event["scope"] == "lane"
    scene.relay.log.wait("delivered", count=4, timeout=60 * PATIENCE)
    assert {e["egress"] for e in scene.relay.log.all("delivered")} == {second_address}
    scene.relay.wait_delivered(scene.send("two", 4))  # a second site of the provider says the same
    assert scene.wait_applied(scope="lane_provider")["egress"] == "a"
    two = scene.send("two", 5)  # from now on from the other address at once
    scene.relay.wait_delivered(two)
    assert not scene.relay.log.all("deferred", msg=two)
    others = [scene.send("other", n) for n in range(6, 9)]  # nobody's: there it is as good as ever
    for other in others:
        scene.relay.wait_delivered(other)
    assert first_address in {scene.relay.log.wait("delivered", msg=o)["egress"] for o in others}


@pytest.mark.sanitized
@pytest.mark.parametrize("config,to", [
    ("", "postmaster@relay.example"), ('postmaster = "ops@shop.example"\n', "ops@shop.example")])
def test_a_rule_that_notifies_writes_to_the_operator(world, net, config, to):
    """One letter, however often it is said."""
    sink = world.sink()
    ways = "".join(f'route "{d}" {{ via = "{sink.address}" }}\n'
                   for d in ("relay.example", "shop.example"))
    scene = Scene(world, net, "notify on provider", {"MAIL": first(12, SLOWER)}, config + ways)
    for n in range(3):
        scene.send("one", n)
    scene.wait_applied(action="notify")
    told = scene.relay.log.wait("report_sent", kind="warning", timeout=30 * PATIENCE)
    assert told["to"] == to
    scene.relay.log.wait("delivered", to=to, timeout=60 * PATIENCE)
    letter = sink.messages()[0].data.decode()
    assert "come slower" in letter and "big-slow" in letter and "the big one wants less" in letter
    scene.relay.log.wait("delivered", count=4, timeout=60 * PATIENCE)
    assert len(scene.relay.log.all("report_sent", kind="warning")) == 1


def test_a_from_domain_waits_alone(world, net):
    def decide(_, argument):
        return SLOWER if "bad.example" in argument else None
    scene = Scene(world, net, "suspend on from_domain for 1h", {"MAIL": decide},
                  user=("--sender", "bad.example", "--sender", "shop.example"))
    bad = "news@bad.example"
    for n in range(2):
        scene.send("one", n, sender=bad)
    scene.wait_applied(scope="from_domain", action="suspend")
    waiting = scene.send("two", 3, sender=bad)
    scene.relay.wait_delivered(scene.send("two", 4))
    scene.relay.wait_delivered(scene.send("other", 5, sender=bad))
    why = wait_for(lambda: [r for r in scene.relay.json("queue", "why", waiting)
                            if "rule big-slow" in (r.get("reason") or "")], "the rule is named")[0]
    assert why["until"], why
    assert [t.sender for t in scene.two.taken] == [SENDER]


def test_a_campaign_that_a_rule_holds_leaves_when_its_time_is_over(world, net):
    """Why says so, others pass, and it leaves by itself."""
    lasts = int(3 * PATIENCE)
    scene = Scene(world, net, f"hold on campaign for {lasts}s", {"MAIL": first(2, SLOWER)})

    def spring(n):
        message = b"X-Staffetta-Campaign: Spring\r\n" + text(f"s{n}").encode().replace(b"\n", b"\r\n")
        return scene.relay.send(scene.login, SENDER, f"r{n}@one.example", message)
    spring(0), spring(1)
    applied = scene.wait_applied(rule="big-slow", action="hold", scope="campaign")
    waiting = spring(2)
    event = scene.relay.log.wait("held", msg=waiting, timeout=30 * PATIENCE)
    assert "rule big-slow: the big one wants less" in event["reply"]
    why, = scene.relay.json("queue", "why", waiting)
    assert why["why"] == "held" and abs(moment({"ts": why["until"]}) - moment(applied) - lasts) < 2, why
    scene.relay.wait_delivered(scene.send("one", 3))  # of no campaign
    released = scene.relay.log.wait("released", msg=waiting, timeout=30 * PATIENCE)
    assert moment(released) - moment(applied) >= lasts - 0.1
    scene.relay.wait_delivered(waiting)


def test_a_provider_that_wants_tls_gets_no_mail_in_clear(world, net):
    """Broken STARTTLS is followed by a try in clear elsewhere, never there."""
    scene = Scene(world, net, "slow on site")
    scene.write("providers", PROVIDERS + "    tls required\n")
    scene.relay.reload()
    scene.relay.log.wait("reloaded", role="relay", timeout=30 * PATIENCE)
    waiting = scene.send("one")
    event = scene.relay.log.wait("deferred", msg=waiting, timeout=30 * PATIENCE)
    assert "TLS" in event["reply"].upper(), event
    scene.relay.wait_delivered(scene.send("other"))
    assert not scene.one.offered and not scene.one.taken


@pytest.mark.sanitized
def test_rules_change_with_a_reload_and_a_broken_file_changes_nothing(world, net):
    scene = Scene(world, net, "suspend on lane_provider for 1h", {"RCPT": "450 4.2.0 busy today"})
    scene.relay.log.wait("deferred", msg=scene.send("one"), timeout=30 * PATIENCE)
    assert not scene.relay.log.all("rule_applied")
    scene.write("reply_rules", "rule broken\n    provider nobody\n")
    scene.relay.reload()
    reason = scene.relay.log.wait("reload_failed", timeout=30 * PATIENCE)["reason"]
    assert "reply_rules:2: no provider is called nobody" in reason, reason
    check = scene.relay.command("config", "check", str(scene.relay.config_file))
    assert check.returncode == 78 and "reply_rules:2:" in check.stderr, check
    scene.write("reply_rules", RULE.format(action="suspend on lane_provider for 1h")
                .replace("code     451", "code     450").replace("come slower", "busy today")
                .replace("mail 451", "mail 450").replace("when     2 in 1h", "when     at once"))
    scene.relay.reload()
    scene.relay.log.wait("reloaded", role="relay", timeout=30 * PATIENCE)
    scene.wait_applied(rule="big-slow", action="suspend")


def test_what_is_built_in_can_be_copied_and_is_in_order(world):
    relay = world.appliance(start=False)
    folder = world.new_path("files")
    folder.mkdir()
    names = ("providers", "reply_rules", "bounce_classes")
    for name in names:
        (folder / name).write_text(relay.command("config", "built-in", name).stdout)
        assert "\n#" in (folder / name).read_text()
    relay.config = "policy {" + " ".join(f'{n} = "{folder}/{n}"' for n in names) + "}\n"
    relay.write_config()
    check = relay.command("config", "check", str(relay.config_file))
    assert check.returncode == 0, check.stderr
    assert relay.command("config", "built-in", "weather").returncode == 64


def test_a_broken_file_at_the_start_is_told_and_mail_leaves(world):
    sink = world.sink()
    folder = world.new_path("files")
    folder.mkdir()
    (folder / "providers").write_text("provider a\n    mx .a.example.\n")
    relay = world.relay_to(sink, f'policy {{ providers = "{folder}/providers" }}\n')
    reason = relay.log.wait("receivers_refused", timeout=30 * PATIENCE)["reason"]
    assert "providers:2: .a.example. ends with a dot" in reason
    assert "policy" in relay.cli("health")
    relay.wait_delivered(relay.send(relay.add_user(SENDER), SENDER, "ann@x.example", text()))


def test_a_rule_that_is_built_in_knows_the_names_of_one_platform(world, net):
    """libero.it and virgilio.it are one provider; the gate at its door judges our address."""
    refused = "554 5.7.1 smtp-in.libero.it access rejected from 127.0.0.1, see the postmaster page"
    libero = world.receiver({"CONNECT": refused}, host=net.host(1), port=net.port)
    virgilio = world.receiver({"CONNECT": refused}, host=net.host(2), port=net.port)
    dns = world.name_server({"libero.it": f"@ MX 10 smtp-in\nsmtp-in A {net.host(1)}",
                             "virgilio.it": f"@ MX 10 smtp-in\nsmtp-in A {net.host(2)}"})
    relay = world.appliance(settings(net, dns))
    login = relay.add_user(SENDER)
    relay.send(login, SENDER, "ann@libero.it", text())
    event = relay.log.wait("rule_applied", timeout=60 * PATIENCE)
    assert event["rule"] == "italiaonline-refused" and event["provider"] == "italiaonline"
    relay.send(login, SENDER, "bob@virgilio.it", text())
    relay.log.wait("rule_applied", scope="lane_provider", timeout=60 * PATIENCE)
    for receiver in (libero, virgilio):
        receiver.behaviour.clear()
    waiting = relay.send(login, SENDER, "cat@virgilio.it", text())
    wait_for(lambda: [r for r in relay.json("queue", "why", waiting)
                      if "italiaonline-refused" in (r.get("reason") or "")], "the rule is named")
    assert not virgilio.taken and not libero.taken


@pytest.mark.parametrize("reply,name", [
    ("550 5.1.1 User unknown", "bad_mailbox"), ("552 5.2.2 user is over quota", "mailbox_full"),
    ("550 5.7.1 Message rejected", "policy"), ("550 5.7.26 unauthenticated", "authentication"),
    ("554 5.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org", "blocked_address"),
    ("550 42", "other")])
def test_what_failed_is_told_with_its_class(world, reply, name):
    relay = world.relay_to(world.receiver({"RCPT": reply}))
    identifier = relay.send(relay.add_user(SENDER), SENDER, "ann@x.example", text())
    assert relay.log.wait("bounced", msg=identifier, timeout=30 * PATIENCE)["class"] == name
    assert not relay.log.all("rule_applied")  # a fixed route is the operator's own


def test_what_failed_is_counted_by_user_and_provider(world, net):
    scene = Scene(world, net, "suspend on lane_provider for 1h",
                  {"RCPT": lambda _, argument: "550 5.1.1 No such user" if "r1@" in argument
                   else "450 4.2.0 busy today" if "r2@" in argument else None})
    message = text("s")
    gone = scene.relay.send(scene.login, SENDER, "r1@one.example", message)
    late = scene.relay.send(scene.login, SENDER, "r2@one.example", message)
    scene.relay.log.wait("bounced", msg=gone, timeout=30 * PATIENCE)
    scene.relay.log.wait("deferred", msg=late, timeout=30 * PATIENCE)

    def row(by, name):
        return [r for r in scene.relay.json("stats", "--by", by) if r["name"] == name
                and r["failed"].get("bad_mailbox") == 1 and r["deferred"].get("server", 0) > 0]
    wait_for(lambda: row("user", SENDER), "the user's figures")
    wait_for(lambda: row("provider", "big"), "the provider's figures")
    assert "bad_mailbox" in scene.relay.cli("stats", "--by", "provider")
    assert scene.relay.command("stats", "--by", "weather").returncode != 0
