"""What strangers wrote is text in every list, page and file of the panel: nothing of it ever runs."""
import csv
import io

import pytest

from appliance import PATIENCE
from messages import text
from panel import PASSWORD, Panel
from services import new_service, owned

pytestmark = [pytest.mark.timeout(600), pytest.mark.long]
EVIL = "<img src=x onerror=hit=1>"
SCRIPT = "<script>hit=1</script>"
FORMULAS = ("=cmd", "+1", "-1", "@sum")


class Stranger(Panel):
    """A browser that calls itself what it likes."""

    def ask(self, method, path, body=None, headers=None):
        return super().ask(method, path, body, {"User-Agent": EVIL, **(headers or {})})


def sign_in(service, user, password):
    panel = Stranger(service.address("panel"), patience=PATIENCE)
    assert panel.sign_in(user, password).status == 200
    return panel


@pytest.fixture(scope="module")
def home(module_world):
    """Hostile words wherever somebody else may write them."""
    service = owned(new_service(module_world, {"RCPT": f"450 4.2.1 {SCRIPT} come back"}))
    owner = sign_in(service, "owner", PASSWORD)
    assert owner.post("/tokens", {"name": EVIL, "scopes": ["stats:read"]}).status == 201
    # Senders that begin a formula are addresses all the same.
    senders = ["shop.example", *(f"{word}@shop.example" for word in FORMULAS[:3])]
    assert owner.post(f"/users/{service.login[0]}:options", {"senders": senders}).status < 300
    sender = sign_in(service, *service.login)
    assert sender.post("/me/app-passwords", {"label": EVIL}).status == 201
    service.cli("destination", "suspend", "elsewhere.example", "--reason", EVIL, "--for", "1h")
    message = f"X-Staffetta-Campaign: {EVIL}\n" + text(subject=SCRIPT)
    service.messages = [service.send(service.login, "=cmd@shop.example", f'"{SCRIPT}"@dest.example', message)]
    for word in FORMULAS[:3]:
        service.messages.append(service.send(service.login, f"{word}@shop.example", f"{word}@dest.example", message))
    for one in service.messages:
        service.log.wait("deferred", msg=one, timeout=30 * PATIENCE)
    with service.client() as client:
        client.docmd("HELO", EVIL)
        client.docmd("MAIL", f"FROM:<{EVIL}>")
    return service


@pytest.mark.parametrize("language", ("en", "it"))
def test_every_page_of_an_administrator(home, driver, language):
    message, user = home.messages[0], home.login[0]
    driver.journey("hostile", home.panel, language, who=home.owner, pages=[
        ["queue", SCRIPT], ["queue?filter=reply:script", SCRIPT], [f"messages/{message}", SCRIPT], ["deliveries", SCRIPT],
        ["logs", SCRIPT], ["destinations", home.next_hop], [f"queue?filter={EVIL}", EVIL], [f"logs?text={EVIL}", "Staffetta"],
        ["users", user], [f"users/{user}", user], [f"graphs?by=user&name={EVIL}", "Staffetta"],
        ["access?part=tokens", EVIL], ["access?part=sessions", EVIL], ["audit", EVIL], [f"{EVIL}", "Staffetta"]])


@pytest.mark.parametrize("language", ("en", "it"))
def test_every_page_of_a_user(home, driver, language):
    driver.journey("hostile", home.panel, language, who=home.login, pages=[
        ["me", home.messages[0]], ["me/deliveries", SCRIPT], ["account", EVIL]])


def test_a_spreadsheet_gets_text(home):
    for panel, path in ((home.api, "/deliveries.csv"), (home.api, "/stats.csv?metric=delivered&range=24h")):
        answer = panel.get(path)
        assert answer.status == 200 and answer.headers["X-Content-Type-Options"] == "nosniff"
        rows = list(csv.reader(io.StringIO(answer.content.decode())))
        assert len(rows) > 1 and len({len(row) for row in rows}) == 1
        cells = [cell for row in rows for cell in row]
        assert not [cell for cell in cells if cell[:1] in ("=", "+", "@", "\t", "\r")]
        assert path.startswith("/stats") or any(cell.startswith("'=cmd@") for cell in cells)
