"""Very many rows of a kind, made at once, for tests of what a page costs that shows their end."""

import zlib
from datetime import timedelta

from django.db.models import F

from chat.models import Conversation, Message, Payload, Role, Run, Step
from tests.chat.made import FROZEN, NOW

KINDS = (("model", "demo"), ("tool", "get_weather"))


def add_messages(conversation: Conversation, number: int, text: str = "") -> None:
    """So many messages in one line, half of them answers with a run of their own."""
    owner, about = conversation.owner, {"born": 1, "revision": 1, "created": NOW}
    made = Message.objects.bulk_create(
        Message(
            conversation=conversation, owner=owner, role=(Role.USER, Role.ASSISTANT)[n % 2],
            text=f"{text}Number {n}", **about,
        )
        for n in range(number)
    )  # fmt: skip
    # What is inserted at once has ids in a row.
    Message.objects.filter(conversation=conversation, pk__gt=made[0].pk).update(parent=F("pk") - 1)
    Run.objects.bulk_create(
        Run(
            conversation=conversation, message=asked, answer=said, status="done", stop_reason="done", model="demo",
            request=FROZEN, turns=1, revision=1, created=NOW, started=NOW, ended=NOW + timedelta(seconds=1),
        )
        for asked, said in zip(made[::2], made[1::2], strict=True)
    )  # fmt: skip
    Conversation.objects.filter(pk=conversation.pk).update(revision=1)


def add_steps(run: Run, number: int, said: str = "14 °C", thought: str = "I look it up.") -> None:
    """So many more steps of a run: a model's with its thought, a tool's with its result, and again."""
    first = run.steps.count() + 1
    Step.objects.bulk_create(_step(run, n, said, thought) for n in range(first, first + number))


def _step(run: Run, number: int, said: str, thought: str) -> Step:
    kind, name = KINDS[number % 2]
    began = NOW + timedelta(milliseconds=number)
    output = {"text": said} if kind == "tool" else {"thought": thought, "calls": [{"name": "x", "arguments": {}}]}
    return Step(
        run=run, number=number, kind=kind, name=name, status="done", started=began,
        ended=began + timedelta(milliseconds=1), input={"arguments": {"city": "London"}, "sha256": "x"}, output=output,
        born=number, revision=number,
    )  # fmt: skip


def add_large_result(run: Run, size: int) -> None:
    """One more step: a tool's whose whole result is so many characters."""
    add_steps(run, 1 + run.steps.count() % 2, "x" * 5_000)
    step = run.steps.filter(kind="tool").latest("number")
    whole = ("y" * 99 + "\n") * (size // 100)
    Payload.objects.create(step=step, body=zlib.compress(whole.encode()), created=NOW)
