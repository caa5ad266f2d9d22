"""A test of the way changes nothing for mail, and is no scanner."""
import threading

from appliance import PATIENCE, wait_for
from messages import text
from panel import set_up
from test_delivery import Net
from test_path import steps, told

PANEL = 'panel { address = "127.0.0.1:0" }\n'


def test_one_begun_before_a_reload_leaves_the_new_settings_alone(world):
    began, may_go = threading.Event(), threading.Event()

    def hold(_, __):
        began.set()
        may_go.wait(60 * PATIENCE)
    receiver = world.receiver({"RCPT": hold})
    relay = world.appliance(f'''route "*" {{ via = "{receiver.address}"  connections = 7 }}
        egress "a" {{ address = "127.0.0.1" }}
        egress "b" {{ address = "127.0.0.2" }}
        pool "default" {{ egress = {{ "a", "b" }} }}
        ''' + PANEL)
    owner = set_up(relay, patience=PATIENCE)
    job = owner.post("/diagnostics/path", {"address": "ann@dest.example"}).body
    assert began.wait(60 * PATIENCE)
    relay.config = relay.config.replace("connections = 7", "connections = 3")
    relay.log.wait("reloaded", after=relay.reload(), role="relay", timeout=30 * PATIENCE)
    may_go.set()
    path = f"/jobs/{job['id']}"
    wait_for(lambda: owner.get(path).body["state"] != "running", "end of the test", timeout=60 * PATIENCE)
    assert told(owner.get(path).body["steps"])[-1] == ("end", "settings_changed")
    assert len(receiver.sessions) == 1


def test_an_order_makes_no_scanner_of_it(world):
    """Only a hop of the settings may be in here; mail goes where the order says."""
    net = Net()
    routed, ours, inside = world.receiver(), world.receiver(), world.receiver(host=net.host(1), port=net.port)
    relay = world.appliance(f'route "routed.example" {{ via = "{routed.address}" }}\n' + PANEL)
    relay.owner = set_up(relay, patience=PATIENCE)
    login = relay.add_user("news@shop.example")
    for via, code in ((ours.address, "ours"), (inside.address, "hop_not_public")):
        relay.cli("destination", "reroute", "dest.example", "--via", via, "--reason", "r")
        found = told(steps(relay, egress=None, address="ann@dest.example"))
        assert found[-2:] == [("address", code), ("end", "unreached")]
    assert not ours.sessions and not inside.sessions
    relay.wait_delivered(relay.send(login, "news@shop.example", "ann@dest.example", text("hello")))
    assert inside.sessions
    relay.cli("destination", "reroute", "dest.example", "--via", routed.address, "--reason", "r")
    assert ("quit", "ended") in told(steps(relay, egress=None, address="ann@dest.example"))
