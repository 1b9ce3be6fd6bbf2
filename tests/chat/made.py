"""Rows as a finished run leaves them, for tests of what only reads or edits them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.contrib.auth.models import User

from chat.models import Conversation, Message, Role, Run, Step

LIMITS = {"turns": 15, "tokens": 50_000, "cost": None, "seconds": 600}
FROZEN = {"system": "You are the agent.", "tools": [], "mode": "", "limits": LIMITS}
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def conversation_of(owner: User, title: str = "A trip") -> Conversation:
    return Conversation.objects.create(owner=owner, title=title, model="demo", created=NOW, updated=NOW)


def message_in(conversation: Conversation, text: str = "Remember that I live in Berlin") -> Message:
    """What its owner says after all that was said there."""
    return Message.objects.create(
        conversation=conversation, parent=conversation.messages.order_by("pk").last(), role=Role.USER, text=text,
        owner=conversation.owner, born=1, revision=1, created=NOW,
    )  # fmt: skip


def run_in(conversation: Conversation, question: str = "Warm?", answer: str = "Yes.", steps: int = 3) -> Run:
    """A run that is done, of a second for each step: memory, model, tool, and again."""
    Conversation.objects.filter(pk=conversation.pk).update(revision=1)
    asked = message_in(conversation, question)
    said = Message.objects.create(
        conversation=conversation, parent=asked, role=Role.ASSISTANT, text=answer, owner=conversation.owner,
        born=1, revision=1, created=NOW,
    )  # fmt: skip
    run = Run.objects.create(
        conversation=conversation, message=asked, answer=said, status="done", stop_reason="done", model="demo",
        request=FROZEN, turns=2, tools={"get_weather": 2},
        input_tokens=1200, output_tokens=34, cost=Decimal("0.0021"), revision=1, created=NOW, started=NOW,
        ended=NOW + timedelta(seconds=steps),
    )  # fmt: skip
    for number in range(1, steps + 1):
        step_of(run, number)
    return run


def step_of(run: Run, number: int, **values: object) -> Step:
    """A step; `values` replace what it is made with."""
    kind, name = (("memory", "memory"), ("model", "demo"), ("tool", "get_weather"))[(number - 1) % 3]
    began = NOW + timedelta(seconds=number - 1)
    known: dict[str, object] = {
        "kind": kind, "name": name, "status": "done", "started": began, "ended": began + timedelta(seconds=1),
        "input": {"arguments": {"city": "London"}}, "output": {"text": "14 °C"}, "born": 1, "revision": 1,
    }  # fmt: skip
    return Step.objects.create(run=run, number=number, **(known | values))
