"""Closes sockets whose session has ended: logout, expiry, another password, an account switched off; or the server."""

from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone

from agentsite.close_codes import COME_BACK, SIGN_IN_AGAIN
from chat.access import session_user
from chat.db import read_soon


@dataclass(slots=True, eq=False)
class OpenSocket:
    """A socket that was let in: by which session, as which user, and how to close it with a code.

    `basis` is what its right rests on, as it was found the last time: while that stays, nothing is worked out anew.
    """

    session_key: str
    user: int
    close: Callable[[int], Awaitable[None]]
    basis: object = None


open_sockets: set[OpenSocket] = set()


async def close_ended_sessions() -> None:
    """Look once at the session of every open socket, and close those that may not be open any more."""
    if sockets := tuple(open_sockets):
        for socket in await read_soon(_ended, sockets):
            await _close(socket, SIGN_IN_AGAIN)


async def close_all() -> None:
    """Close every open socket because this process ends; its page comes back to the next one."""
    for socket in tuple(open_sockets):
        await _close(socket, COME_BACK)


async def _close(socket: OpenSocket, code: int) -> None:
    open_sockets.discard(socket)
    with suppress(Exception):  # it is gone already; the others must be closed all the same
        await socket.close(code)


def _ended(sockets: Collection[OpenSocket]) -> list[OpenSocket]:
    """Two queries for all of them; a signature is checked only where a session or an account has changed."""
    keys, users = {socket.session_key for socket in sockets}, {socket.user for socket in sockets}
    sessions = Session.objects.filter(pk__in=keys, expire_date__gt=timezone.now())
    data = dict(sessions.values_list("session_key", "session_data"))
    accounts = {pk: rest for pk, *rest in User.objects.filter(pk__in=users).values_list("pk", "password", "is_active")}
    ended = []
    for socket in sockets:
        basis = (data.get(socket.session_key), accounts.get(socket.user))
        if basis != socket.basis:
            user = session_user(socket.session_key)
            if user is None or user.pk != socket.user:
                ended.append(socket)
            socket.basis = basis
    return ended
