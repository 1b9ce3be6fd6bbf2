"""A person's conversations as the navigation lists them: found by words, grouped by day."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.utils import timezone

from chat.models import Conversation

LISTED = 200


def listed(user: User, query: str = "") -> QuerySet[Conversation]:
    """Return the newest conversations; with a query those whose title or messages hold it, archived ones too."""
    found = Conversation.objects.filter(owner=user).order_by("-pinned", "-updated")
    if query:
        words = Q(title__icontains=query) | Q(messages__text__icontains=query)
        return found.filter(words).distinct()[:LISTED]
    return found.filter(archived=False)[:LISTED]


def grouped(conversations: Iterable[Conversation]) -> list[tuple[str, list[Conversation]]]:
    """Return headings, each with its conversations, in the order given."""
    today = timezone.localdate()
    groups: dict[str, list[Conversation]] = {}
    for conversation in conversations:
        heading = "Pinned" if conversation.pinned else _heading(timezone.localdate(conversation.updated), today)
        groups.setdefault(heading, []).append(conversation)
    return list(groups.items())


def _heading(day: date, today: date) -> str:
    if day >= today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    return "Previous 7 days" if day > today - timedelta(days=7) else "Older"
