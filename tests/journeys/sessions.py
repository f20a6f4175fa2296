"""Log a browser in by session cookie, which is faster than the login page."""

from django.conf import settings
from django.test import Client
from playwright.sync_api import BrowserContext

from assignments.models import User


def log_in(context: BrowserContext, url: str, username: str) -> None:
    """Give a browser the session of a user, in place of any other."""
    client, name = Client(), settings.SESSION_COOKIE_NAME
    client.force_login(User.objects.get(username=username))
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": url}])
