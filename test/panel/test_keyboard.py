"""The five journeys that everybody makes, by somebody who has no mouse: reached by Tab and arrows, the
focus always seen and never lost (lib/keyboard.mjs)."""
import pytest

from appliance import PATIENCE
from messages import text
from services import new_service, owned, panel_url

pytestmark = [pytest.mark.timeout(300), pytest.mark.long]
LANGUAGES = ("en", "it")


@pytest.fixture(scope="module")
def home(module_world):
    return owned(new_service(module_world, {"RCPT": "450 4.2.1 come back"}))


@pytest.mark.parametrize("language", LANGUAGES)
def test_wizard(world, driver, language):
    service = new_service(world)
    code = service.log.wait("setup_code")["code"]
    found = driver.journey("wizard", panel_url(service), language, keyboard=True, code=code)
    with service.client(found["user"]) as client:
        assert client.noop()[0] == 250


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ("user", "domain"))
def test_senders(home, driver, name, language):
    driver.journey(name, home.panel, language, keyboard=True, owner=home.owner)


@pytest.mark.parametrize("language", LANGUAGES)
def test_destination_is_suspended_and_resumed(home, driver, language):
    message = home.send(home.login, home.login[0], f"bob@stop-{language}.example", text())
    home.log.wait("deferred", msg=message, timeout=30 * PATIENCE)
    driver.journey("destination", home.panel, language, keyboard=True, owner=home.owner, site=home.next_hop)


@pytest.mark.parametrize("language", LANGUAGES)
def test_deleted_in_bulk_and_taken_back(home, driver, language):
    messages = [home.send(home.login, home.login[0], f"{n}@bulk-{language}.example", text()) for n in range(3)]
    for message in messages:
        home.log.wait("deferred", msg=message, timeout=30 * PATIENCE)
    driver.journey("bulkDelete", home.panel, language, keyboard=True, owner=home.owner, n=3,
                   filter=f"to:bulk-{language}.example")
    assert {row["id"] for row in home.queue()} >= set(messages)
