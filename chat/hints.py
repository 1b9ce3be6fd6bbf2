"""Tells viewers that there is something newer to read: here at once, in other processes through Redis.

A hint says which conversation, never what. It may be lost or doubled: `look` finds what a lost one would have told.
"""

import uuid

from django.conf import settings

from chat import rows
from chat.db import read_soon
from chat.watchers import Wake, Watchers

DELETED = -1

_watchers = Watchers()
_looked: dict[uuid.UUID, int] = {}


def watch(conversation: uuid.UUID, wake: Wake) -> None:
    """From here on `wake` is called when something of a conversation was stored, in any process."""
    _watchers.add(conversation, wake)


def unwatch(conversation: uuid.UUID, wake: Wake) -> None:
    _watchers.remove(conversation, wake)
    if conversation not in _watchers:
        _looked.pop(conversation, None)


def tell(conversation: uuid.UUID) -> None:
    """Tell every viewer of a conversation, in any process. It waits for nothing."""
    tell_here(conversation)
    tell_others(conversation)


def tell_here(conversation: uuid.UUID) -> None:
    _watchers.wake(conversation)


def tell_others(conversation: uuid.UUID, stop: bool = False) -> None:
    """Tell the other processes, where there may be any; `stop`: somebody wants a run of the conversation to stop."""
    if settings.REDIS_URL:
        from chat.shared_hints import post  # its client comes with an extra

        post(conversation, stop)


async def look() -> None:
    """Wake the viewers of conversations that went on since the last look: a hint may have been lost."""
    if not _watchers:
        return
    asked = list(_watchers)
    revisions = await read_soon(rows.revisions, asked)
    for conversation in asked:
        revision = revisions.get(conversation, DELETED)
        if conversation in _watchers and _looked.get(conversation) != revision:
            _looked[conversation] = revision
            tell_here(conversation)
