"""The panel over HTTPS: which certificate, which versions, and where plain HTTP is allowed."""
import http.client
import re
import shutil
import ssl

import pytest
from appliance import PATIENCE, wait_for
from cryptography import x509
from panel import PASSWORD, Panel, setup_code

SECURE = 'panel { address = "127.0.0.1:0"  tls = "always" }\n'


def anything():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def connection(relay, context=None):
    one = http.client.HTTPSConnection(*relay.address("panel"), timeout=60 * PATIENCE, context=context or anything())
    one.connect()
    return one


def serial(relay):
    one = connection(relay)
    found = x509.load_der_x509_certificate(one.sock.getpeercert(binary_form=True)).serial_number
    one.close()
    return found


def test_the_panel_has_our_certificate_and_a_host_cookie(world, certificate):
    relay = world.appliance(SECURE)
    assert serial(relay) == certificate.serial
    panel = Panel(relay.address("panel"), tls=relay.tls_context(), patience=PATIENCE)
    panel.tls.check_hostname = False  # the address of loopback is not in it
    answer = panel.post("/setup", {"code": setup_code(relay), "user": "owner", "password": PASSWORD})
    assert re.fullmatch("__Host-sid=[0-9a-f]{64}; Path=/; HttpOnly; SameSite=Strict; Secure", answer.headers["Set-Cookie"])
    assert panel.get("/session").body["user"] == "owner"
    host, port = relay.address("panel")
    assert panel.post("/session:preferences", {"theme": "dark"}, headers={"Origin": f"https://{host}:{port}"}).status == 200
    for origin in (f"http://{host}:{port}", f"https://{host}:1", f"https://{host}"):
        assert panel.post("/session:preferences", {"theme": "dark"}, headers={"Origin": origin}).code == "cross_site"
    assert Panel(relay.address("panel"), tls=anything()).get("/session", headers={"Cookie": panel.cookie[7:]}).status == 401


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_versions_and_weak_ciphers_are_not_spoken(world):
    relay = world.appliance(SECURE)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = anything()
        context.minimum_version = context.maximum_version = version
        assert "GCM" in connection(relay, context).sock.cipher()[0] or "CHACHA" in connection(relay, context).sock.cipher()[0]
    weak = anything()
    weak.set_ciphers("ALL:@SECLEVEL=0")
    weak.minimum_version, weak.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    cbc = anything()
    cbc.maximum_version = ssl.TLSVersion.TLSv1_2
    cbc.set_ciphers("ECDHE+AES+SHA256:AES128-SHA256:AES128-GCM-SHA256:!ECDHE-ECDSA-AES128-GCM-SHA256:!ECDHE+AESGCM")
    for context in (weak, cbc):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            connection(relay, context)


def test_a_reload_brings_a_new_certificate_and_breaks_no_connection(world, authority):
    own = authority.issue("relay.example", file_name="panel-own", days=25)
    relay = world.appliance(SECURE, certificate=own)
    panel = Panel(relay.address("panel"), tls=anything(), patience=PATIENCE)
    panel.post("/setup", {"code": setup_code(relay), "user": "owner", "password": PASSWORD})
    before = connection(relay)
    for n in range(9):  # more than there is room for while the first is open
        fresh = authority.issue("relay.example", file_name=f"panel-fresh-{n}", days=25)
        shutil.copy(fresh.certificate, own.certificate)
        shutil.copy(fresh.key, own.key)
        mark = relay.reload()
        relay.log.wait("reloaded", role="relay", after=mark)
        wait_for(lambda: serial(relay) == fresh.serial, "the new certificate", timeout=30 * PATIENCE)
        before.request("GET", "/healthz")  # the first connection of all still lives
        assert before.getresponse().read() == b'{"ok":true}'
        assert panel.get("/session").status == 200
    before.close()


def test_a_self_signed_certificate_is_made_once(world):
    relay = world.appliance(SECURE, certificate=None)
    relay.log.wait("self_signed")
    first = serial(relay)
    file = relay.folder / "data/db/self-signed.pem"
    assert file.stat().st_mode & 0o777 == 0o600
    relay.restart()
    assert serial(relay) == first
    relay.stop()
    file.write_text(file.read_text()[:200])
    relay.start()
    assert serial(relay) != first
    relay.stop()
    relay.hostname = "other.example"
    again = serial(relay.start())
    relay.restart()
    assert serial(relay) == again


def test_plain_http_is_for_loopback_alone(world):
    relay = world.appliance('panel { address = "192.0.2.1:8025"  tls = "none" }\n', start=False)
    relay.write_config()
    done = relay.command("config", "check", str(relay.config_file))
    assert done.returncode != 0 and "panel: without TLS only on an address of loopback" in done.stderr
    for panel in ('panel { address = "192.0.2.1:8025" }\n', 'panel { address = "[::1]:8025"  tls = "none" }\n'):
        relay.config = panel
        relay.write_config()
        assert relay.command("config", "check", str(relay.config_file)).returncode == 0


def test_who_does_not_speak_tls_harms_nobody(world):
    relay = world.appliance(SECURE)
    plain = http.client.HTTPConnection(*relay.address("panel"), timeout=60 * PATIENCE)
    with pytest.raises((http.client.HTTPException, OSError)):
        plain.request("GET", "/healthz")
        plain.getresponse()
    assert set_up_over(relay).get("/session").status == 200


def set_up_over(relay):
    panel = Panel(relay.address("panel"), tls=anything(), patience=PATIENCE)
    assert panel.post("/setup", {"code": setup_code(relay), "user": "owner", "password": PASSWORD}).status == 200
    return panel


