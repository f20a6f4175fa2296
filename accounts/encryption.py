"""Encrypt the secrets of second factors in the database, with a key made from `SECRET_KEY`."""

import logging
from base64 import urlsafe_b64encode

from allauth.mfa.totp.internal.auth import generate_totp_secret
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.utils.crypto import salted_hmac

BEGINNING = "gAAAA"  # of every Fernet token, and of no secret: those are base32 or hexadecimal

logger = logging.getLogger(__name__)


def encrypt(text: str) -> str:
    """Return a secret as the database keeps it."""
    return _cipher().encrypt(text.encode()).decode()


def decrypt(text: str) -> str:
    """Return a secret; one that was stored before they were encrypted is returned as it is.

    Under another `SECRET_KEY` it cannot be read. A random one takes its place, to which no code fits.
    """
    if not text.startswith(BEGINNING):
        return text
    try:
        return _cipher().decrypt(text).decode()
    except InvalidToken:
        logger.error("A second factor was stored under another SECRET_KEY; an administrator has to reset it.")
        return generate_totp_secret()


def _cipher() -> Fernet:
    key = salted_hmac("accounts.encryption", "", secret=settings.SECRET_KEY, algorithm="sha256").digest()
    return Fernet(urlsafe_b64encode(key))
