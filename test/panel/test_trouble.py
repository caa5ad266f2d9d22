"""What the panel bears: quotas, restarts, lists that change."""
import pytest

from appliance import PATIENCE
from messages import text
from services import home_address, new_service, owned

pytestmark = pytest.mark.timeout(300)
LATER = {"RCPT": "450 4.2.1 come back"}
ENGLISH_AND_LONG_ITALIAN = ("en", pytest.param("it", marks=pytest.mark.long))


@pytest.fixture(scope="module")
def home(module_world):
    """Everything is deferred; the panel keeps its address over restarts."""
    return owned(new_service(module_world, LATER, address=home_address()))


def send_deferred(service, *recipients):
    for recipient in recipients:
        message = service.send(service.login, service.login[0], recipient, text())
        service.log.wait("deferred", msg=message, timeout=30 * PATIENCE)


@pytest.mark.parametrize("language", ENGLISH_AND_LONG_ITALIAN)
def test_over_a_quota_mail_is_held_until_it_is_released(world, driver, language):
    service = owned(new_service(world))
    driver.journey("limit", service.panel, language, owner=service.owner, user=service.login[0],
                   limit="messages_per_day", value="1")
    first, second = (service.send(service.login, service.login[0], f"{name}@dest.example", text())
                     for name in ("ann", "bob"))
    service.wait_delivered(first)
    service.log.wait("held", msg=second, timeout=30 * PATIENCE)
    driver.journey("overQuota", service.panel, language, user=service.login, used="1")
    driver.journey("release", service.panel, language, owner=service.owner, message=second, to="bob@dest.example")
    service.wait_delivered(second)
    mailboxes = [mailbox for taken in service.receiver.taken for mailbox in taken.recipients]
    assert {"ann@dest.example", "bob@dest.example"} <= set(mailboxes)  # beside a letter of warning to the user


@pytest.mark.parametrize("language", ENGLISH_AND_LONG_ITALIAN)
def test_the_service_restarts_under_the_reader(home, driver, language):
    there, fresh = f"there-{language}@dest.example", f"fresh-{language}@dest.example"
    send_deferred(home, there)
    driver.journey("reads", home.panel, language, keep="reader", owner=home.owner, path="queue", seen=there,
                   stops=True)
    home.stop()
    try:
        driver.journey("serviceGone", home.panel, language, on="reader", keep="reader", seen=there)
    finally:
        home.start()
    send_deferred(home, fresh)
    driver.journey("serviceBack", home.panel, language, on="reader", fresh=fresh)


@pytest.mark.parametrize("language", ENGLISH_AND_LONG_ITALIAN)
def test_a_list_does_not_move_under_the_reader(home, driver, language):
    there, fresh = f"picked-{language}@dest.example", f"newer-{language}@dest.example"
    send_deferred(home, there)
    driver.journey("reads", home.panel, language, keep="reader", owner=home.owner, path="queue", seen=there)
    first = driver.journey("picks", home.panel, language, on="reader", keep="reader", text=there)["first"]
    send_deferred(home, fresh)
    driver.journey("listMoved", home.panel, language, on="reader", first=first, fresh=fresh)
