"""Message storage in a cookie with a name of its own for each installation."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class MessageCookie(CookieStorage):
    """Django's cookie storage with the cookie name from the settings."""

    cookie_name = settings.MESSAGE_COOKIE_NAME


class MessageStorage(FallbackStorage):
    """Django's fallback storage: messages that do not fit into the cookie go into the session."""

    storage_classes = (MessageCookie, SessionStorage)
