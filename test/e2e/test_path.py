"""The test of the way to an address (POST /diagnostics/path): what delivery would see, step by step,
and not one message more."""
import json
import signal
import ssl
import threading

import pytest

from appliance import PATIENCE, wait_for
from messages import text
from panel import set_up
from receivers import DROP, HANG
from test_delivery import Net, settings

PANEL = 'panel { address = "127.0.0.1:0" }\n'
ZONE = """
relay        A {h9}
good         MX 10 mx.good
mx.good      A {h1}
other        MX 10 dead.other
other        MX 20 mx.good
dead.other   A {h2}
null         MX 0 .
private      MX 10 mx.private
mx.private   A 10.1.2.3
bare         A {h1}
"""


@pytest.fixture(scope="module")
def net():
    return Net()


@pytest.fixture(scope="module")
def receiver(module_world, authority, net):
    certificate = authority.issue("mx.good.example")
    receiver = module_world.receiver(host=net.host(1), port=net.port)
    receiver.tls = tls_of(certificate)
    return receiver


def tls_of(certificate):

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    return context


@pytest.fixture(scope="module")
def relay(module_world, authority, net, receiver):
    _, a, b, _ = net.host(1).split(".")
    dns = module_world.name_server({
        "example": ZONE.format(**{f"h{n}": net.host(n) for n in range(1, 10)}),
        "127.in-addr.arpa": f"9.{b}.{a} PTR relay.example.\n8.{b}.{a} PTR mx.good.example."},
        unsigned=("127.in-addr.arpa",))
    relay = module_world.appliance(
        settings(net, dns) + PANEL + f"""
        egress "good" {{ address = "{net.host(9)}" }}
        egress "bad"  {{ address = "{net.host(8)}" }}
        egress "bare" {{ address = "{net.host(7)}" }}
        pool "default" {{ egress = {{ "good", "bad", "bare" }} }}
        """, env={"SSL_CERT_FILE": str(authority.file)})
    relay.owner = set_up(relay, patience=PATIENCE)
    return relay


@pytest.fixture(autouse=True)
def as_usual(receiver):
    receiver.behaviour.clear()
    receiver.sessions.clear()
    receiver.extensions = receiver.EXTENSIONS


def steps(relay, egress="good", **what):
    """The whole test, as a job that is over."""
    started = relay.owner.post("/diagnostics/path", {**what, **({"egress": egress} if egress else {})})
    assert started.status == 202, started.content
    path = f"/jobs/{started.body['id']}"
    wait_for(lambda: relay.owner.get(path).body["state"] != "running", "end of the test", timeout=60)
    job = relay.owner.get(path).body
    assert [step["n"] for step in job["steps"]] == list(range(len(job["steps"])))
    return job["steps"]


def told(found):
    return [(step["step"], step["code"]) for step in found]


WHOLE = [("mx", "found"), ("address", "found"), ("name", "confirmed"), ("pace", "free"), ("connect", "connected"),
         ("banner", "greeted"), ("starttls", "verified"), ("ehlo", "accepted"), ("mail", "accepted"),
         ("rcpt", "accepted"), ("quit", "ended")]


@pytest.mark.sanitized
@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "in turn"])
def test_every_step_is_told_and_no_message_is_sent(relay, receiver, net, pipelining):
    receiver.extensions = ("PIPELINING",) * pipelining + ("STARTTLS", "8BITMIME")
    found = steps(relay, address="ann@good.example")
    assert told(found) == WHOLE and {step["verdict"] for step in found} == {"ok"}
    assert all(step["ms"] >= 0 and step["sentence"] for step in found)
    assert found[4]["params"] == {"host": "mx.good.example", "address": net.host(1), "local": net.host(9)}
    assert found[9]["params"]["recipient"] == "ann@good.example"
    session, = receiver.sessions
    verbs = [command.split(" ")[0] for command in session.commands]
    assert verbs == ["EHLO", "STARTTLS", "EHLO", "MAIL", "RCPT", "RSET", "QUIT"]
    assert session.commands[2] == "EHLO relay.example" and not receiver.offered


def test_a_domain_is_asked_for_its_postmaster(relay, receiver):
    assert told(steps(relay, domain="good.example")) == WHOLE
    assert "RCPT TO:<postmaster@good.example>" in receiver.sessions[0].commands


@pytest.mark.parametrize("behaviour,ends,verdict", [
    ({"RCPT": "550 5.1.1 No such user"}, ("rcpt", "refused"), "fail"),
    ({"RCPT": "450 4.2.0 Greylisted"}, ("rcpt", "later"), "warn"),
    ({"MAIL": "550 5.7.1 Listed"}, ("mail", "refused"), "fail"),
    ({"STARTTLS": "454 4.7.0 Not now"}, ("starttls", "refused"), "warn"),
])
def test_what_a_host_says_is_told_in_its_words(relay, receiver, behaviour, ends, verdict):
    receiver.behaviour.update(behaviour)
    step = next(step for step in steps(relay, address="ann@good.example") if step["verdict"] != "ok")
    assert ((step["step"], step["code"]), step["verdict"]) == (ends, verdict)
    reply, = behaviour.values()
    assert reply in step["params"]["reply"] and reply in step["sentence"]
    assert receiver.sessions[0].commands[-1] == "QUIT"


def test_a_host_that_does_not_let_us_in_is_followed_by_the_next(relay, receiver, net):
    found = steps(relay, address="ann@other.example")
    assert ("connect", "failed") in told(found) and told(found)[-1] == ("quit", "ended")
    assert next(s for s in found if s["code"] == "failed")["params"]["address"] == net.host(2)
    receiver.behaviour["CONNECT"] = "554 5.7.1 Go away"
    found = steps(relay, address="ann@good.example")
    assert told(found)[-2:] == [("banner", "refused"), ("end", "unreached")]
    receiver.behaviour["CONNECT"] = DROP
    assert ("end", "unreached") == told(steps(relay, address="ann@good.example"))[-1]


@pytest.mark.parametrize("domain,ends", [
    ("null.example", ("mx", "null_mx")), ("nowhere.example", ("mx", "no_domain")),
    ("private.example", ("address", "not_public")),
])
def test_where_no_mail_goes_nothing_is_connected_to(relay, receiver, domain, ends):
    found = steps(relay, address=f"ann@{domain}")
    assert ends in told(found) and not receiver.sessions
    assert "connect" not in {step["step"] for step in found}


def test_an_address_literal_is_no_way_into_our_own_network(relay):
    assert ("address", "not_public") in told(steps(relay, address="ann@[10.0.0.1]"))


def test_each_address_of_ours_in_turn_with_its_name(relay, net):
    found = steps(relay, egress=None, address="ann@bare.example")
    names = {step["egress"]: step["code"] for step in found if step["step"] == "name"}
    assert names == {"good": "confirmed", "bad": "unconfirmed", "bare": "missing"}
    assert [step["egress"] for step in found if step["code"] == "ended"] == ["good", "bad", "bare"]
    assert told(found)[0] == ("mx", "implicit")
    by_address = steps(relay, egress=net.host(7), address="ann@bare.example")
    assert {step["egress"] for step in by_address} == {"", "bare"}
    assert told(steps(relay, egress="nobody", address="ann@bare.example"))[-1] == ("route", "no_such_egress")


def test_steps_are_events_and_a_test_can_be_ended(relay, receiver):
    receiver.behaviour["RCPT"] = HANG
    connection = relay.owner.connection()
    connection.request("GET", "/api/v1/events?topics=jobs", headers={"Cookie": relay.owner.cookie})
    stream = connection.getresponse()
    job = relay.owner.post("/diagnostics/path", {"address": "ann@good.example", "egress": "good"}).body
    assert job["kind"] == "path" and job["state"] == "running"
    again = relay.owner.post("/diagnostics/path", {"address": "ann@good.example"})
    assert again.code == "path_running" and again.body["params"] == {"job": job["id"]}
    heard = []
    while not heard or heard[-1]["state"] == "running":
        line = stream.readline().decode()
        if not line.startswith("data: ") or "path" not in line:
            continue
        heard.append(json.loads(line[6:]))
        if heard[-1].get("step", {}).get("step") == "mail":
            assert relay.owner.delete(f"/jobs/{job['id']}").status == 204
    assert [one["step"]["step"] for one in heard if "step" in one] == [name for name, _ in WHOLE[:9]] + ["end"]
    assert heard[-1]["state"] == "cancelled" and "steps" not in heard[-1]
    assert relay.owner.delete(f"/jobs/{job['id']}").code == "job_over"
    stream.close()
    connection.close()


@pytest.mark.parametrize("wish", [
    {}, {"address": "ann"}, {"domain": "a b"}, {"address": "a@b.example", "domain": "b.example"},
    {"address": "a@b.example>\r\nDATA"}, {"domain": "[127.0.0.1]"}, {"address": "a@b.example", "port": 22},
    {"domain": "dest.example:22"}, {"domain": "127.0.0.1"},
])
def test_only_mail_hosts_of_an_address_are_asked(relay, wish):
    answer = relay.owner.post("/diagnostics/path", wish)
    assert answer.status == 422, answer.content


def test_it_is_counted_like_any_other_connection(world):
    """One connection is all the settings allow, and a message has it."""
    open_now, most, may_go, began = [0], [0], threading.Event(), threading.Event()

    def connect(_, __):
        open_now[0] += 1
        most[0] = max(most[0], open_now[0])

    def end(_, __):
        open_now[0] -= 1

    def hold(_, __):
        began.set()
        may_go.wait(60 * PATIENCE)
    receiver = world.receiver({"CONNECT": connect, "QUIT": end, "MAIL": None}, extensions=("LIMITS MAILMAX=1",))
    receiver.behaviour["DATA"] = hold
    relay = world.appliance(f'route "*" {{ via = "{receiver.address}"  connections = 1 }}\n' + PANEL)
    relay.owner = set_up(relay, patience=PATIENCE)
    login = relay.add_user("news@shop.example")
    message = relay.send(login, "news@shop.example", "ann@dest.example", text("hello"))
    assert began.wait(60 * PATIENCE)
    job = relay.owner.post("/diagnostics/path", {"address": "bob@dest.example"}).body
    path = f"/jobs/{job['id']}"
    steps_of = lambda: told(relay.owner.get(path).body["steps"])
    wait_for(lambda: ("address", "found") in steps_of(), "it knows where to go, and asks for its turn")
    assert len(receiver.sessions) == 1 and ("pace", "free") not in steps_of()
    may_go.set()
    relay.wait_delivered(message)
    wait_for(lambda: relay.owner.get(path).body["state"] == "done", "end of the test", timeout=60)
    assert told(relay.owner.get(path).body["steps"])[-2:] == [("quit", "ended"), ("name", "private")]
    assert len(receiver.sessions) == 2 and most == [1]


def test_the_command_tells_the_same(relay):
    done = relay.command("test", "path", "ann@good.example", "--egress", "good")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(WHOLE) and lines[0].startswith("ok") and "mx.good.example" in lines[0]
    assert relay.command("test", "path", "null.example").returncode == 69
    listed = [json.loads(line) for line in relay.command("--json", "test", "path", "good.example", "--egress", "good").stdout.splitlines()]
    assert told(listed) == WHOLE


def test_a_stop_does_not_wait_for_it(world):
    """A host that never greets is left at once: well before the 30 s of a reply or the drain's 27 s are over."""
    connected, left = threading.Event(), threading.Event()

    def keep_silent(session, _):
        connected.set()
        session.socket.recv(1)
        left.set()
        return DROP
    receiver = world.receiver({"CONNECT": keep_silent})
    relay = world.appliance(f'route "*" {{ via = "{receiver.address}" }}\n' + PANEL)
    owner = set_up(relay, patience=PATIENCE)
    owner.post("/diagnostics/path", {"address": "ann@dest.example"})
    assert connected.wait(60 * PATIENCE)
    relay.process.send_signal(signal.SIGTERM)
    relay.log.wait("draining", timeout=30 * PATIENCE)
    assert left.wait(20)  # not the more for patience: it is what is shown
    relay.stop()
