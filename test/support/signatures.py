"""Three judges of DKIM signatures that we did not write: dkimpy, opendkim-testmsg, Mail::DKIM."""
import pathlib
import re
import subprocess

import dkim
import dns.resolver

from name_server import text_record
from peers import Root

HERE = pathlib.Path(__file__).resolve().parent
RECORD = re.compile(r'^(\S+\._domainkey\.\S+)\s+.*?\bTXT\s+\(?((?:\s*"(?:[^"\\]|\\.)*")+)', re.M)


def records_of(text):
    """name -> value of the DNS records in what `dkim new` and `dkim dns` print (BIND lines)."""
    found = {}
    for name, strings in RECORD.findall(text):
        value = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', strings))
        found[name.rstrip(".")] = value.replace("\\;", ";")
    return found


def zone_lines(records, zone):
    """The same for a zone file of `zone`."""
    assert all(name.endswith("." + zone) for name in records), (records, zone)
    return "\n".join(f"{name}. TXT {text_record(value)}" for name, value in records.items())


def tags(signature):
    """A DKIM-Signature's value as a dict."""
    text = re.sub(r"\s+", "", signature)
    return dict(part.split("=", 1) for part in text.split(";") if part)


def signatures_of(message):
    """The tags of every DKIM-Signature of a message, first to last."""
    head = message.split(b"\r\n\r\n", 1)[0].decode("utf-8", "replace")
    unfolded = re.sub(r"\r\n[ \t]+", " ", head)
    return [tags(line.split(":", 1)[1]) for line in unfolded.split("\r\n")
            if line.lower().startswith("dkim-signature:")]


def with_single_signatures(message):
    """The message once per signature, without its other signatures."""
    head, body = message.split(b"\r\n\r\n", 1)
    fields = re.split(rb"\r\n(?![ \t])", head)
    is_signature = [f.lower().startswith(b"dkim-signature:") for f in fields]
    for chosen in (i for i, is_one in enumerate(is_signature) if is_one):
        kept = [f for i, f in enumerate(fields) if i == chosen or not is_signature[i]]
        yield b"\r\n".join(kept) + b"\r\n\r\n" + body


class Judges:
    """They ask the name server, where the test has published what `dkim new` printed."""

    def __init__(self, folder, name_server):
        self.name_server = name_server
        self.resolver = dns.resolver.Resolver(configure=False)
        self.resolver.nameservers = [name_server.host]
        self.root = Root(folder, programs=["/usr/sbin/opendkim-testmsg"], resolver=name_server.host)

    def text_record(self, name, timeout=5):
        try:
            answer = self.resolver.resolve(name.decode().rstrip("."), "TXT", lifetime=timeout)
        except dns.resolver.NXDOMAIN:
            return None
        return b"".join(answer[0].strings)

    def dkimpy(self, message):
        """[(algorithm, is it valid)], one a signature."""
        result = []
        for index, signature in enumerate(signatures_of(message)):
            verifier = dkim.DKIM(message)
            try:
                valid = verifier.verify(idx=index, dnsfunc=self.text_record)
            except dkim.DKIMException:
                valid = False
            result.append((signature["a"], valid))
        return result

    def opendkim(self, message):
        """opendkim-testmsg: does every signature it knows hold?"""
        done = self.root.run("/usr/sbin/opendkim-testmsg", stdin=message, check=False)
        return done.returncode == 0, done.stderr.decode()

    def mail_dkim(self, message):
        """[(algorithm, "pass" or what is wrong)] by Perl's Mail::DKIM."""
        done = subprocess.run(["perl", str(HERE / "verify_dkim.pl"), self.name_server.host],
                              input=message, capture_output=True, timeout=120, check=True)
        rows = [line.split(" ", 3) for line in done.stdout.decode().splitlines()]
        return [(algorithm, detail) for algorithm, _, _, detail in rows]

    def check(self, message, algorithms=("rsa-sha256", "ed25519-sha256")):
        """Every judge must call every signature it can judge valid, and all must be there."""
        assert sorted(s["a"] for s in signatures_of(message)) == sorted(algorithms), message
        assert sorted(self.dkimpy(message)) == sorted((a, True) for a in algorithms), message
        perl = [row for row in self.mail_dkim(message) if row[0] == "rsa-sha256"]
        assert perl == [("rsa-sha256", "pass")], (perl, message)
        for one in with_single_signatures(message):
            valid, why = self.opendkim(one)
            assert valid, (why, one)
