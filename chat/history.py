"""Rows of a conversation, read as the values that a request is made of; and any request, made again from them."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from chat import branches
from chat.agent.context import Cut, shortened
from chat.agent.summary import summary_request, title_request
from chat.agent.transcript import GO_ON, Answered, Asked, Entry, Frozen, Said, request
from chat.models import Role, Run, Step, StepKind, StepStatus
from chat.step_values import cut_of, reply_of, usage_of
from chat.wire.usage import tokens_a_byte


@dataclass(slots=True)
class History:
    """All that was said: `asked` is the place of the question among the entries, `cut` how they are shortened.

    `rate` is how many tokens a byte of the last request had, where an endpoint said so; None where none did.
    """

    entries: list[Entry] = field(default_factory=list)
    cut: Cut = field(default_factory=Cut)
    asked: int = 0
    rate: float | None = None

    def go_on(self, run: Run) -> None:
        """Take in that a run goes on from the one before it: a person pressed Continue, and said nothing."""
        if run.continues_id:
            self.entries.append(Said(Role.USER, GO_ON))

    def add(self, steps: Iterable[Step]) -> None:
        """Take in the turns of a run; the last one, which asked for no tool, is the text of its answer."""
        for step in steps:
            if step.kind == StepKind.CONTEXT:
                self._shorten(step)
            else:
                self.entries += _turn(step)
                self._count(step)

    def _shorten(self, step: Step) -> None:
        """Take in a cut; one that folds counts once its summary is there, whole."""
        cut, text = cut_of(step), step.output.get("text", "")
        if cut.folded == self.cut.folded:
            self.cut = replace(self.cut, shrunk=cut.shrunk)
        elif step.status == StepStatus.DONE and text.strip():
            self.cut = replace(cut, summary=text)

    def _count(self, step: Step) -> None:
        """Take the rate from what an endpoint counted."""
        asks = step.kind == StepKind.MODEL and step.input["purpose"] == "answer" and not step.estimated
        if asks and (prompt := usage_of(step).prompt):
            self.rate = tokens_a_byte(prompt, step.input["bytes"])


def history(run: Run, after: int | None = None) -> History:
    """Return all that was said on the branch of `run` before it, and its own turns up to the step numbered `after`."""
    *before, _ = branches.down_to(run.answer_id)
    runs = {said.answer_id: said for said in Run.objects.filter(answer__in=before).only("answer", "continues")}
    steps = _steps([*(said.pk for said in runs.values()), run.pk])
    told = History()
    for message in before:
        if said := runs.get(message.pk):
            told.go_on(said)
            told.add(steps[said.pk])
        if message.role == Role.USER:
            told.asked = len(told.entries)
        told.entries.append(Said(message.role, message.text))
    told.go_on(run)
    told.add(step for step in steps[run.pk] if after is None or step.number <= after)
    return told


def request_again(step: Step) -> bytes:
    """Make the request of a step again, from rows alone. Its SHA-256 is the one that the step recorded."""
    sent, without = step.input, step.input.get("without", [])
    if sent["purpose"] == "title":
        return title_request(step.run.message.text, step.name, without)
    told = history(step.run, sent["after"])
    if sent["purpose"] == "summary":
        return summary_request(shortened(told.entries[: sent["cut"]["folded"]], told.cut), step.name, without)
    shown = shortened(told.entries, told.cut)
    return request(frozen(step.run), shown, step.name, sent["host"], without, sent.get("last", ""))


def frozen(run: Run) -> Frozen:
    """Return what stays the same in all requests of a run that has begun."""
    return Frozen(run.request["system"], run.request["tools"], run.request["mode"])


def _steps(runs: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[Step]]:
    kinds = (StepKind.MODEL, StepKind.TOOL, StepKind.CONTEXT)
    steps = Step.objects.filter(run__in=list(runs), kind__in=kinds)
    found: dict[uuid.UUID, list[Step]] = defaultdict(list)
    for step in steps.order_by("run", "number"):
        found[step.run_id].append(step)
    return found


def _turn(step: Step) -> Iterator[Entry]:
    """Give what a step adds to what was said: a request for tools, or a result."""
    output = step.output
    if step.kind == StepKind.TOOL and output:
        yield Answered(step.input["id"], output["text"])
    elif output.get("calls") and "last" not in step.input:
        said = reply_of(step)
        reasoning = (said.reasoning, said.reasoning_field, step.input.get("host", ""))
        yield Asked(said.text, said.calls, *reasoning, said.details)
