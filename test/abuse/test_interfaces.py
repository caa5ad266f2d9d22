"""Doors beside SMTP that exist today: DNS answers that are forged, SQL in names, the health port."""
import http.client
import re
import socket
import threading

import dns.flags
import dns.message
import dns.rrset
import pytest

from appliance import PATIENCE, TOP
from messages import PLAIN

SENDER = "news@shop.example"


class ForgingServer:
    """Answers each question once as it should be, but behind a volley of answers that say otherwise:
    with other ids, about other names, and from other ports."""

    def __init__(self, true_address, forged_address):
        self.true_address, self.forged_address = true_address, forged_address
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.other.bind(("127.0.0.1", 0))
        self.ids, self.ports = set(), set()
        threading.Thread(target=self.serve, daemon=True).start()

    def answer(self, query, address, name=None):
        reply = dns.message.make_response(query, recursion_available=True)
        question = query.question[0]
        kind = {1: ("A", address), 15: ("MX", "10 mx.target.example.")}.get(question.rdtype)
        if kind and "target" in str(question.name):
            reply.answer.append(dns.rrset.from_text(name or question.name, 300, "IN", *kind))
        return reply

    def serve(self):
        while True:
            try:
                octets, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            query = dns.message.from_wire(octets)
            self.ids.add(query.id)
            self.ports.add(peer[1])
            forged = self.answer(query, self.forged_address)
            self.other.sendto(forged.to_wire(), peer)  # the right id from a wrong port
            for step in range(1, 40):
                forged.id = (query.id + step) % 65536
                self.socket.sendto(forged.to_wire(), peer)
            self.socket.sendto(self.answer(query, self.true_address).to_wire(), peer)

    def stop(self):
        self.socket.close()
        self.other.close()


@pytest.mark.sanitized
def test_forged_answers_of_dns_lead_nowhere(world):
    true = world.sink(listen="127.0.0.81:0")
    forged = world.sink(listen=f"127.0.0.82:{true.port}")
    server = world.own(ForgingServer("127.0.0.81", "127.0.0.82"))
    relay = world.appliance(
        f'resolver {{ forward = {{ "127.0.0.1:{server.port}" }} }}\n'
        f'delivery {{ port = {true.port}  allow_mx = {{ "127.0.0.0/8" }}  retry = {{ "1s" }} }}\n')
    login = relay.add_user(SENDER)
    for n in range(5):
        relay.wait_delivered(relay.send(login, SENDER, f"ann@t{n}.target.example", PLAIN), timeout=60)
    assert len(true.messages()) == 5 and not forged.messages()
    assert len(server.ids) > 5 and len(server.ports) > 5  # neither can be guessed


# ---- SQL

HOSTILE_NAMES = ["x'; DROP TABLE users; --@shop.example", "\"; DELETE FROM users; --@shop.example",
                 "a' OR '1'='1@shop.example", "%@shop.example", "_@shop.example", "x'||(SELECT 1)||'@shop.example"]


def test_names_that_are_sql_are_names(world):
    relay = world.relay_to(world.sink())
    relay.add_user(SENDER)
    for name in HOSTILE_NAMES:
        for words in (("user", "add", name, "--generate"), ("user", "show", name), ("user", "delete", name),
                      ("domain", "add", name), ("domain", "delete", name), ("network", "delete", name),
                      ("queue", "list", "--dest", name), ("queue", "delete", name),
                      ("destination", "resume", name)):
            assert relay.command(*words).returncode >= 0, words
        assert [u for u in relay.json("user", "list") if SENDER in str(u)], name
    relay.restart()
    assert [u for u in relay.json("user", "list") if SENDER in str(u)]


def test_no_statement_is_built_of_text():
    """Statements are named in queries_*.sql; nothing prints into one, and one file prepares them."""
    sources = [p for folder in ("relay", "signer", "policy", "webui", "sql") for p in (TOP / folder).rglob("*.[ch]")]
    assert len(sources) > 100
    for path in sources:
        text = path.read_text(encoding="utf-8")
        built = re.findall(r'"(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|CREATE|ATTACH)\b[^"\n]*%[^"\n]*"', text)
        assert not built, (path, built)
        if path.name != "db.c":
            assert not re.search(r"\bsqlite3_(prepare|exec|mprintf)", text), path


# ---- the health port

def test_the_health_port_is_open_while_others_hang_on_it(world):
    relay = world.appliance('panel { address = "127.0.0.1:0" }\n')
    host, port = relay.address("panel")
    silent = [socket.create_connection((host, port), 60 * PATIENCE) for _ in range(100)]
    for one in silent[::2]:
        one.sendall(b"POST /api/v1/users HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{")
    for path, status in (("/healthz", 200), ("/readyz", 200), ("/../etc/passwd", None), ("/%2e%2e/x", None),
                         ("/healthz/..", None), ("/healthz\0", None)):
        connection = http.client.HTTPConnection(host, port, timeout=60 * PATIENCE)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
        except (http.client.HTTPException, OSError, ValueError):
            assert status is None
            continue
        content = answer.read()
        assert answer.status == status if status else answer.status in (400, 401, 404), (path, answer.status)
        assert b"root:" not in content
    for one in silent:
        one.close()
