"""Knot DNS on a loopback address of its own, port 53, with DNSSEC-signed zones from plain text.

Its address is drawn from 127/8, so several run side by side; port 53 because programs in a
peer's root (peers.py) read a resolv.conf, which knows no other."""
import os
import pathlib
import random
import re
import subprocess

from log_lines import LogReader

CONFIG = """
server:
    listen: {host}@53
    rundir: {folder}
database:
    storage: {folder}/db
log:
  - target: stderr
    any: info
policy:
  - id: quick
    algorithm: ecdsap256sha256
    single-type-signing: on
    cds-cdnskey-publish: none
template:
  - id: default
    storage: {folder}
    file: "%s.zone"
    zonefile-load: difference-no-serial
    zonefile-sync: -1
    journal-content: all
    dnssec-signing: on
    dnssec-policy: quick
  - id: plain
    storage: {folder}
    file: "%s.zone"
zone:
"""
SOA = ("$TTL 300\n@ SOA ns.{zone}. admin.{zone}. 1 3600 600 86400 {negative}\n"
       "@ NS ns.{zone}.\nns A {host}\n")


class NameServer:
    """zones: name -> records in zone file syntax, without SOA and NS.  Those in `unsigned` carry
    no signatures."""

    def __init__(self, folder, zones, unsigned=()):
        self.folder = pathlib.Path(folder)
        (self.folder / "db").mkdir(parents=True, exist_ok=True)
        self.zones = dict(zones)
        self.serial = 1
        self.process = None
        for attempt in range(5):
            self.host = f"127.{random.randint(2, 250)}.{random.randint(1, 250)}.53"
            self.write_files(unsigned)
            if self.start():
                break
        else:
            raise AssertionError("knot does not start\n" + self.log.tail())
        self.trust_anchor = self.write_trust_anchor(
            [zone for zone in self.zones if zone not in unsigned])

    def write_zone(self, zone):
        text = SOA.format(zone=zone, host=self.host, negative=1)
        (self.folder / f"{zone}.zone").write_text(text + self.zones[zone] + "\n")

    def write_files(self, unsigned):
        text = CONFIG.format(host=self.host, folder=self.folder)
        for zone in self.zones:
            text += f"  - domain: {zone}\n" + ("    template: plain\n" if zone in unsigned else "")
            self.write_zone(zone)
        (self.folder / "knot.conf").write_text(text)

    def start(self):
        """False when the address is taken."""
        self.process = subprocess.Popen(
            ["knotd", "-c", str(self.folder / "knot.conf")], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.log = LogReader(self.process.stderr)
        wanted = [f"[{zone}.] loaded" for zone in self.zones] + ["control, binding"]

        def is_settled(_):
            text = "\n".join(self.log.other_lines)
            return "cannot bind" in text or "critical" in text or all(w in text for w in wanted)
        self.log.wait_until(is_settled, timeout=30)
        text = "\n".join(self.log.other_lines)
        if "cannot bind" in text or "critical" in text:
            self.stop()
            return False
        self.control("zone-status")  # answers only when every zone was loaded and signed
        return True

    def control(self, *words):
        done = subprocess.run(
            ["knotc", "-c", str(self.folder / "knot.conf"), "-b", *words], capture_output=True,
            text=True, timeout=30, check=False)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def set_zone(self, zone, records):
        """Replaces the records of a zone; answered with from the return on."""
        self.zones[zone] = records
        self.write_zone(zone)
        self.control("zone-reload", zone)

    def add(self, zone, records):
        self.set_zone(zone, self.zones[zone] + "\n" + records)

    def write_trust_anchor(self, zones):
        """The DNSKEYs of the signed zones, as a file for a validating resolver."""
        lines = []
        for zone in zones:
            done = subprocess.run(
                ["keymgr", "-c", str(self.folder / "knot.conf"), zone, "ds"],
                capture_output=True, text=True, timeout=30, check=True)
            lines += [line for line in done.stdout.splitlines() if re.search(r" DS \d+ 13 2 ", line)]
        assert len(lines) == len(zones), lines
        path = self.folder / "trust.anchor"
        path.write_text("\n".join(lines) + "\n")
        path.chmod(0o644)
        return path

    def settings(self):
        """The resolver section of a service that asks this server."""
        return (f'resolver {{ forward = {{ "{self.host}:53" }}  '
                f'trust_anchor = "{self.trust_anchor}" }}\n')

    def stop(self):
        if self.process and self.process.returncode is None:
            self.process.terminate()
            self.process.wait(20)


def text_record(value):
    """The value of a TXT record as zone file text, in strings of 255 bytes."""
    pieces = [value[i:i + 255] for i in range(0, len(value), 255)]
    return " ".join('"' + piece.replace("\\", "\\\\").replace('"', '\\"') + '"' for piece in pieces)
