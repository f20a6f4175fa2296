"""Where messages wait for the next page: in a cookie whose name is this installation's own."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class MessageCookie(CookieStorage):
    """Django's own, under the name in the settings."""

    cookie_name = settings.MESSAGE_COOKIE_NAME


class MessageStorage(FallbackStorage):
    """Django's own, which keeps in the session what the cookie has no room for."""

    storage_classes = (MessageCookie, SessionStorage)
