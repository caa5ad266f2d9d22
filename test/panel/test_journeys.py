"""What people do in the panel, in English and in Italian, with the real service and real mail."""
import pytest

from appliance import PATIENCE
from messages import text
from services import new_service, panel_url

pytestmark = pytest.mark.timeout(300)
LANGUAGES = ("en", "it")


def setup_code(service):
    return service.log.wait("setup_code")["code"]


@pytest.fixture(scope="module")
def place(module_world, driver):
    """A service set up by the wizard; everything deferred."""
    service = new_service(module_world, {"RCPT": "450 4.2.1 <script>hit=1</script> come back"})
    service.panel = panel_url(service)
    found = driver.journey("wizard", service.panel, "en", code=setup_code(service))
    service.owner, service.login, service.records = found["owner"], found["user"], found["records"]
    service.passwords += [found["owner"][1], found["user"][1]]
    return service


def test_wizard(place):
    assert place.records == 2
    with place.client(place.login) as client:
        assert client.noop()[0] == 250


def test_wizard_in_italian(world, driver):
    service = new_service(world)
    assert driver.journey("wizard", panel_url(service), "it", code=setup_code(service))["records"] == 2


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ("user", "domain"))
def test_senders(place, driver, name, language):
    driver.journey(name, place.panel, language, owner=place.owner)


def test_network(place, driver):
    driver.journey("network", place.panel, "it", owner=place.owner)


def test_viewer_sees_no_orders(place, driver):
    driver.journey("admin", place.panel, "en", owner=place.owner)


@pytest.mark.parametrize("language", LANGUAGES)
def test_token_is_refused_outside_its_scope(place, driver, language):
    assert driver.journey("token", place.panel, language, owner=place.owner) == {
        "read": 200, "other": 403, "write": 403, "admins": 403, "revoked": 401}


def test_second_factor(place, driver):
    assert driver.journey("secondFactor", place.panel, "it", owner=place.owner)["n_codes"] >= 8


def test_audit_has_changes_and_no_secrets(place, driver):
    said = driver.journey("audit", place.panel, "en", owner=place.owner)["text"]
    assert "anna" in said and "shop.example" in said
    assert not any(password in said for password in place.passwords)


@pytest.mark.parametrize("language", LANGUAGES)
def test_self_service(place, driver, language):
    name, password = place.add_user(f"self-{language}@shop.example")
    fresh = "another long and quiet password"
    app = driver.journey("selfService", place.panel, language, user=[name, password], fresh=fresh)["app"]
    for good in (fresh, app):
        with place.client((name, good)) as client:
            assert client.noop()[0] == 250
    place.passwords += [fresh, app]


def test_first_connection_is_seen_live(place, driver):
    user = list(place.add_user("first@shop.example"))
    host, port = place.address("submission")
    driver.journey("firstConnection", place.panel, "it", owner=place.owner, user=user,
                   smtp={"host": host, "port": port})


def test_destination_is_suspended_and_resumed(place, driver):
    message = place.send(place.login, place.login[0], "bob@stop.example", text())
    place.log.wait("deferred", msg=message, timeout=30 * PATIENCE)
    driver.journey("destination", place.panel, "it", owner=place.owner, site=place.next_hop)


@pytest.mark.parametrize("language", LANGUAGES)
def test_deleted_in_bulk_and_taken_back(place, driver, language):
    messages = [place.send(place.login, place.login[0], f"{n}@bulk-{language}.example", text())
                for n in range(3)]
    for message in messages:
        place.log.wait("deferred", msg=message, timeout=30 * PATIENCE)
    driver.journey("bulkDelete", place.panel, language, owner=place.owner, n=3,
                   filter=f"to:bulk-{language}.example")
    assert {row["id"] for row in place.queue()} >= set(messages)


def test_what_came_by_mail_is_text(place, driver):
    evil = "<img src=x onerror=hit=1>"
    message = place.send(place.login, place.login[0], '"<script>hit=1</script>"@dest.example',
                         text(subject=evil))
    place.log.wait("deferred", msg=message, timeout=30 * PATIENCE)
    driver.journey("hostile", place.panel, "en", who=place.owner,
                   pages=[[path, "<script>hit=1</script>"] for path in ("queue", f"messages/{message}", "logs")])


def test_guesses_are_slowed_and_told_alike(world, driver):
    service = new_service(world)
    driver.journey("wizard", panel_url(service), "en", code=setup_code(service))
    found = driver.journey("guesses", panel_url(service), "it")
    assert len(found["texts"]) == 1 and found["tries"] < 30 and found["counted"]
