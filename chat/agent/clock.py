"""What time it is, for all that is stored of a run. Pages and the admin ask Django's clock, which the engine cannot."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def now() -> datetime:
    return datetime.now(UTC)


def steady() -> Clock:
    """Return a clock that shows what the machine's does now, and from here on goes by itself, however that is set."""
    at, began = now(), time.monotonic()
    return lambda: at + timedelta(seconds=time.monotonic() - began)
