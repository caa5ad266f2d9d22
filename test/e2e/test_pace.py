"""The pace of deliveries, counted where they arrive: receivers write down every connection and message
with one clock (test/support/paced.py), and no window of theirs may hold more than the settings allow,
also across restarts, crashes and reloads."""
import random
import time

import pytest

from appliance import PATIENCE, submit, wait_for
from messages import text
from paced import JITTER, Town, ends, most_in_window, most_open, most_per_connection

SENDER = "news@shop.example"


def start(world, town, delivery="", more="", route=None):
    """A service that finds the town's receivers by MX, or sends all to one of them by a route."""
    delivery = f'retry = {{ "1s" }}  expire = "10m"  {delivery}'
    if route:
        sink, pace = route
        more += f'route "*" {{ via = "{town[sink].address}"  {pace} }}\n'
    relay = world.appliance(town.settings(delivery, more))
    relay.login = relay.add_user(SENDER)
    return relay


def send(relay, domain, n, each=1):
    """n messages for so many recipients each, over one connection."""
    domain = domain if "." in domain else f"{domain}.example"
    with relay.client(relay.login) as client:
        for i in range(n):
            submit(client, SENDER, [f"user{i}-{k}@{domain}" for k in range(each)],
                   text(subject=f"Number {i}"))


def wait_delivered(relay, n, domain="", after=0, timeout=60):
    """Until n recipients (of a domain) were delivered."""
    def is_done(_):
        return sum(is_delivery(event, domain) for event in relay.log.events[after:]) >= n

    relay.log.wait_until(is_done, timeout=timeout * PATIENCE)


def is_delivery(event, domain):
    return event.name == "delivered" and (not domain or event["to"].endswith(f"@{domain}.example"))


# ---- limits


def test_connections_at_once_are_never_exceeded(world):
    """The receiver refuses a fourth itself: it never had to."""
    town = Town(world, {"dest": "CONNECT open=3 -> 421 4.7.0 Too many connections\n"
                                "DOT -> delay=100ms\n"})
    relay = start(world, town, "site_connections = 3  connection_messages = 2  "
                  "site_connections_per_minute = 100000")
    send(relay, "dest", 40)
    wait_delivered(relay, 40)
    assert most_open(town["dest"]) in (2, 3)  # they were used; the last is for urgent mail
    assert town["dest"].stop()["applied"][0] == 0
    assert not relay.log.all("deferred")


def test_messages_per_second_hold_in_any_second(world):
    town = Town(world, {"dest": ""})
    relay = start(world, town, route=("dest", "messages_per_second = 8"))
    send(relay, "dest", 32)
    wait_delivered(relay, 32)
    times = town["dest"].times("MAIL")
    assert len(times) == 32
    assert most_in_window(times, 1) <= 8, times
    assert most_in_window(times, 2) >= 12, "the pace is not used"


@pytest.mark.parametrize("how", ["kill", pytest.param("restart", marks=pytest.mark.long),
                                 pytest.param("reload", marks=pytest.mark.long)])
def test_no_burst_after(world, how):
    """A service that begins anew knows nothing of what it sent a moment ago."""
    town = Town(world, {"dest": "DOT -> delay=50ms\n"})
    relay = start(world, town, route=("dest", "messages_per_second = 5  connections = 2"))
    send(relay, "dest", 22)
    wait_delivered(relay, 8)
    if how == "reload":
        relay.config += 'log { level = "debug" }\n'
        relay.log.wait("reloaded", after=relay.reload(), role="relay", timeout=30 * PATIENCE)
    elif how == "restart":
        relay.restart()
    else:
        relay.kill()
        relay.start()
    wait_for(lambda: len(town["dest"].times("DOT", 250)) >= 22 and not relay.queue(), "the rest",
             timeout=60)
    assert most_in_window(town["dest"].times("MAIL"), 1) <= 5
    assert most_open(town["dest"]) <= 2


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("how", ["restart", "kill", "reload", None])
def test_connections_per_minute_hold_in_any_minute(world, how):
    """Four minutes, with an interruption every twenty seconds."""
    town = Town(world, {"dest": ""})
    relay = start(world, town, "site_connections = 10  connection_messages = 1  "
                  "site_connections_per_minute = 120")
    send(relay, "dest", 400)
    while len(town["dest"].times("DOT", 250)) < 400:
        time.sleep(20)  # not a wait for something: the moment of the next interruption
        if how == "restart":
            relay.restart()
        elif how == "kill":
            relay.kill()
            relay.start()
        elif how == "reload":
            relay.log.wait("reloaded", after=relay.reload(), role="relay", timeout=30 * PATIENCE)
    connections = town["dest"].times("CONNECT")
    assert most_in_window(connections, 60) <= 120
    assert most_in_window(connections, 60) >= 100, "the pace is not used"


# The rules that are built in know providers that these files do not.
RULE = """rule big-busy
    provider big
    code     452
    text     never said here
    when     at once do notify on provider
    reason   nothing of the kind
    sample   mail 452 4.3.1 never said here
"""


class Provider:
    """Three domains of one provider, with limits in a file of the operator's."""

    def __init__(self, world, limits, script="", more=""):
        self.town = Town(world, {"one": script, "two": script, "three": script}, provider="big")
        self.sinks = list(self.town.sinks.values())
        self.file, rules = world.new_path("providers"), world.new_path("reply_rules")
        rules.write_text(RULE)
        rules.chmod(0o644)
        self.limit(limits)
        self.relay = start(world, self.town, more=f'policy {{ providers = "{self.file}"  '
                           f'reply_rules = "{rules}" }}\n{more}')
        assert not self.relay.log.all("receivers_refused")

    def limit(self, limits):
        self.file.write_text("provider big\n    mx .big.example\n"
                             + "".join(f"    {limit}\n" for limit in limits))
        self.file.chmod(0o644)

    def times(self, *events):
        return sorted(t for sink in self.sinks for t in sink.times(*events))


@pytest.mark.parametrize("how", ["restart", pytest.param("kill", marks=pytest.mark.long)])
def test_a_providers_limits_hold_over_all_its_sites(world, how):
    provider = Provider(world, ["connections 3", "rate 8/s"])
    relay = provider.relay
    for domain in provider.town.sinks:
        send(relay, domain, 9)
    wait_delivered(relay, 9)
    if how == "kill":
        relay.kill()
        relay.start()
    elif how == "restart":
        relay.restart()
    wait_for(lambda: len(provider.times("DOT", 250)) >= 27 and not relay.queue(), "the rest",
             timeout=60)
    assert most_in_window(provider.times("MAIL"), 1) <= 8
    assert most_open(*provider.sinks) <= 3
    assert all(sink.times("DOT", 250) for sink in provider.sinks)


def test_what_is_only_partly_a_providers_stays_careful_over_a_reload(world):
    """Its first mail host is the provider's, its second is not: neither the provider's limits nor the
    default hold, but those of `mixed`."""
    town = Town(world, {"one": "DOT -> delay=300ms\n"}, provider="big",
                zone="partly MX 10 mx.one.big\npartly MX 20 alien\nalien A 127.0.0.9\n")
    files = world.new_path("providers"), world.new_path("reply_rules")
    files[0].write_text("provider mixed\n    connections 3\n"
                        "provider big\n    mx .big.example\n    connections 9\n")
    files[1].write_text(RULE)
    for file in files:
        file.chmod(0o644)
    relay = start(world, town, more=f'policy {{ providers = "{files[0]}"  '
                  f'reply_rules = "{files[1]}" }}\n')
    send(relay, "partly", 2)
    wait_delivered(relay, 2)
    for _ in range(2):  # the second reload finds the site as the first left it
        relay.log.wait("reloaded", after=relay.reload(), role="relay", timeout=30 * PATIENCE)
    send(relay, "partly", 30)
    wait_delivered(relay, 32)
    assert most_open(town["one"]) in (2, 3)


def test_a_slower_pace_holds_from_the_reload_on(world):
    provider = Provider(world, ["rate 20/s"])
    relay = provider.relay
    for domain in provider.town.sinks:
        send(relay, domain, 11)
    wait_delivered(relay, 20)
    provider.limit(["rate 4/s"])
    relay.log.wait("reloaded", after=relay.reload(), role="relay", timeout=30 * PATIENCE)
    reloaded = time.monotonic()
    wait_delivered(relay, 33)
    assert most_in_window(provider.times("MAIL"), 1) <= 20
    assert most_in_window([t for t in provider.times("MAIL") if t > reloaded + JITTER], 1) <= 4


def test_a_pool_of_addresses_keeps_the_limits_of_each_and_of_all(world):
    addresses = [f"127.{random.randint(2, 250)}.9.{n}" for n in (1, 2, 3)]
    pool = "".join(f'egress "{n}" {{ address = "{address}"  hostname = "mx{n}.relay.example" }}\n'
                   for n, address in enumerate(addresses))
    provider = Provider(world, ["connections 5", "address_connections 3", "rate 12/s"],
                        "DOT -> delay=200ms\n",
                        pool + 'pool "default" { egress = { "0", "1", "2" } }\n')
    relay = provider.relay
    for domain in provider.town.sinks:
        send(relay, domain, 8)
    wait_delivered(relay, 24)
    assert most_in_window(provider.times("MAIL"), 1) <= 12
    assert most_open(*provider.sinks) <= 5
    for address in addresses:
        assert 1 <= most_open(*provider.sinks, peer=address) <= 3, address


# ---- the providers that are built in, by receivers that speak as they do

GMAIL = ("CONNECT open=5 -> 421 4.7.0 Try again later, closing connection. gsmtp\n"
         "DOT -> delay=100ms\n")
ORANGE = "CONNECT open=2 -> 421 mwinf5c01 ME Trop de connexions, veuillez verifier. OFR004_104\n"
LIBERO = ("CONNECT open=2 -> 421 4.7.0 smtp-18.iol.local too many connections\n"
          "MAIL rate=3/1s -> 450 4.7.1 too many messages, slow down\n")
# Domains of one provider, what each says, connections at once, messages on one, and a second.
SHIPPED = {
    "google": (["gmail.com", "googlemail.com"], GMAIL, 5, 50, None),
    "orange": (["orange.fr", "wanadoo.fr"], ORANGE, 2, 100, None),
    "italiaonline": (["libero.it", "virgilio.it"], LIBERO, 2, 20, 2),
    "tim": (["tim.it", "alice.it"], LIBERO, 2, 20, 1),
}


def test_the_limits_of_providers_as_shipped(world):
    town = Town(world, {domain: script for domains, script, *_ in SHIPPED.values()
                        for domain in domains}, certificate=world.certificate)
    relay = start(world, town)
    n_of = {name: 5 if row[4] else 60 for name, row in SHIPPED.items()}
    for name, (domains, *_) in SHIPPED.items():
        for domain in domains:
            send(relay, domain, n_of[name] // 2)
    wait_delivered(relay, sum(n // 2 * 2 for n in n_of.values()))
    for name, (domains, _, connections, on_one, per_second) in SHIPPED.items():
        sinks = [town[domain] for domain in domains]
        assert not any(sink.trace(code=code) for sink in sinks for code in (421, 450)), name
        assert most_open(*sinks) <= connections, name
        assert max(map(most_per_connection, sinks)) <= on_one, name
        if per_second:
            times = [t for sink in sinks for t in sink.times("MAIL")]
            assert most_in_window(times, 1) <= per_second, (name, sorted(times))


@pytest.mark.long
def test_google_says_slower_and_only_google_waits(world):
    """Ten messages are taken, then the rate is called unusual: ten a minute, and no more refusals than
    were under way."""
    town = Town(world, {
        "gmail.com": "DOT rate=10/10m -> 421 4.7.28 [127.0.0.1 15] Our system has detected an unusual "
                     "rate of unsolicited mail originating from your IP address. To protect our "
                     "users from spam, mail sent from your IP address has been temporarily rate "
                     "limited.\n",
        "orange.fr": ORANGE}, certificate=world.certificate)
    relay = start(world, town)
    send(relay, "gmail.com", 60)
    relay.log.wait("rule_applied", rule="google-unusual-rate", action="limit",
                   timeout=60 * PATIENCE)
    applied = time.monotonic()
    send(relay, "orange.fr", 40)
    wait_for(lambda: len(town["orange.fr"].times("DOT", 250)) == 40, "the others go on")
    assert len(town["gmail.com"].times("DOT", 421)) <= 5 + 2
    wait_for(lambda: len([t for t in town["gmail.com"].times("MAIL") if t > applied]) >= 5,
             "it goes on slowly", timeout=120)
    after = [t for t in town["gmail.com"].times("MAIL") if t > applied + JITTER]
    assert most_in_window(after, 60) <= 10


# ---- neighbours


def test_mail_goes_on_while_all_connections_that_are_dared_hang(world):
    """Two at a time until something was taken, and both of those get no answer to their dot."""
    provider = Provider(world, [f"dot_timeout {int(20 * PATIENCE)}s"],
                        script="DOT match=Number.[01] -> delay=1h\n")
    send(provider.relay, "one", 5)
    wait_delivered(provider.relay, 3)
    assert not provider.relay.log.all("deferred")


def test_a_live_domain_goes_on_beside_a_dead_and_a_slow_one(world):
    """Mail for those came first, and more of it than there are connections."""
    town = Town(world, {"live": "", "slow": "RCPT -> drip=500ms\n",
                        "mute": "CONNECT -> delay=1h\n", "dead": None})
    relay = start(world, town, "connections = 30  site_connections = 5")
    for domain in ("dead", "mute", "slow"):
        send(relay, domain, 60)
    town["slow"].log.wait("listening")
    wait_for(lambda: most_open(town["slow"]) > 0 and most_open(town["mute"]) > 0, "both begin")
    send(relay, "live", 60)
    wait_delivered(relay, 60, "live")
    with relay.log.changed:
        slow = [event for event in relay.log.events if is_delivery(event, "slow")]
    assert len(slow) < 30  # 14 octets, half a second each, five at a time
    assert most_open(town["mute"]) <= 5 and most_open(town["slow"]) <= 5
    assert not any(town[name].trace(code=421) for name in ("live", "slow"))


# ---- receivers that say later


def test_a_greylisted_newsletter_arrives_once(world):
    town = Town(world, {"dest": "RCPT new=2s -> 450 4.7.1 Greylisted, see you later\n"})
    relay = start(world, town)
    send(relay, "dest", 10, each=5)
    wait_delivered(relay, 50)
    assert sorted(map(len, ends(relay.log).values())) == [1] * 50
    assert len(relay.log.all("deferred")) >= 50
    accepted = [(line["sender"], line["recipient"]) for line in town["dest"].trace("RCPT", 250)]
    assert len(accepted) == len(set(accepted)) == 50


def test_a_storm_of_421_is_not_answered_with_a_storm(world):
    """For three seconds every connection is refused, with 200 messages waiting."""
    town = Town(world, {"dest": "CONNECT from=0s until=3s -> 421 4.3.2 Service shutting down\n"})
    relay = start(world, town, "site_connections = 5")
    send(relay, "dest", 200)
    wait_delivered(relay, 200, timeout=90)
    refused = town["dest"].times("CONNECT", 421)
    assert 1 <= len(refused) <= 40, len(refused)
    assert sorted(map(len, ends(relay.log).values())) == [1] * 200


@pytest.mark.long  # the service waits longer and longer for such a receiver
def test_connections_that_break_in_every_phase_lose_nothing(world):
    phases = ("CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "BODY", "DOT")
    town = Town(world, {"dest": "".join(f"{phase} every={n} -> drop\n"
                                        for n, phase in enumerate(phases, 2))})
    relay = start(world, town, "connection_messages = 3")
    send(relay, "dest", 40)
    wait_delivered(relay, 40, timeout=120)
    assert sorted(map(len, ends(relay.log).values())) == [1] * 40
    assert len(town["dest"].trace("DOT", 250)) == 40
    assert {line["event"] for line in town["dest"].trace(code=0)} >= set(phases)
