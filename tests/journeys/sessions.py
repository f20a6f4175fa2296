"""A browser that is logged in by its cookie: without the time that the login page takes."""

from django.conf import settings
from django.test import Client
from playwright.sync_api import BrowserContext

from assignments.models import User


def log_in(context: BrowserContext, url: str, username: str) -> None:
    """Give a browser the session of a user; whoever was logged in there is not any more."""
    client, name = Client(), settings.SESSION_COOKIE_NAME
    client.force_login(User.objects.get(username=username))
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": url}])
