"""Users and domains, by somebody who has no mouse: reached by Tab and arrows, the
focus always seen and never lost (lib/keyboard.mjs)."""
import pytest

from services import new_service, owned

pytestmark = [pytest.mark.timeout(900), pytest.mark.long]


@pytest.fixture(scope="module")
def home(module_world):
    return owned(new_service(module_world, {"RCPT": "450 4.2.1 come back"}))


@pytest.mark.parametrize("name", ("user", "domain"))
def test_senders(home, driver, name):
    driver.journey(name, home.panel, "en", keyboard=True, owner=home.owner)
