"""Who may read the metrics without an account: those who send METRICS_TOKEN."""

from django.conf import settings
from django.utils.crypto import constant_time_compare


def is_token(authorization: str) -> bool:
    """Say whether this header holds the token of those who watch."""
    scheme, _, token = authorization.partition(" ")
    known = settings.METRICS_TOKEN
    return bool(known) and scheme.lower() == "bearer" and constant_time_compare(token.strip(), known)
