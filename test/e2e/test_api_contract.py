"""webui/openapi.json against the service, in both directions."""
import json
import pathlib
import re
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROW = re.compile(r"\b(?:CONFIRMED_|QUIET_)?(GET|POST|DELETE)\(((?:API )?\"[^\"]+\"),\s*\w+,\s*(\w+),\s*(NULL|\"[^\"]*\")")


def rows():
    """(method, path with {} for its argument): (who, scope, needs confirmation), of every table."""
    found = {}
    for source in sorted((ROOT / "webui").glob("routes_*.c")):
        text = source.read_text()
        for match in ROW.finditer(text[text.index("static const struct route "):]):
            method, path, who, scope = match.groups()
            path = path.replace("API ", "/api/v1").replace('"', "")
            found[method.lower(), path] = (who.lower(), None if scope == "NULL" else scope.strip('"'),
                                           match.group(0).startswith("CONFIRMED"))
    return found


def operations():
    document = json.loads((ROOT / "webui/openapi.json").read_text())
    return {(method, re.sub(r"{\w+}", "{}", path)): operation
            for path, methods in document["paths"].items() for method, operation in methods.items()}


def test_every_route_is_described_and_says_who_may():
    described = operations()
    assert len(rows()) > 40
    for key, (who, scope, needs_confirmation) in rows().items():
        assert key in described, f"{key} is missing in webui/openapi.json"
        operation = described[key]
        assert not operation.get("x-being-built"), f"{key} answers: it is no longer being built"
        assert (operation["x-who"], operation["x-scope"]) == (who, scope), key
        assert operation.get("x-confirm", False) == needs_confirmation, key


def test_nothing_is_described_that_does_not_answer():
    built = {key for key, operation in operations().items() if not operation.get("x-being-built")}
    assert built == set(rows())


def test_the_description_is_served_to_anybody(world):
    relay = world.appliance('panel { address = "127.0.0.1:0" }\n')
    host, port = relay.address("panel")
    with urllib.request.urlopen(f"http://{host}:{port}/api/v1/openapi.json") as answer:
        assert json.load(answer) == json.loads((ROOT / "webui/openapi.json").read_text())
