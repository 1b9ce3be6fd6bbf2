"""Reads what pages and viewers show. A counter and the rows changed since are read in one statement, so that no
change falls between them."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import Case, Exists, Model, OuterRef, When

from chat.agent.react import thought
from chat.models import LIVE, Conversation, Message, Run, RunStatus, Step, StepKind, StepStatus

SHOWN_MESSAGES = 100
SHOWN_STEPS = 200

# The counter and what changed after it, in one statement each; their rows may be newer, and are then drawn again.
MESSAGES_SINCE = """
    SELECT message.*, conversation.revision AS now_at, conversation.title
    FROM chat_conversation conversation
    LEFT JOIN chat_message message ON message.conversation_id = conversation.id AND message.revision > %s
    WHERE conversation.id = %s ORDER BY message.id
"""
STEPS_SINCE = """
    SELECT step.*, run.revision AS now_at
    FROM chat_run run LEFT JOIN chat_step step ON step.run_id = run.id AND step.revision > %s
    WHERE run.id = %s ORDER BY step.born, step.number
"""


@dataclass(frozen=True, slots=True)
class Thought:
    """What a model thought in a step, in the open, or as the `reasoning` that its endpoint sends."""

    text: str
    reasoning: bool = False


@dataclass(frozen=True, slots=True)
class Talk:
    """Messages of a conversation, each with its run if it is an answer, at a revision."""

    revision: int
    title: str
    messages: Sequence[tuple[Message, Run | None]] = ()
    thoughts: dict[uuid.UUID, list[Thought]] = field(default_factory=dict)
    partial: dict[uuid.UUID, str] = field(default_factory=dict)
    earlier: bool = False

    @property
    def runs(self) -> list[Run]:
        return [run for _, run in self.messages if run]


def talk(conversation: uuid.UUID, before: int | None = None) -> Talk:
    """Return the last messages of a conversation, or the last ones before a message's id."""
    shown = Message.objects.filter(conversation=conversation)
    if before is not None:
        shown = shown.filter(pk__lt=before)
    rows = list(shown.select_related("run", "conversation").order_by("-pk")[: SHOWN_MESSAGES + 1])
    earlier, rows = len(rows) > SHOWN_MESSAGES, rows[:SHOWN_MESSAGES][::-1]
    if not rows:
        return Talk(0, "")
    pairs = [(message, getattr(message, "run", None)) for message in rows]
    head = rows[0].conversation
    return Talk(head.revision, head.title, pairs, *_said(pairs), earlier=earlier)


def talk_since(conversation: uuid.UUID, since: int) -> Talk | None:
    """Return the messages changed after a revision; None if there is no such conversation."""
    found = list(Message.objects.raw(MESSAGES_SINCE, [since, _key(Conversation, conversation)]))
    if not found:
        return None
    messages = [message for message in found if message.pk]
    runs = {run.answer_id: run for run in Run.objects.filter(answer__in=messages)} if messages else {}
    pairs = [(message, runs.get(message.pk)) for message in messages]
    return Talk(found[0].now_at, found[0].title, pairs, *_said(pairs))  # type: ignore[attr-defined]


def run_since(run: uuid.UUID, since: int) -> tuple[Run, list[Step]] | None:
    """Return a run and its steps changed after a revision, in order; None if it is gone or did not go on."""
    found = list(Step.objects.raw(STEPS_SINCE, [since, _key(Run, run)]))
    if not found or found[0].now_at == since:  # type: ignore[attr-defined]
        return None
    head = Run.objects.filter(pk=run).first()
    if head is None:
        return None
    head.revision = found[0].now_at  # type: ignore[attr-defined]  # what was read with the steps
    return head, [step for step in found if step.pk]


def run_steps(run: Run, before: int | None = None) -> list[Step]:
    """Return the last steps of a run, or the last ones before a number, in order."""
    steps = run.steps.filter(born__lte=run.revision)  # what came after the row was read is for the next look
    if before is not None:
        steps = steps.filter(number__lt=before)
    return list(steps.order_by("-number")[:SHOWN_STEPS])[::-1]


def newest_run(conversation: uuid.UUID) -> Run | None:
    """Return the run that began last; one that still waits only where there is no other."""
    waits = Case(When(status=RunStatus.QUEUED, then=1), default=0)
    return Run.objects.filter(conversation=conversation).order_by(waits, "-answer").first()


def only_queued() -> list[uuid.UUID]:
    """Return the conversations in which a run waits, and none is at work."""
    queued = Run.objects.filter(status=RunStatus.QUEUED)
    busy = Run.objects.filter(conversation=OuterRef("conversation"), status__in=LIVE).exclude(status=RunStatus.QUEUED)
    return list(queued.filter(~Exists(busy)).values_list("conversation", flat=True).distinct())


def has_queued(conversation: uuid.UUID) -> bool:
    return Run.objects.filter(conversation=conversation, status=RunStatus.QUEUED).exists()


def conversation_of_live(run: uuid.UUID) -> uuid.UUID | None:
    """Return the conversation of a run; None if it has ended, or was deleted."""
    return Run.objects.filter(pk=run, status__in=LIVE).values_list("conversation", flat=True).first()


def runs_of(process: str) -> set[uuid.UUID]:
    """Return the live runs whose lease a process holds, without those that are to stop."""
    return set(Run.objects.filter(owner=process, status__in=LIVE, stopping=False).values_list("pk", flat=True))


def revisions(conversations: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    return dict(Conversation.objects.filter(pk__in=conversations).values_list("pk", "revision"))


def live_runs(conversation: uuid.UUID) -> list[Run]:
    return list(Run.objects.filter(conversation=conversation, status__in=LIVE).order_by("answer"))


def live_answer(run: uuid.UUID, since: int) -> Talk:
    """Return the answer of a run if the run went on after a revision, else nothing."""
    message = Message.objects.select_related("run").filter(run=run, run__revision__gt=since).first()
    if message is None:
        return Talk(0, "")
    pairs = [(message, message.run)]
    return Talk(0, "", pairs, *_said(pairs))


def saying(run: uuid.UUID) -> Step | None:
    """Return the model step that works on a run's answer, with its run and what is stored of its text."""
    steps = Step.objects.filter(run=run, kind=StepKind.MODEL, status=StepStatus.RUNNING, input__purpose="answer")
    return steps.select_related("run").only("number", "output", "run__answer").order_by("number").last()


def _said(
    pairs: Sequence[tuple[Message, Run | None]],
) -> tuple[dict[uuid.UUID, list[Thought]], dict[uuid.UUID, str]]:
    """Return by run what its model thought, and what a live one has said so far or, while its title is made, in all.

    What was lost, with its endpoint or its process, comes again and is left out.
    """
    runs = [run for _, run in pairs if run]
    thoughts: dict[uuid.UUID, list[Thought]] = defaultdict(list)
    partial: dict[uuid.UUID, str] = {}
    steps = Step.objects.filter(run__in=runs, kind=StepKind.MODEL).order_by("run", "number")
    for step in steps.only("run", "input", "output", "status") if runs else ():
        output = step.output
        if step.input.get("purpose", "answer") != "answer":
            continue
        acts = bool(output.get("calls"))
        lost = step.status in (StepStatus.ERROR, StepStatus.UNKNOWN)
        partial[step.run_id] = "" if acts or lost else output.get("text", "")
        if step.status != StepStatus.DONE:  # what is thought right now is the preview's
            continue
        beside = thought(output.get("text", "")) if acts else ""
        found = [Thought(output.get("reasoning", ""), True), Thought(output.get("thought", "")), Thought(beside)]
        thoughts[step.run_id] += [one for one in found if one.text]
    return dict(thoughts), partial


def _key(model: type[Model], pk: uuid.UUID) -> object:
    return model._meta.pk.get_db_prep_value(pk, connection)
