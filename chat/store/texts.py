"""Stores the texts that stand for longer ones: a conversation's title, and the summary of its older turns."""

from datetime import datetime

from django.db.models import F

from chat import branches
from chat.models import Conversation, Message, Role, Run
from chat.store.counters import raise_conversation

TITLE_LENGTH, LONGEST_TITLE = 60, 100


def entitled(run: Run, title: str) -> None:
    """Give a conversation the title that a model made, unless somebody has renamed it since."""
    line = " ".join(title.strip().partition("\n")[0].strip("\"'“”«»*# ").split())[:LONGEST_TITLE]
    own = Conversation.objects.filter(pk=run.conversation_id, title=title_of(run.message.text))
    if line and own.update(title=line):
        raise_conversation(run.conversation_id)


def summarised(run: Run, text: str, at: datetime) -> None:
    """Write what stands for the older turns of a run's branch: a message on its answer, or the next version of that.

    What an earlier answer of the branch has stays as it is: other branches may go through it.
    """
    revision = raise_conversation(run.conversation_id)
    summary = Message.objects.filter(parent=run.answer_id, role=Role.SUMMARY)
    if not summary.update(text=text, version=F("version") + 1, revision=revision, created=at):
        Message.objects.create(
            conversation_id=run.conversation_id, parent_id=run.answer_id, role=Role.SUMMARY, text=text,
            version=branches.last_version(run.answer_id) + 1, owner_id=run.message.owner_id,
            born=revision, revision=revision, created=at,
        )  # fmt: skip


def title_of(text: str) -> str:
    """Return the first words of a message, as a title."""
    words = " ".join(text.split())
    if len(words) <= TITLE_LENGTH:
        return words
    return words[:TITLE_LENGTH].rsplit(" ", 1)[0].rstrip(",.;:") + "…"
