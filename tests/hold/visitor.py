"""A browser without a screen: keeps the cookies of one person, fills in the forms of pages, and posts them."""

from typing import Any
from urllib.parse import urljoin

from lxml import html
from requests import Response, Session

SECONDS = 60  # for an answer, also on a busy machine


class Visitor(Session):
    """A session with a site; URLs may begin with the path.

    Connections are kept open, as a browser keeps them. A connection that breaks raises
    `requests.ConnectionError`.
    """

    def __init__(self, base: str, cookies: dict[str, str] | None = None) -> None:
        super().__init__()
        self.trust_env = False  # no proxy of this machine
        self.base = base
        self.cookies.update(cookies or {})

    def request(self, method: str, url: str, **options: Any) -> Response:  # type: ignore[override]
        """Send a request; redirects are followed unless `allow_redirects=False`."""
        options.setdefault("timeout", SECONDS)
        return super().request(method, urljoin(self.base, url), **options)

    def log_in(self, username: str, password: str) -> Response:
        """Log in by the form of the login page."""
        return self.fill("/login/", "password", username=username, password=password)

    def fill(self, path: str, having: str, *, files: Any = None, follow: bool = True, **fields: Any) -> Response:
        """Open a page and post its form that has the field `having`, with these fields changed."""
        page = self.get(path)
        return self.post(path, form_values(page, having) | fields, files=files, allow_redirects=follow)

    def report(self, path: str, *, files: Any = None, **fields: Any) -> Response:
        """Post an update of an action by the form of its page; the answer is the first one, without a redirect."""
        return self.fill(path, "op_id", files=files, follow=False, **fields)


def form_values(page: Response, having: str) -> dict[str, str]:
    """Return the fields of the page's first form that has the field `having`, as a browser would post them.

    Raises:
        AssertionError: no form of the page has the field.
    """
    for form in html.fromstring(page.text).forms:
        if having in form.fields:
            return dict(form.form_values())
    raise AssertionError(f"{page.url} ({page.status_code}) has no form with {having}: {page.text[:500]}")
