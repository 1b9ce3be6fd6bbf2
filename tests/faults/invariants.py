"""What holds of the rows of every run, and of the frames about it, whatever happened to its processes.

`python -m tests.faults.invariants` checks all runs of a site, and prints when each was taken over.
"""

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import pairwise

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentsite.settings")
django.setup()

from chat.history import request_again  # noqa: E402
from chat.models import Message, Run, Step  # noqa: E402

ONCE = ("note",)  # tools that must not run twice


def check_run(run: Run, once: Collection[str] = ONCE) -> None:
    """Hold a run that is over to the invariants I2 to I5 and I7."""
    steps = list(run.steps.order_by("number"))
    check_ended(run, steps)
    check_revisions(run, steps)
    check_attempts(run, steps)
    check_calls(steps, once)
    for step in steps:
        if "sha256" in step.input:
            assert hashlib.sha256(request_again(step)).hexdigest() == step.input["sha256"], f"request of {step}"


def check_ended(run: Run, steps: Sequence[Step]) -> None:
    """I3 and I7: one terminal state; the answer is what one reply said, and nothing of a lost one."""
    assert run.status in ("done", "failed", "stopped"), run.status
    assert run.stop_reason
    assert run.ended
    assert run.lease_until is None
    assert not [step for step in steps if step.status == "running"]
    whole = [step for step in steps if step.input.get("purpose") == "answer" and step.status == "done"]
    if run.status == "done" and run.stop_reason != "timeout":
        assert run.answer.text == whole[-1].output["text"]


def check_revisions(run: Run, steps: Sequence[Step]) -> None:
    """I2: steps are numbered without a gap, in the order in which they were born."""
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    assert all(before.born <= after.born for before, after in pairwise(steps))
    assert all(1 <= step.born <= step.revision <= run.revision for step in steps)
    assert not steps or max(step.revision for step in steps) == run.revision  # none: stopped before it began


def check_attempts(run: Run, steps: Sequence[Step]) -> None:
    """I4 and I5: each attempt stands in the trace; what it left unknown stands before the next one."""
    resumed = [step for step in steps if step.kind == "resumed"]
    assert [step.input["attempt"] for step in resumed] == list(range(2, run.attempt + 1))
    for step in steps:
        assert step.ended
        assert step.ended >= step.started
        if step.status == "unknown" and run.stop_reason != "crashed":
            assert any(later.number > step.number for later in resumed), step


def check_calls(steps: Sequence[Step], once: Collection[str]) -> None:
    """I4: every call that was asked for has one result; a tool that must not run twice was started once."""
    calls = Counter((step.parent_id, step.input["id"]) for step in steps if step.kind == "tool" and step.output)
    assert all(number == 1 for number in calls.values())
    started = Counter((step.parent_id, step.input["id"]) for step in steps if step.kind == "tool")
    for step in steps:
        if step.kind == "tool" and step.name in once:
            assert started[step.parent_id, step.input["id"]] == 1
        asked = step.output.get("calls", ()) if step.kind == "model" and "last" not in step.input else ()
        assert all((step.pk, call["id"]) in calls for call in asked)


def check_all() -> None:
    """I1 to I7 on all rows: besides the above, each message that was sent is there once, with one run."""
    for message in Message.objects.filter(role="user"):
        assert message.runs.count() == 1
    assert Message.objects.filter(role="user").count() == Message.objects.filter(role="assistant").count()
    for run in Run.objects.select_related("answer", "message"):
        check_run(run)


def check_frames(frames: str, page: str) -> None:
    """I2 and I7: what a socket was told ends where the page stands that is loaded now; no step comes twice."""
    steps = Counter(re.findall(r'<li id="(step-\d+)"', frames))
    assert all(number == 1 for number in steps.values()), steps
    said = dict(re.findall(r'(?:innerHTML:#|<div id=")(m-\d+-closed)">(.*?)</div>', frames, re.DOTALL))
    assert said
    for place, text in said.items():
        assert f'<div id="{place}">{text}</div>' in page, f"{place} is {text!r}"


if __name__ == "__main__":
    check_all()
    taken = Step.objects.filter(kind="resumed").order_by("id").values_list("ended", flat=True)
    asked = Message.objects.filter(role="user").count()
    print(json.dumps({"messages": asked, "taken": [at.timestamp() for at in taken if at]}))  # noqa: T201
