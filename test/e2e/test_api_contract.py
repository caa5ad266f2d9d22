"""webui/openapi.json against the service, in both directions."""
import json
import pathlib
import re
import urllib.request

from appliance import PATIENCE
from panel import PASSWORD, Panel, set_up

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROW = re.compile(r"\b(?:CONFIRMED_|QUIET_|ASKING_)?(GET|POST|DELETE)\(((?:API )?\"[^\"]+\"),\s*\w+,\s*(\w+),\s*(NULL|\"[^\"]*\")")


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
        assert "x-being-built" not in operation, key
        assert (operation["x-who"], operation["x-scope"]) == (who, scope), key
        assert operation.get("x-confirm", False) == needs_confirmation, key


def test_nothing_is_described_that_does_not_answer():
    assert set(operations()) == set(rows())


def test_the_description_is_served_to_anybody(world):
    relay = world.appliance('panel { address = "127.0.0.1:0" }\n')
    host, port = relay.address("panel")
    with urllib.request.urlopen(f"http://{host}:{port}/api/v1/openapi.json") as answer:
        assert json.load(answer) == json.loads((ROOT / "webui/openapi.json").read_text())


# ---- bodies

DOCUMENT = json.loads((ROOT / "webui/openapi.json").read_text())
TYPES = {"string": str, "boolean": bool, "integer": int, "number": (int, float), "object": dict, "array": list,
         "null": type(None)}


def faults(schema, value, where="body"):
    """What of value is not as schema says; of JSON Schema what our file uses."""
    if "$ref" in schema:
        return faults(DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], value, where)
    found = []
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))
                         for name in types):
        return [f"{where} is {value!r}, not {types}"]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where} is {value!r}, none of {schema['enum']}")
    if isinstance(value, dict):
        found += [f"{where} has no {name}" for name in schema.get("required", []) if name not in value]
        for name, member in value.items():
            known = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            if isinstance(known, dict):
                found += faults(known, member, f"{where}.{name}")
            elif "properties" in schema and known is None:
                found.append(f"{where}.{name} is not described")
    if isinstance(value, list):
        for n, item in enumerate(value):
            found += faults(schema.get("items", {}), item, f"{where}[{n}]")
    return found


def test_bodies_are_as_described(world):
    relay = world.appliance('panel { address = "127.0.0.1:0" }\n')
    owner = set_up(relay, patience=PATIENCE)
    assert owner.post("/users", {"name": "user@shop.example", "password": PASSWORD, "networks": ["192.0.2.0/24"]}).status == 201
    owner.post("/domains", {"name": "shop.example"})
    owner.post("/dkim", {"domain": "shop.example", "selector": "s", "type": "ed25519"})
    owner.post("/destinations/dest.example:suspend", {"reason": "to have one", "for_seconds": 600})
    owner.post("/tokens", {"name": "t", "scopes": ["queue:read"]})
    client = relay.client(login=("user@shop.example", PASSWORD))
    client.sendmail("user@shop.example", ["a@dest.example"], "From: user@shop.example\r\nSubject: x\r\n\r\nx\r\n")
    client.quit()
    user = Panel(relay.address("panel"), patience=PATIENCE)
    user.sign_in("user@shop.example")
    arguments = {"/users/{name}": "user@shop.example", "/domains/{name}": "shop.example", "/dkim/{domain}": "shop.example",
                 "/destinations/{name}/why": "dest.example", "/queue/{id}": relay.queue()[0]["id"],
                 "/messages/{id}/why": relay.queue()[0]["id"], "/messages/{id}": relay.queue()[0]["id"]}
    wrong, n_checked = {}, 0
    for path, methods in DOCUMENT["paths"].items():
        content = methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        short = path.removeprefix("/api/v1")
        if not schema or path in ("/api/v1/setup", "/api/v1/jobs/{id}", "/api/v1/queue/why"):
            continue
        asked = re.sub(r"{\w+}", lambda _, short=short: arguments[short], path)
        answer = (user if methods["get"]["x-who"] == "sender" else owner).get(asked)
        assert answer.status == 200, (path, answer.content)
        if faults(schema, answer.body):
            wrong[path] = faults(schema, answer.body)
        n_checked += 1
    assert wrong == {} and n_checked > 30
    problem = owner.get("/users/nobody@shop.example")
    assert problem.headers["Content-Type"] == "application/problem+json"
    assert faults(DOCUMENT["components"]["schemas"]["problem"], problem.body) == []
