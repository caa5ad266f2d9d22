"""What leaves towards a receiver that is more lenient than we are: lines that end in CRLF, dots
stuffed, no NUL, whatever was sent to us and whatever the queue's files hold."""
import re

import pytest

from appliance import PATIENCE
from hostile import LISTENERS, RECIPIENT, SENDER, bdat
from lenient import RawReceiver, rewrite_records
from smuggling import BACKS, CLEAN, FRONTS, forgery
from wire import Wire

pytestmark = pytest.mark.sanitized
HEAD = b"From: news@shop.example\r\nSubject: outer\r\n\r\nouter"


def start(world, config=""):
    receiver = world.own(RawReceiver())
    relay = world.relay_to(receiver, config, listeners=LISTENERS)
    relay.login = relay.add_user(SENDER)
    relay.raw = receiver
    return relay


def assert_clean(stream):
    """No reader, however lenient, sees an end or a second message in it."""
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\0", stream), stream
    assert stream.count(b"\r\n.\r\n") == 1 and stream.endswith(b"\r\n.\r\n"), stream


def test_what_was_taken_leaves_stuffed(world):
    """By BDAT everything that is clean is content, the true end of DATA too."""
    relay = start(world)
    look_alikes = [*CLEAN, b"\r\n.\r\n", b"\r\n.\r\n.\r\n", b"\r\n..\r\n.\r\n", b"\r\n.\r\n\r\n.\r\n"]
    sent = [HEAD + look_alike + forgery() + b"\r\n" for look_alike in look_alikes]
    with Wire(relay, name="plain", tls=False) as one:
        for message in sent:
            assert bdat(one, message).startswith("250")
    streams = relay.raw.wait(len(sent))
    for stream in streams:
        assert_clean(stream)
    unstuffed = {re.sub(rb"(?m)^\.", b"", s[:-3]).partition(b"Subject: outer")[2] for s in streams}
    assert unstuffed == {m.partition(b"Subject: outer")[2] for m in sent}


def test_what_was_repaired_leaves_stuffed(world):
    relay = start(world)
    look_alikes = [f + b"." + b for f in FRONTS for b in BACKS if b"\0" not in f + b]
    with Wire(relay, name="old", tls=False) as one:
        for look_alike in look_alikes:
            assert bdat(one, HEAD + look_alike + forgery(b"\n") + b"\n").startswith("250"), look_alike
    for stream in relay.raw.wait(len(look_alikes)):
        assert_clean(stream)


DIRTY = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r\n", b"\r\n.\r", b"\r\n\0.\r\n", b"\0", b"\r", b"\n",
         b"\r\r\n", b"x\n.\r\nMAIL FROM:<forged@shop.example>\r\n"]


@pytest.mark.parametrize("place", ["body", "header"])
def test_a_foreign_queue_file_does_not_leave_unclean(world, place):
    """Records that hold bare CR, LF or NUL, their checksums right: as from another version, or from
    somebody's pen.  The second fence stands in the writer; no final dot follows what it stopped."""
    relay = start(world, 'delivery { retry = { "1s" } }\n')
    relay.cli("destination", "suspend", "dest.example", "--reason", "until the files are changed")
    room = b"@" * 60
    with Wire(relay, name="plain", tls=False) as one:
        for i in range(len(DIRTY)):
            marked = b"=%02d=" % i + room
            message = HEAD + b" " + marked if place == "body" else \
                b"X-Mark: " + marked + b"\r\n" + HEAD
            assert bdat(one, message + b"\r\n").startswith("250")
        assert bdat(one, HEAD + b" a good one\r\n").startswith("250")
    relay.stop()

    def dirty(stored):
        found = re.search(rb"=(\d\d)=" + room, stored)
        if not found:
            return stored
        octets = DIRTY[int(found[1])]
        return stored.replace(room, octets + b"y" * (len(room) - len(octets)))
    assert rewrite_records(relay.folder / "spool", dirty) == len(DIRTY)
    relay.start()
    mark = relay.log.mark()
    relay.cli("destination", "resume", "dest.example")
    relay.log.wait("delivered", after=mark, to=RECIPIENT, timeout=60 * PATIENCE)
    relay.log.wait_until(lambda events: len({
        e["msg"] for e in events[mark:] if e.name in ("delivered", "deferred", "bounced", "held")})
        > len(DIRTY), timeout=60 * PATIENCE)
    whole = [s for s in relay.raw.streams if s.endswith(b"\r\n.\r\n")]
    for stream in relay.raw.streams:
        assert not re.search(rb"(?<!\r)\n|\r(?!\n|\Z)|\0", stream), stream
    assert len([s for s in whole if b"a good one" in s]) == 1
    for stream in whole:
        assert b"@@@" not in stream and not re.search(rb"=\d\d=", stream.partition(b"Subject: outer")[2][:60]) \
            or b"multipart/report" in stream, stream
