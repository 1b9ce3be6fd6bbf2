"""The only writer of messages, runs and steps. Each function is one transaction's work, done inside it.

Two counters order what viewers see: `Conversation.revision` and `Run.revision`. Every write begins by raising the
counter it belongs to; that statement's row lock makes the order of commits the order of revisions, and for a run it
also checks that the writer still holds the lease.
"""

import uuid
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection

from chat.agent.events import (
    Batch,
    Began,
    Ended,
    MemoryRead,
    ModelEnded,
    ModelFailed,
    ModelStarted,
    TextDelta,
    ToolEnded,
    ToolStarted,
)
from chat.models import LIVE, Conversation, Message, Payload, Role, Run, RunStatus, Step, StepKind, StepStatus
from tools.text import clean

TITLE_LENGTH = 60
LEASE = timedelta(seconds=30)
BUSY = (RunStatus.RUNNING, RunStatus.WAITING)

STOPPED = "Error: stopped by the user before it finished."
DIED = "The server stopped while this run was at work. What it had found stands in its trace."
UNKNOWN = "Error: the process died while this ran; whether it took effect is unknown."


class StaleOwner(Exception):
    """The run is not this writer's any more: it ended, or somebody took it over."""


class Refused(Exception):
    """What was asked cannot be done; the message says why, to a person."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that is stored. `attempt` is that of its run if it may begin at once, 0 if it has to wait.

    `fresh` is False for a resend of what was stored before.
    """

    conversation: uuid.UUID
    message: int
    run: uuid.UUID
    attempt: int
    fresh: bool = True


def start_conversation(owner: int, text: str, client_id: str, model: str, process: str, at: datetime) -> Sent:
    """Make a conversation with its first message; a resend returns the one that was made."""
    if sent := _sent_before(owner, text, client_id, None):
        return sent
    conversation = Conversation.objects.create(
        owner_id=owner, title=title_of(text), model=model, revision=1, created=at, updated=at
    )
    return _append(conversation, 1, owner, text, client_id, model, process, at)


def send(
    conversation: uuid.UUID, owner: int, text: str, client_id: str, model: str, process: str, at: datetime
) -> Sent:
    """Store a message and its run, which begins at once unless another one is live here."""
    if sent := _sent_before(owner, text, client_id, conversation):
        return sent
    revision = raise_conversation(conversation)
    row = Conversation.objects.get(pk=conversation)
    Conversation.objects.filter(pk=conversation).update(updated=at, model=model)
    return _append(row, revision, owner, text, client_id, model, process, at)


def take_queued(conversation: uuid.UUID, process: str, at: datetime) -> tuple[uuid.UUID, int] | None:
    """Give this process the oldest queued run of a conversation that has no other at work: its id and attempt."""
    revision = raise_conversation(conversation)
    runs = Run.objects.filter(conversation=conversation)
    if runs.filter(status__in=BUSY).exists():
        return None
    run = runs.filter(status=RunStatus.QUEUED).order_by("created").first()
    if run is None:
        return None
    _lease(run, process, at)
    run.save(update_fields=["status", "started", "doing", "owner", "attempt", "lease_until"])
    Message.objects.filter(pk=run.answer_id).update(revision=revision)
    return run.pk, run.attempt


def apply(run_id: uuid.UUID, attempt: int, batch: Batch) -> int:
    """Store a tuple of events; return the run's revision. Raises StaleOwner."""
    revision = raise_run(run_id, attempt)
    run = Run.objects.get(pk=run_id)
    for event in batch:
        match event:
            case Began():
                run.request = dict(event.request)
            case MemoryRead():
                _memory(run, revision, event)
            case ModelStarted():
                _model_started(run, revision, event)
            case ModelEnded():
                _model_ended(run, revision, event)
            case ModelFailed():
                _end_step(run, event.number, event.at, revision, error=event.error, output={"text": event.text})
            case ToolStarted():
                _tool_started(run, revision, event)
            case ToolEnded():
                _tool_ended(run, revision, event)
            case Ended():
                _ended(run, revision, event)
            case TextDelta():
                pass  # a preview, kept by `flush`
    if running := dict.fromkeys(clean(event.call.name) for event in batch if isinstance(event, ToolStarted)):
        run.doing = f"Running {', '.join(running)}"[:200]
    run.save(
        update_fields=[
            "request", "status", "stop_reason", "error", "doing", "turns", "tools",
            "input_tokens", "output_tokens", "cost", "ended", "lease_until",
        ]
    )  # fmt: skip
    return revision


def flush(pieces: Iterable[tuple[uuid.UUID, int, int, str]]) -> None:
    """Keep the text so far of live model steps: (run, attempt, number, text). No revision: viewers have it."""
    for run_id, attempt, number, text in pieces:
        Step.objects.filter(
            run=run_id, run__attempt=attempt, number=number, status=StepStatus.RUNNING
        ).update(output={"text": clean(text)})  # fmt: skip


def renew(runs: Sequence[uuid.UUID], process: str, at: datetime) -> None:
    """Keep the leases of the runs that this process works on."""
    Run.objects.filter(pk__in=runs, owner=process).update(lease_until=at + LEASE)


def end_abandoned(process: str, is_dead: Callable[[str], bool], at: datetime) -> list[uuid.UUID]:
    """End, as crashed, the runs whose lease ran out or whose process is known to be dead.

    Returns the conversations they are in.
    """
    conversations = []
    for run in Run.objects.filter(status__in=BUSY).exclude(owner=process):
        if (run.lease_until and run.lease_until < at) or is_dead(run.owner):
            said = run.steps.filter(kind=StepKind.MODEL).order_by("number").values_list("output", flat=True).last()
            text = (said or {}).get("text", "")
            apply(run.pk, run.attempt, (Ended(at, RunStatus.FAILED, "crashed", text, DIED),))
            conversations.append(run.conversation_id)
    return conversations


def raise_conversation(conversation: uuid.UUID) -> int:
    """Raise a conversation's revision and return it. Raises Refused if there is no such conversation."""
    row = _raise(Conversation, conversation, "")
    if row is None:
        raise Refused("This conversation was deleted.")
    return row


def raise_run(run: uuid.UUID, attempt: int) -> int:
    """Raise the revision of a run that is live and ours, and return it. Raises StaleOwner."""
    row = _raise(Run, run, f"AND attempt = {attempt:d} AND status IN ('running', 'waiting')")
    if row is None:
        raise StaleOwner(f"Run {run} is not this process's any more.")
    return row


def title_of(text: str) -> str:
    """Return the first words of a message, as a title."""
    words = " ".join(text.split())
    if len(words) <= TITLE_LENGTH:
        return words
    return words[:TITLE_LENGTH].rsplit(" ", 1)[0].rstrip(",.;:") + "…"


def _raise(model: type[Conversation] | type[Run], pk: uuid.UUID, condition: str) -> int | None:
    table, key = model._meta.db_table, model._meta.pk.get_db_prep_value(pk, connection)
    sql = f"UPDATE {table} SET revision = revision + 1 WHERE id = %s {condition} RETURNING revision"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [key])
        row = cursor.fetchone()
    return row[0] if row else None


def _sent_before(owner: int, text: str, client_id: str, conversation: uuid.UUID | None) -> Sent | None:
    message = Message.objects.filter(owner=owner, client_id=client_id).first()
    if message is None:
        return None
    if message.text != text or (conversation and message.conversation_id != conversation):
        raise Refused("Another message was sent under the same id; this one was not sent. Send it again.")
    run = message.runs.order_by("created").first()
    assert run is not None  # noqa: S101  Written in the same transaction as the message.
    return Sent(message.conversation_id, message.pk, run.pk, 0, fresh=False)


def _append(
    conversation: Conversation,
    revision: int,
    owner: int,
    text: str,
    client_id: str,
    model: str,
    process: str,
    at: datetime,
) -> Sent:
    last = conversation.messages.order_by("-id").first()
    said = Message.objects.create(
        conversation=conversation, parent=last, role=Role.USER, text=text, owner_id=owner,
        client_id=client_id, born=revision, revision=revision, created=at,
    )  # fmt: skip
    answer = Message.objects.create(
        conversation=conversation, parent=said, role=Role.ASSISTANT, owner_id=owner,
        born=revision, revision=revision, created=at,
    )  # fmt: skip
    busy = conversation.runs.filter(status__in=LIVE).exists()
    run = Run(conversation=conversation, message=said, answer=answer, model=model, created=at)
    if not busy:
        _lease(run, process, at)
    run.save(force_insert=True)
    return Sent(conversation.pk, said.pk, run.pk, run.attempt)


def _lease(run: Run, process: str, at: datetime) -> None:
    run.status, run.started, run.doing = RunStatus.RUNNING, at, "Thinking"
    run.owner, run.attempt, run.lease_until = process, run.attempt + 1, at + LEASE


def _memory(run: Run, revision: int, event: MemoryRead) -> None:
    output = {"facts": [*event.facts], "preferences": [*event.preferences]}
    Step.objects.create(
        run=run, number=event.number, kind=StepKind.MEMORY, name="Memory", status=StepStatus.DONE,
        started=event.at, ended=event.at, output=output, born=revision, revision=revision,
    )  # fmt: skip


def _model_started(run: Run, revision: int, event: ModelStarted) -> None:
    sent = {
        "turn": event.turn, "after": event.after, "tools": event.tools, "sha256": event.sha256, "bytes": event.size,
    }  # fmt: skip
    Step.objects.create(
        run=run, number=event.number, kind=StepKind.MODEL, name=event.model, started=event.at, input=sent,
        born=revision, revision=revision,
    )  # fmt: skip
    run.turns, run.doing = event.turn, "Thinking"


def _model_ended(run: Run, revision: int, event: ModelEnded) -> None:
    reply, usage = event.reply, event.reply.usage
    output = {
        "text": clean(reply.text),
        "reasoning": clean(reply.reasoning),
        "reasoning_field": reply.reasoning_field,
        "calls": [asdict(call) for call in reply.calls],
        "finish": reply.finish,
        "refusal": clean(reply.refusal),
        "model": reply.model,
    }
    _end_step(
        run, event.number, event.at, revision, output=cleaned({name: value for name, value in output.items() if value}),
        first_token=event.first_token, cost=event.cost, input_tokens=usage.input, cache_read_tokens=usage.cache_read,
        cache_write_tokens=usage.cache_write, reasoning_tokens=usage.reasoning, output_tokens=usage.output,
    )  # fmt: skip
    run.input_tokens = _sum(run.input_tokens, usage.input, usage.cache_read, usage.cache_write)
    run.output_tokens = _sum(run.output_tokens, usage.reasoning, usage.output)
    if event.cost is not None:
        run.cost = (run.cost or Decimal(0)) + event.cost


def _tool_started(run: Run, revision: int, event: ToolStarted) -> None:
    call = event.call
    parent = Step.objects.only("id").get(run=run, number=event.parent)
    given = {"id": call.id, "arguments": call.arguments} | ({"raw": call.raw} if call.problem else {})
    Step.objects.create(
        run=run, parent=parent, number=event.number, kind=StepKind.TOOL, name=clean(call.name)[:200],
        started=event.at, input=cleaned(given), born=revision, revision=revision,
    )  # fmt: skip
    name = clean(call.name)[:200]
    run.tools[name] = run.tools.get(name, 0) + 1


def _tool_ended(run: Run, revision: int, event: ToolEnded) -> None:
    output = {"text": clean(event.text)} | ({"detail": clean(event.detail)} if event.detail else {})
    _end_step(run, event.number, event.at, revision, error=event.error, output=output)
    if event.whole:
        step = Step.objects.only("id").get(run=run, number=event.number)
        Payload.objects.create(step=step, body=zlib.compress(event.whole.encode("utf-8", "replace")), created=event.at)


def _ended(run: Run, revision: int, event: Ended) -> None:
    """The one place where a run ends: its open steps are closed, its answer is written, its lease is given up."""
    open_steps = Step.objects.filter(run=run, status=StepStatus.RUNNING)
    crashed = event.stop_reason == "crashed"
    closed = {
        "status": StepStatus.UNKNOWN if crashed else StepStatus.STOPPED, "ended": event.at, "revision": revision,
    }  # fmt: skip
    open_steps.filter(kind=StepKind.TOOL).update(output={"text": UNKNOWN if crashed else STOPPED}, **closed)
    open_steps.update(output={"text": clean(event.text)}, **closed)
    run.status, run.stop_reason, run.error = RunStatus(event.status), event.stop_reason, clean(event.error)
    run.doing, run.ended, run.lease_until = "", event.at, None
    shown = raise_conversation(run.conversation_id)
    Message.objects.filter(pk=run.answer_id).update(text=clean(event.text), revision=shown)


def _end_step(run: Run, number: int, at: datetime, revision: int, error: str = "", **values: object) -> None:
    Step.objects.filter(run=run, number=number).update(
        status=StepStatus.ERROR if error else StepStatus.DONE,
        error=clean(error),
        ended=at,
        revision=revision,
        **values,
    )


def _sum(total: int | None, *counts: int | None) -> int | None:
    known = [count for count in (total, *counts) if count is not None]
    return sum(known) if known else None


def cleaned(value: object) -> object:
    """Return JSON in which every string can be stored and shown."""
    match value:
        case str():
            return clean(value)
        case dict():
            return {clean(str(key)): cleaned(item) for key, item in value.items()}
        case list() | tuple():
            return [cleaned(item) for item in value]
    return value
