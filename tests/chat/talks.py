"""Conversations made by the store alone: each message is answered at once, with its own text and a sign after it."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from django.contrib.auth.models import User

from chat import rows, store
from chat.agent.events import Ended
from chat.models import Conversation, Message, Run
from chat.store import Sent

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PROCESS = "here:1:x"


def talked(owner: User, *texts: str) -> UUID:
    """A conversation in which these messages are answered."""
    first, *rest = texts
    sent = store.start_conversation(owner.pk, first, str(uuid4()), "m", PROCESS, NOW)
    end(sent)
    for text in rest:
        end(say(sent.conversation, text))
    return sent.conversation


def say(conversation: UUID, text: str) -> Sent:
    owner = Conversation.objects.get(pk=conversation).owner_id
    return store.send(conversation, owner, text, str(uuid4()), "m", PROCESS, NOW)


def edit(conversation: UUID, message: int, text: str) -> Sent:
    owner = Conversation.objects.get(pk=conversation).owner_id
    return store.edit(conversation, owner, message, text, str(uuid4()), "m", PROCESS, NOW)


def regenerate(conversation: UUID, message: int, model: str = "m") -> Sent:
    return store.regenerate(conversation, message, model, PROCESS, NOW)


def go_on(conversation: UUID, message: int) -> Sent:
    return store.continue_run(conversation, message, "m", PROCESS, NOW)


def end(sent: Sent, text: str = "", status: str = "done", reason: str = "done") -> int:
    """End a run that is at work; return the id of its answer."""
    run = Run.objects.select_related("message").get(pk=sent.run)
    store.apply(run.pk, run.attempt, (Ended(NOW, status, reason, text or f"{run.message.text}!"),))
    return run.answer_id


def begin_next(conversation: UUID) -> Sent | None:
    """Begin what waits, as a process does."""
    taken = store.take_queued(conversation, PROCESS, NOW)
    run = Run.objects.get(pk=taken[0]) if taken else None
    return Sent(conversation, run.message_id, run.pk, run.attempt) if run else None


def shown(conversation: UUID) -> list[str]:
    """The texts that a page shows; an answer that is not there yet is "…"."""
    return [message.text or "…" for message, _ in rows.talk(conversation).messages]


def named(conversation: UUID, text: str) -> int:
    """The id of the message with this text."""
    return Message.objects.get(conversation=conversation, text=text).pk
