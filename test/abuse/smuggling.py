"""The list of smuggling probes (figure S1): what looks like the end of DATA and is not, wherever it
may stand, however it is cut into writes, by DATA and by BDAT.

A probe's content holds a forgery behind the look-alike.  A server that took the look-alike for the
end would run the forgery's commands; what must happen instead is known for every probe: content
that has a bare CR, a bare LF or a NUL is refused once with 550 5.6.0, all else is one message, its
octets unchanged."""
import dataclasses
import itertools

SENDER, RECIPIENT = "news@shop.example", "ann@dest.example"

# What may stand for a line end before and behind the lone dot.
FRONTS = [b"\r\n", b"\n", b"\r", b"\n\r", b"\r\r\n", b"\n\n", b"\r\0\n", b"\0\r\n", b"\r\n\0"]
BACKS = [b"\r\n", b"\n", b"\r", b"\n\r", b"\r\r\n", b"\0\r\n", b"\r\0\n", b"\r\n\0", b"\n\n"]
# Clean lines that a careless reader could take for the end: blanks, doubled dots, line ends that only
# Unicode or a terminal knows.
CLEAN = [b"\r\n" + middle + b"\r\n" for middle in (
    b". ", b" .", b".\t", b"\t.", b"..", b"...", b".\x0b", b".\x0c", b".\x1c", b".\x85",
    ".\u2028".encode(), ".\u0085".encode(), b".\x08", b"\x0b.", b".\x1a", b"=2E", b"=0D=0A.",
    b".\x8d\x8a", b"\xef\xbb\xbf.", b"\xc0\xae", b".\x7f", b".;", b".=", b"\\r\\n.\\r\\n")]


def is_clean(octets):
    rest = octets.replace(b"\r\n", b"")
    return not any(c in rest for c in b"\r\n\0")


def ends(octets):
    """True when a line that is exactly one dot stands in it, as RFC 5321 4.1.1.4 has it."""
    return b"\r\n.\r\n" in b"\r\n" + octets


# A dot of a stuffed line would be taken off, so clean probes by DATA must begin with two or none.
LOOK_ALIKES = [front + b"." + back for front, back in itertools.product(FRONTS, BACKS)
               if not ends(b"x" + front + b"." + back)] + CLEAN
STARTS = [b"." + back for back in BACKS if not ends(b"." + back)] + [
    b"\n.\r\n", b"\n.\n", b"\r.\r\n", b"\0.\r\n", b"\0\r\n.\n"]
EDGES = (1024, 2048, 4096, 8192, 16384, 32768, 65536)
EDGE_LOOK_ALIKES = [b"\n.\r\n", b"\r\n.\n", b"\r\n.\r", b"\r.\r\n", b"\n.\n", b"\r\n.\0\r\n",
                    b"\r\n.\r\r\n", b"\r\n\0.\r\n", b"\r\n.\n\r\n", b"\n\r.\r\n"]
HEADER = b"From: news@shop.example\r\nSubject: outer"


def forgery(line_end=b"\r\n"):
    return line_end.join([
        b"MAIL FROM:<forged@shop.example>", b"RCPT TO:<victim@dest.example>", b"DATA",
        b"From: forged@shop.example", b"Subject: smuggled", b"", b"smuggled", b"", b"RSET"])


@dataclasses.dataclass(frozen=True)
class Probe:
    name: str
    content: bytes             # before dot-stuffing, without the final line end
    by: str = "DATA"           # or BDAT
    sizes: tuple = ()          # octets of each write but the last; ("all", 1): one octet a write
    chunks: tuple = ()         # BDAT: octets of each chunk but the last

    def is_clean(self):
        return is_clean(self.content)

    def wire(self):
        """What goes over the wire behind the 354.  Only a true line that begins with a dot is stuffed:
        that is what a client does, and what an attacker leaves out costs one dot."""
        return self.content + b"\r\n.\r\n"

    def stored(self):
        """What must arrive of it: a line's first dot is taken off by whoever reads DATA."""
        text = self.content + b"\r\n"
        if self.by == "BDAT":
            return text[:-2] if self.content.endswith(b"\r\n") else text
        lines = text.split(b"\r\n")
        return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines)

    def writes(self):
        octets = self.wire()
        if self.sizes == ("all", 1):
            return [octets[i:i + 1] for i in range(len(octets))]
        cuts = [0, *itertools.accumulate(self.sizes), len(octets)]
        return [octets[a:b] for a, b in zip(cuts, cuts[1:]) if b > a]


def filled_to(length):
    """A message so far, exactly `length` octets long, that ends inside a line."""
    head = HEADER + b"\r\n\r\n"
    line = b"y" * 70 + b"\r\n"
    head += line * ((length - len(head)) // len(line))
    return head + b"z" * (length - len(head)) if length - len(head) != 1 else head[:-2] + b"zzz"


def probes_of_places():
    inners = {"CRLF": forgery(), "LF": forgery(b"\n")}
    for number, look_alike in enumerate(LOOK_ALIKES):
        for inner_name, inner in inners.items():
            for place, front in (("body", HEADER + b"\r\n\r\nouter"), ("header", HEADER)):
                yield Probe(f"{place}-{number}-{inner_name}", front + look_alike + inner)
        cut = len(HEADER) + 9 + number % len(look_alike)
        yield Probe(f"cut-{number}", HEADER + b"\r\n\r\nouter" + look_alike + forgery(), sizes=(cut,))
    for number, start in enumerate(STARTS):
        for inner_name, inner in inners.items():
            yield Probe(f"first-{number}-{inner_name}", start + inner)


def probes_of_edges():
    for edge, (number, look_alike) in itertools.product(EDGES, enumerate(EDGE_LOOK_ALIKES)):
        for back in range(1, len(look_alike)):
            content = filled_to(edge - back) + look_alike + forgery()
            yield Probe(f"edge-{edge}-{number}-{back}", content)
            if back == 2:  # the same edge as one write, and as the end of a chunk
                yield Probe(f"edge-write-{edge}-{number}", content, sizes=(edge,))
                yield Probe(f"edge-chunk-{edge}-{number}", content, by="BDAT", chunks=(edge,))


def probes_octet_by_octet():
    for number, look_alike in enumerate(LOOK_ALIKES[::2] + CLEAN[::3]):
        yield Probe(f"octets-{number}", HEADER + b"\r\n\r\nouter" + look_alike + forgery(),
                    sizes=("all", 1))


def probes_by_bdat():
    """There a true CRLF.CRLF is content too."""
    for number, look_alike in enumerate([*LOOK_ALIKES, b"\r\n.\r\n", b"\r\n.\r\n.\r\n"]):
        content = HEADER + b"\r\n\r\nouter" + look_alike + forgery()
        yield Probe(f"bdat-{number}", content, by="BDAT")
        for within in range(1, len(look_alike), 2):
            yield Probe(f"bdat-cut-{number}-{within}", content, by="BDAT",
                        chunks=(len(HEADER) + 9 + within,))


def all_probes():
    return [*probes_of_places(), *probes_of_edges(), *probes_octet_by_octet(), *probes_by_bdat()]


def cross_section(probes, step):
    """Every step-th; the step has no common divisor with the lists above, so each kind is met."""
    return probes[::step]
