"""A browser for measuring: one kept connection, cookies, compression."""

import gzip
import re
from dataclasses import dataclass
from http.client import HTTPConnection
from time import perf_counter
from urllib.parse import urlencode

HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
TIMEOUT = 120


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer of a server, with the seconds it took and the bytes of its body on the wire."""

    path: str
    status: int
    body: bytes
    seconds: float
    sent: int

    @property
    def hidden_fields(self) -> dict[str, str]:
        """The hidden fields of its forms."""
        return dict(HIDDEN.findall(self.body.decode()))


class Visitor:
    """A user at one server."""

    def __init__(self, port: int, cookies: dict[str, str] | None = None) -> None:
        self.port, self.cookies = port, cookies or {}
        self.connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)

    def get(self, path: str) -> Answer:
        """Open a page."""
        return self._ask("GET", path, None)

    def post(self, path: str, data: dict[str, object]) -> Answer:
        """Send a form; a redirect is not followed."""
        return self._ask("POST", path, urlencode(data))

    def log_in(self, name: str, password: str) -> None:
        """Log in by the form of the site."""
        fields = self.get("/login/").hidden_fields
        answer = self.post("/login/", fields | {"username": name, "password": password})
        if answer.status != 302:
            raise SystemExit(f"{name} could not log in: {answer.status}")

    def _ask(self, method: str, path: str, body: str | None) -> Answer:
        headers = {
            "Accept-Encoding": "gzip",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Content-Type": "application/x-www-form-urlencoded",
            "Referer": f"http://127.0.0.1:{self.port}/",
        }
        start = perf_counter()
        try:
            self.connection.request(method, path, body, headers)
            response = self.connection.getresponse()
        except ConnectionError:  # the server closed a connection that was idle
            self.connection.close()
            start = perf_counter()
            self.connection.request(method, path, body, headers)
            response = self.connection.getresponse()
        data = response.read()
        seconds = perf_counter() - start
        for line in response.headers.get_all("Set-Cookie", ()):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        is_packed = response.headers.get("Content-Encoding") == "gzip"
        return Answer(
            path=path, status=response.status, body=gzip.decompress(data) if is_packed else data, seconds=seconds,
            sent=len(data),
        )  # fmt: skip
