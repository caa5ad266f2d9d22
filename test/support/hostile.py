"""What the tests of hostile clients share: a service with one user of one domain, and a way to
hand it a message in one write."""
from wire import Wire

SENDER, RECIPIENT = "news@shop.example", "ann@dest.example"
LISTENERS = """
listen "submission"  { address = { "127.0.0.1:0", "[::1]:0" } }
listen "submissions" { address = "127.0.0.1:0"  tls = "implicit" }
listen "old"         { address = "127.0.0.1:0"  plain_auth = true  repair_newlines = true }
listen "plain"       { address = "127.0.0.1:0"  plain_auth = true }
listen "bounces"     { address = "127.0.0.1:0"  auth = "none" }
"""


def start_target(world):
    sink = world.sink()
    relay = world.relay_to(
        sink, 'limits { recipients = 1000  message_size = "1MB"  per_address = 5000 }',
        listeners=LISTENERS)
    relay.sink = sink
    relay.login = relay.add_user(SENDER)
    return relay


def plain(relay):
    return Wire(relay, name="plain", tls=False)


def begin_data(one, sender=SENDER, recipient=RECIPIENT):
    one.raw(f"MAIL FROM:<{sender}>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode())
    assert [r[:3] for r in one.replies(3)] == ["250", "250", "354"]


def bdat(one, message, sender=SENDER, recipient=RECIPIENT):
    """One whole message in one write; returns the last reply."""
    one.raw(f"MAIL FROM:<{sender}>\r\nRCPT TO:<{recipient}>\r\nBDAT {len(message)} LAST\r\n"
            .encode() + message)
    answers = one.replies(3)
    assert [r[:3] for r in answers[:2]] == ["250", "250"], answers
    return answers[2]
