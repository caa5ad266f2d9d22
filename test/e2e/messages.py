"""Messages that tests send, and how what arrived is compared with them."""
import email
import email.policy

PLAIN = (
    b"Date: Sun, 22 Nov 2026 17:25:03 +0100\r\n"
    b"From: News <news@shop.example>\r\n"
    b"To: ann@dest.example\r\n"
    b"Message-ID: <fixed@shop.example>\r\n"
    b"Subject: Prices\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 7bit\r\n"
    b"\r\n"
    b".a line that begins with a dot\r\n"
    b"..two\r\n"
    b".\r\n"
    b"\r\n"
    b"trailing blanks  \t\r\n"
    b"the end\r\n")

EIGHT_BIT = PLAIN.replace(b"7bit", b"8bit").replace(
    b"the end", "perché no? Grüße, 你好".encode() + b"\r\nthe end")

# A form that fills its lines far beyond RFC 5322's 998: programs send these.
LONG_LINES = PLAIN.replace(b"the end", b"x" * 20000)


def text(subject="Hello", sender="news@shop.example", to="ann@dest.example", body="Hello.\n"):
    return (f"Date: Sun, 22 Nov 2026 17:25:03 +0100\nFrom: {sender}\nTo: {to}\n"
            f"Message-ID: <{abs(hash((subject, to)))}@shop.example>\nSubject: {subject}\n\n{body}")


def stuffed(octets):
    """As DATA carries it, RFC 5321 4.5.2."""
    return octets.replace(b"\r\n.", b"\r\n..")


def parse(octets):
    return email.message_from_bytes(octets, policy=email.policy.default)


def assert_arrived(stored, original):
    """original, unchanged, below what was put on top (trace, signatures)."""
    assert stored.endswith(original), (stored, original)
    top = stored[:-len(original)]
    names = {line.split(b":")[0].lower() for line in top.split(b"\r\n")
             if line and not line.startswith((b" ", b"\t"))}
    assert names <= {b"received", b"dkim-signature"}, names
    assert b"received" in names


def part(message, kind):
    """The decoded content of the first part of a type."""
    for one in message.walk():
        if one.get_content_type() == kind:
            return one
    raise AssertionError(f"no {kind} in {[p.get_content_type() for p in message.walk()]}")
