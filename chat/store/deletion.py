"""Deletes conversations and accounts with all that they hold, also while runs are at work there, in any process."""

import uuid
from collections.abc import Collection
from datetime import datetime

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model, QuerySet

from chat.models import BUSY, IS_LIVE, Conversation, Fact, Message, Payload, Run, Step
from chat.store.allowed import keep_spent

# From the inside out, each in one statement however much there is: Django's own way would load and list every row.
HELD: tuple[tuple[type[Model], str], ...] = (
    (Payload, "step__run__conversation__in"),
    (Step, "run__conversation__in"),
    (Run, "conversation__in"),
    (Message, "conversation__in"),
    (Conversation, "pk__in"),
)


def delete_conversations(conversations: Collection[uuid.UUID], at: datetime) -> list[uuid.UUID]:
    """Delete conversations with their messages, runs and steps; what they used still counts. Return which there were.

    Whoever works on a run there is refused its next write, as if it had lost its lease.
    """
    named = Conversation.objects.filter(pk__in=conversations)
    found = _lock(named)
    keep_spent(found, at)
    _delete(named)
    return found


def delete_accounts(users: Collection[int]) -> list[uuid.UUID]:
    """Delete people with all that is theirs; return their conversations."""
    theirs = Conversation.objects.filter(owner__in=users)
    _lock(theirs)
    people = User.objects.filter(pk__in=users)
    list(people.select_for_update().order_by("pk").values_list("pk"))  # from here on they begin no more
    found = list(theirs.values_list("pk", flat=True))
    _delete(theirs)
    people.delete()
    return found


def _lock(conversations: QuerySet[Conversation]) -> list[uuid.UUID]:
    """Wait until nobody writes in conversations, and let nobody write there before this is committed; return them.

    In the order in which a run's own writes take the locks: first the run, then its conversation.
    """
    busy = Run.objects.filter(IS_LIVE, status__in=BUSY, conversation__in=conversations)
    list(busy.select_for_update().order_by("pk").values_list("pk"))
    return list(conversations.select_for_update().order_by("pk").values_list("pk", flat=True))


def _delete(conversations: QuerySet[Conversation]) -> None:
    Fact.objects.filter(message__conversation__in=conversations).update(message=None)
    for model, path in HELD:
        model._base_manager.filter(**{path: conversations})._raw_delete(connection.alias)
