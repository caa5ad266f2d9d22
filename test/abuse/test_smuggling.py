"""Figure S1: no probe of smuggling.py is smuggled in, none gets out.  What arrived at the receiver
decides: exactly one message or none, its octets as sent, nothing to the forgery's victim."""
import re

import pytest

from appliance import PATIENCE
from hostile import LISTENERS, RECIPIENT, SENDER, begin_data
from smuggling import all_probes, cross_section
from wire import Wire

A_CONNECTION = 25


@pytest.fixture(scope="module")
def relay(module_world):
    sink = module_world.sink()
    relay = module_world.relay_to(sink, 'limits { per_address = 5000 }', listeners=LISTENERS)
    relay.sink = sink
    relay.login = relay.add_user(SENDER)
    return relay


def say_chunks(one, probe):
    """All of a message by BDAT in one write; returns its last reply."""
    octets, rest = b"", probe.content
    for size in probe.chunks:
        octets += b"BDAT %d\r\n" % len(rest[:size]) + rest[:size]
        rest = rest[size:]
    one.raw(f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{RECIPIENT}>\r\n".encode() + octets
            + b"BDAT %d LAST\r\n" % len(rest) + rest + b"NOOP\r\n")
    answers = one.replies(2 + len(probe.chunks) + 1)
    assert [a[:3] for a in answers[:2]] == ["250", "250"], (probe.name, answers)
    # Once a chunk is refused, those behind it are out of sequence, and say so.
    return next((a for a in answers[2:] if a[0] == "5"), answers[-1])


def say_data(one, probe):
    begin_data(one)
    *pieces, last = probe.writes()
    for piece in pieces:
        one.raw(piece)
    one.raw(last + b"NOOP\r\n")
    return one.reply()


def play(one, probe):
    """Returns the queue id, or None when it was refused; then the session must be in step."""
    reply = say_chunks(one, probe) if probe.by == "BDAT" else say_data(one, probe)
    assert one.reply() == "250 2.0.0 Ok", (probe.name, reply)
    if probe.is_clean() and reply.startswith("250 2.0.0 Ok: queued as "):
        return reply.split()[-1]
    if probe.is_clean():  # the forgery became part of the header, which then has two From fields
        assert reply.startswith("550 5.") and probe.name.startswith("header"), (probe, reply)
    else:
        assert re.match(r"550 5\.6\.0 .* found", reply), (probe, reply)
    return None


def play_all(relay, probes, listener, tls):
    """queue id -> probe, of what was taken."""
    taken = {}
    for at in range(0, len(probes), A_CONNECTION):
        with Wire(relay, name=listener, tls=tls) as one:
            for probe in probes[at:at + A_CONNECTION]:
                identifier = play(one, probe)
                if identifier:
                    taken[identifier] = probe
            assert one.say("QUIT").startswith("221")
    return taken


def id_of(stored):
    return re.search(rb"\bid ([0-9A-Z]+)", stored.data)[1].decode()


def check_arrived(relay, mark, taken):
    relay.log.wait_until(lambda events: sum(e.name == "delivered" for e in events[mark:]) >= len(taken),
                         timeout=120 * PATIENCE)
    queued = relay.log.all("queued", after=mark)
    assert {e["msg"] for e in queued} == set(taken) and len(queued) == len(taken)
    arrived = {}
    for stored in relay.sink.messages():
        assert stored.recipients == [RECIPIENT] and stored.sender == SENDER
        arrived.setdefault(id_of(stored), []).append(stored.data)
    for identifier, probe in taken.items():
        assert len(arrived[identifier]) == 1, probe
        assert arrived[identifier][0].endswith(probe.stored()), (probe, arrived[identifier])


@pytest.mark.sanitized
@pytest.mark.parametrize("listener,tls", [("plain", False), ("submissions", True)],
                         ids=["plain", "tls"])
def test_a_cross_section_is_not_smuggled(relay, listener, tls):
    mark = relay.log.mark()
    probes = cross_section(all_probes(), 7 if not tls else 11)
    assert len(probes) > 100
    check_arrived(relay, mark, play_all(relay, probes, listener, tls))


@pytest.mark.parametrize("listener,tls", [("plain", False), ("submissions", True)],
                         ids=["plain", "tls"])
def test_no_probe_is_smuggled(relay, listener, tls):
    mark = relay.log.mark()
    probes = all_probes()
    assert len(probes) >= 439
    taken = play_all(relay, probes, listener, tls)
    check_arrived(relay, mark, taken)
    print(f"S1 {listener}: {len(probes)} probes, {len(taken)} taken whole, 0 smuggled")
