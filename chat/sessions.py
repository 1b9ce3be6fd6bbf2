"""Closes sockets whose session has ended: logout, expiry, another password, an account switched off."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from chat.access import session_user
from chat.db import read


@dataclass(frozen=True, slots=True, eq=False)
class OpenSocket:
    """A socket that was let in: by which session, as which user, and how to close it."""

    session_key: str
    user: int
    close: Callable[[], Awaitable[None]]


open_sockets: set[OpenSocket] = set()


async def close_ended_sessions() -> None:
    """Look once at the session of every open socket, and close those that may not be open any more."""
    sockets = tuple(open_sockets)
    if not sockets:
        return
    users = await read(_users, {socket.session_key for socket in sockets})
    for socket in sockets:
        if users[socket.session_key] != socket.user:
            await socket.close()


def _users(session_keys: Iterable[str]) -> dict[str, int | None]:
    found = {key: session_user(key) for key in session_keys}
    return {key: user.pk if user else None for key, user in found.items()}
