"""The API over TCP, as a browser or a program asks: cookies kept by hand, so that a test can lie."""
import base64
import hashlib
import hmac
import http.client
import json
import ssl
import struct
import time

API = "/api/v1"
PASSWORD = "four words and a horse"


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.content = response.status, response.headers, response.read()

    @property
    def body(self):
        return json.loads(self.content) if self.content else None

    @property
    def code(self):
        return self.body["code"]


class Panel:
    """One browser (or, with token, one program) at one service's panel."""

    def __init__(self, address, tls=None, token=None, patience=1):
        self.address, self.tls, self.token, self.timeout = address, tls, token, 60 * patience
        self.cookie = None

    def connection(self):
        if self.tls:
            return http.client.HTTPSConnection(*self.address, timeout=self.timeout, context=self.tls)
        return http.client.HTTPConnection(*self.address, timeout=self.timeout)

    def ask(self, method, path, body=None, headers=None):
        """path without /api/v1 when it begins with neither that nor a page; headers override ours (None: without)."""
        ours = {"X-Staffetta": "1"}
        if body is not None:
            ours["Content-Type"] = "application/json"
        if self.token:
            ours = {"Authorization": f"Bearer {self.token}"}
        if self.cookie:
            ours["Cookie"] = self.cookie
        ours.update(headers or {})
        connection = self.connection()
        text = json.dumps(body) if isinstance(body, dict) else body
        connection.request(method, path if path.startswith(("/api", "/healthz", "/readyz")) else API + path, text,
                           {name: value for name, value in ours.items() if value is not None})
        answer = Answer(connection.getresponse())
        connection.close()
        cookie = answer.headers.get("Set-Cookie")
        if cookie:
            pair = cookie.split(";")[0]
            self.cookie = None if "Max-Age=0" in cookie else pair
        return answer

    def get(self, path, **options):
        return self.ask("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.ask("POST", path, {} if body is None else body, **options)

    def delete(self, path, **options):
        return self.ask("DELETE", path, **options)

    def sign_in(self, user, password=PASSWORD, **more):
        return self.post("/session", {"user": user, "password": password, **more})


def setup_code(relay):
    return (relay.folder / "run/setup-code").read_text().strip()


def set_up(relay, user="owner", patience=1):
    """The first owner, signed in."""
    panel = Panel(relay.address("panel"), patience=patience)
    answer = panel.post("/setup", {"code": setup_code(relay), "user": user, "password": PASSWORD, "language": "en"})
    assert answer.status == 200, answer.content
    return panel


def totp(secret, at=None):
    """RFC 6238 in Python, so that our own is not its own witness."""
    step = int(at if at is not None else time.time()) // 30
    mac = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    place = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[place:place + 4])[0] & 0x7fffffff) % 1000000:06d}"
