"""The key that signs sessions and links, where the environment gives none: made once and kept in a file."""

import os
import secrets
from pathlib import Path

from agentsite.env import WrongEnvironment

LEAST_LENGTH = 50
LEAST_DIFFERENT_CHARACTERS = 5


def kept_in(path: Path) -> str:
    """The key in this file. Of several processes that start at once the first makes it; all read the same."""
    try:
        if not path.exists():
            _make(path)
        key = path.read_text("ascii").strip()
    except (OSError, UnicodeError):
        raise WrongEnvironment(f"The secret key in {str(path)!r} cannot be made or read.") from None
    if not key:
        raise WrongEnvironment(f"{str(path)!r} is empty. Delete it, and the next start makes a new key.")
    return key


def _make(path: Path) -> None:
    """Writes a key under a name of its own and links it to `path`, so that nobody ever reads half a file."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(50) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # Another process was first; its key is the one that counts.
    finally:
        draft.unlink()


def is_weak(key: str) -> bool:
    """Too short, too uniform or meant for development: the rule of Django's own deployment check."""
    too_plain = len(key) < LEAST_LENGTH or len(set(key)) < LEAST_DIFFERENT_CHARACTERS
    return too_plain or key.startswith("django-insecure-")
