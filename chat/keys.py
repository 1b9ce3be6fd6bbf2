"""Seals an endpoint's key for the database, so that it can be read with our SECRET_KEY and for its base URL only."""

import json
from base64 import urlsafe_b64encode
from functools import cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from agentsite.logs import hide

PURPOSE = b"agentsite: keys of endpoints"  # what else follows from SECRET_KEY follows from another one


class KeyLost(Exception):
    """A sealed key cannot be read: it was saved for another base URL, or under another SECRET_KEY."""


def seal(key: str, base_url: str) -> str:
    """Return the key, encrypted together with the only base URL that it may be sent to."""
    hide(key)
    return _fernet(settings.SECRET_KEY).encrypt(json.dumps([base_url, key]).encode()).decode()


def unseal(sealed: str, base_url: str) -> str:
    """Return a sealed key, which from then on stands in no log line. Raises KeyLost."""
    try:
        bound_to, key = json.loads(_fernet(settings.SECRET_KEY).decrypt(sealed))
    except (InvalidToken, ValueError, TypeError):
        raise KeyLost("The key was saved under another SECRET_KEY.") from None
    if bound_to != base_url:
        raise KeyLost("The key was saved for another base URL.")
    hide(key)
    return str(key)


@cache
def _fernet(secret: str) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=PURPOSE).derive(secret.encode())
    return Fernet(urlsafe_b64encode(derived))
