"""Rows of a conversation, read as the values that a transcript is made of; and any request, made again from them."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator

from chat.agent.transcript import Answered, Asked, Entry, Said, request, transcript
from chat.agent.values import Call
from chat.models import Message, Role, Run, Step, StepKind


def entries(run: Run, after: int | None = None) -> list[Entry]:
    """Return all that was said before `run`, what it answers, and its own turns up to the step numbered `after`."""
    path = _path(run.conversation_id, run.message_id)
    runs = dict(Run.objects.filter(answer__in=path).values_list("answer", "pk"))
    steps = _steps([*runs.values(), run.pk])
    found: list[Entry] = []
    for message in path.values():
        if message.role == Role.ASSISTANT and message.pk in runs:
            found += _turns(steps[runs[message.pk]])
        found.append(Said(message.role, message.text))
    own = [step for step in steps[run.pk] if after is None or step.number <= after]
    return [*found, *_turns(own)]


def request_again(step: Step) -> bytes:
    """Make the request of a model step again, from rows alone. Its SHA-256 is the one that the step recorded."""
    frozen, sent = step.run.request, step.input
    messages = transcript(frozen["system"], entries(step.run, sent["after"]))
    return request(step.name, messages, frozen["tools"], last=not sent["tools"])


def _path(conversation: uuid.UUID, message: int) -> dict[int, Message]:
    """Return the messages from the first one to `message`, by id."""
    rows = Message.objects.filter(conversation=conversation, pk__lte=message).only("parent", "role", "text").in_bulk()
    path: list[Message] = []
    at: int | None = message
    while at is not None:
        path.append(rows[at])
        at = rows[at].parent_id
    return {row.pk: row for row in reversed(path)}


def _steps(runs: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[Step]]:
    steps = Step.objects.filter(run__in=list(runs), kind__in=(StepKind.MODEL, StepKind.TOOL))
    found: dict[uuid.UUID, list[Step]] = defaultdict(list)
    for step in steps.order_by("run", "number").only("run", "number", "kind", "input", "output"):
        found[step.run_id].append(step)
    return found


def _turns(steps: Iterable[Step]) -> Iterator[Entry]:
    """Give the turns that asked for tools; the last one, which did not, is the text of the run's answer."""
    for step in steps:
        output = step.output
        if step.kind == StepKind.TOOL and output:
            yield Answered(step.input["id"], output["text"])
        elif output.get("calls"):
            calls = tuple(Call(**call) for call in output["calls"])
            yield Asked(output.get("text", ""), calls, output.get("reasoning", ""), output.get("reasoning_field", ""))
