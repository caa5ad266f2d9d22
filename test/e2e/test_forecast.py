"""`staffetta test shaping`: a forecast without a service, by the schedule itself in virtual time."""
import json
import subprocess

import pytest

from appliance import BINARY

pytestmark = pytest.mark.sanitized
USAGE, DATA_ERROR, NO_INPUT, CONFIG = 64, 65, 66, 78


def shaping(*words, status=0):
    done = subprocess.run([str(BINARY), *map(str, words)], capture_output=True, text=True,
                          timeout=300)
    assert done.returncode == status, done.stderr
    return done


def forecast(plan, *words):
    done = shaping("--json", "test", "shaping", "--plan", plan, *words)
    return {row["provider"]: row for row in map(json.loads, done.stdout.splitlines())}


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan"
    path.write_text("# my readers\n"
                    "gmail.com 3000\n"
                    "agency.example 100 aspmx.l.google.com   # by its mail host\n"
                    "hotmail.com 500 outlook\n"
                    "libero.it 400\n"
                    "\n"
                    "firm.example 50\n")
    return path


def test_a_list_is_sorted_by_provider_and_takes_what_its_limits_leave(plan):
    rows = forecast(plan)
    assert {name: row["recipients"] for name, row in rows.items()} == {
        "google": 3100, "outlook": 500, "italiaonline": 400, "others": 50}
    assert rows["google"]["domains"] == 2
    for row in rows.values():
        assert row["finished"] and row["seconds"] > 0
    # 2 a second for all of Italiaonline, of which bulk has 95 of 100.
    assert 400 / 1.9 <= rows["italiaonline"]["seconds"] <= 400 / 1.9 * 1.1
    text = shaping("test", "shaping", "--plan", plan).stdout
    assert "italiaonline" in text and "AT BEST" in text


def test_more_addresses_and_faster_answers_help_where_connections_bind(plan):
    slow, fast = forecast(plan, "--latency", 400), forecast(plan, "--latency", 100)
    assert fast["google"]["seconds"] < slow["google"]["seconds"] / 2


def test_the_operators_settings_and_table_hold(plan, tmp_path):
    table, settings = tmp_path / "providers.conf", tmp_path / "staffetta.conf"
    table.write_text("provider slowly\n    domain libero.it\n    rate 30/m\n")
    settings.write_text(f'hostname = "relay.example.com"\npolicy {{ providers = "{table}" }}\n')
    rows = forecast(plan, "--config", settings)
    assert set(rows) == {"others", "slowly"}
    assert rows["slowly"]["seconds"] >= 399 * 60 / 30
    settings.write_text('hostname = "relay.example.com"\nnonsense = 1\n')
    assert "nonsense" in shaping("test", "shaping", "--plan", plan, "--config", settings,
                                 status=CONFIG).stderr


@pytest.mark.parametrize("text, problem", [
    ("libero.it\n", ":1: wants DOMAIN"),
    ("a.example 5\nlibero.it many\n", ":2: the number"),
    ("libero.it -5\n", ":1: the number"),
    ("libero.it 5000001\n", ":1: the number"),
    ("# nothing\n", "no recipients"),
])
def test_a_plan_that_cannot_be_read_is_refused_with_its_line(tmp_path, text, problem):
    path = tmp_path / "plan"
    path.write_text(text)
    assert problem in shaping("test", "shaping", "--plan", path, status=DATA_ERROR).stderr


def test_what_it_wants_is_said(tmp_path, plan):
    shaping("test", "shaping", status=USAGE)
    shaping("test", "shaping", "--plan", plan, "--latency", "0", status=USAGE)
    shaping("test", "shaping", "--plan", tmp_path / "none", status=NO_INPUT)
