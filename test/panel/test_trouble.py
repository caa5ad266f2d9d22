"""What the panel bears: quotas, restarts, lists that change, an old password, full disks, a busy database."""
import sqlite3

import pytest

from appliance import PATIENCE
from messages import text
from services import home_address, new_service, owned
from small_disk import SmallDisk

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
    driver.journey("reads", home.panel, language, keep="reader", owner=home.owner, path="queue", seen=there)
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


@pytest.mark.long
@pytest.mark.parametrize("language", ("en", "it"))
def test_an_old_password_is_asked_for_above_the_order(home, driver, language):
    addresses = [f"{n}@old-{language}.example" for n in range(2)]
    send_deferred(home, *addresses)
    driver.journey("reads", home.panel, language, keep="owner", owner=home.owner, path="queue", seen=addresses[0])
    home.stop()
    with sqlite3.connect(home.folder / "data/db/staffetta.db") as database:
        assert database.execute("UPDATE panel_sessions SET confirmed = 1").rowcount
    home.start()
    driver.journey("confirmOverOrder", home.panel, language, on="owner", owner=home.owner,
                   filter=f"to:old-{language}.example", n=2, reason="two too many")
    assert {r["address"] for row in home.queue() for r in row["recipients"]} >= set(addresses)


@pytest.mark.long
@pytest.mark.parametrize("language", ("en", "it"))
def test_a_suspension_ends_by_itself(home, driver, language):
    send_deferred(home, f"ann@ends-{language}.example")
    driver.journey("reads", home.panel, language, keep="reader", owner=home.owner, path="destinations", seen=home.next_hop)
    reason = f"for a moment, {language}"
    home.cli("destination", "suspend", home.next_hop, "--reason", reason, "--for", "20s")
    driver.journey("isSuspended", home.panel, language, on="reader", keep="reader", site=home.next_hop, reason=reason)
    driver.journey("flowsAgain", home.panel, language, on="reader", site=home.next_hop, reason=reason)


def lock(service):
    """Another program writes for long: sqlite3 by hand, a backup."""
    database = sqlite3.connect(service.folder / "data/db/staffetta.db", isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    return database


@pytest.mark.long
@pytest.mark.parametrize("language", ("en", "it"))
def test_the_database_is_busy(home, driver, language):
    user = f"busy-{language}@shop.example"
    driver.journey("reads", home.panel, language, keep="owner", owner=home.owner, path="users", seen=home.login[0])
    database = lock(home)
    driver.journey("changeRefused", home.panel, language, on="owner", keep="owner", user=user, code="busy")
    database.execute("ROLLBACK")
    database.close()
    driver.journey("changeTakenThen", home.panel, language, on="owner", user=user)


@pytest.mark.long
@pytest.mark.parametrize("language", ("en", "it"))
def test_the_disk_is_full(world, driver, language):
    service = new_service(world, start=False, config='spool { segment_size = "1MB"  keep_free = "20MB" }\n'
                          'delivery { retry = { "1s" } }\nlimits { message_size = "5MB" }\n')
    disk = SmallDisk(service.folder / "image", service.folder / "spool")
    world.ends.insert(0, disk.stop)
    owned(service.start())
    driver.journey("reads", service.panel, language, keep="reader", owner=service.owner, path="", seen="Staffetta")
    disk.fill()
    driver.journey("fullDisk", service.panel, language, on="reader", keep="reader", cause="cause.disk_full")
    disk.clear()
    driver.journey("diskHasRoom", service.panel, language, on="reader", cause="cause.disk_full")
