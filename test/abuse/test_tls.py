"""Figure T1: testssl.sh and nmap, programs that others wrote, find nothing at any listener.
Everything stays on loopback; the authority is a test's own."""
import json
import re
import subprocess

import pytest

from appliance import PATIENCE
from hostile import LISTENERS, SENDER

ALL = LISTENERS + 'listen "smtp" { address = "127.0.0.1:0"  tls = "starttls" }\n'
# What says nothing of a server: certificates of a test's authority have no CRL, OCSP, CAA, CT or OV.
OF_THE_CERTIFICATE = re.compile(
    r"^(cert_|OCSP|CAA|DNS_CAA|certs_|cert |CRL|certificate_transparency|cert_chain_of_trust)", re.I)


@pytest.fixture
def relay(world):
    relay = world.relay_to(world.sink(), listeners=ALL)
    relay.login = relay.add_user(SENDER)
    return relay


def run_testssl(relay, listener, is_implicit):
    """testssl.sh's findings (id, severity, finding), and what it printed."""
    host, port = relay.address(listener)
    out = relay.folder / f"testssl-{listener}.json"
    words = ["testssl", "--quiet", "--warnings", "off", "--nodns", "none", "--color", "0",
             "--add-ca", str(relay.authority.file), "--jsonfile", str(out)]
    if not is_implicit:
        words += ["--starttls", "smtp"]
    done = subprocess.run([*words, f"{host}:{port}"], capture_output=True, text=True, check=False,
                          timeout=1200 * PATIENCE, stdin=subprocess.DEVNULL)
    return json.loads(out.read_text(encoding="utf-8")), done.stdout


@pytest.mark.long  # some minutes each
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("listener,is_implicit", [
    ("submission", False), ("submissions", True), ("smtp", False)])
def test_testssl_finds_nothing(relay, listener, is_implicit):
    findings, printed = run_testssl(relay, listener, is_implicit)
    assert len(findings) > 100, printed[-3000:]
    bad = [(f["id"], f["severity"], f["finding"]) for f in findings
           if f["severity"] in ("LOW", "MEDIUM", "HIGH", "CRITICAL", "FATAL")
           and not OF_THE_CERTIFICATE.match(f["id"])]
    not_ok = [line for line in printed.splitlines() if "NOT ok" in line
              and "CRL nor OCSP" not in line]
    print(listener, len(findings), "findings;", bad, not_ok)
    assert not bad and not not_ok, (bad, not_ok)
    text = {f["id"]: f["finding"] for f in findings}
    assert all("not offered" in text[name] for name in ("SSLv2", "SSLv3", "TLS1", "TLS1_1")), text
    assert "not offered" not in text["TLS1_2"] and "not offered" not in text["TLS1_3"]


@pytest.mark.parametrize("listener", [
    "submission", "plain", "old", "smtp",
    pytest.param("bounces", marks=pytest.mark.long)])  # each of its errors is answered more slowly
def test_nmap_finds_no_open_relay(relay, listener):
    host, port = relay.address(listener)
    done = subprocess.run(
        ["nmap", "-Pn", "-n", "-sT", "-p", str(port), "--script", "+smtp-open-relay",
         "--script-args", "smtp-open-relay.ip=127.0.0.1,smtp-open-relay.domain=relay.example,"
         "smtp-open-relay.to=victim@dest.example", host],
        capture_output=True, text=True, check=False, timeout=300 * PATIENCE)
    assert "smtp-open-relay" in done.stdout, done.stdout
    assert re.search("isn't an open relay|all tests failed", done.stdout), done.stdout
    assert not relay.log.all("queued")
