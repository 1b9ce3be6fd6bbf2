"""What holds of the rows of every run, and of the frames about it, whatever happened to its processes.

`python -m tests.faults.invariants` checks all runs of a site, or those after the message of that number, and prints
what there is, when each run was taken over, and how long each took to stop.
"""

import hashlib
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentsite.settings")
django.setup()

from chat.history import request_again  # noqa: E402
from chat.models import Message, Run, Step  # noqa: E402
from tests.faults import logged  # noqa: E402

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
    if steps and run.stop_reason != "crashed":  # else it was stopped before it began, or ended with nothing open
        assert max(step.revision for step in steps) == run.revision
    if logged.is_installed() and not run.copied:
        assert logged.revisions(run.pk) == [(number, number + 1) for number in range(run.revision)]


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


def check_all(since: int = 0) -> dict[str, Any]:
    """I1 to I7 on all rows after a message: besides the above, each message is there once, and was given an answer.

    Return the counts of messages and runs, which say whether anything was done twice, and the last message.
    """
    messages, runs = Message.objects.filter(pk__gt=since), Run.objects.filter(answer__gt=since)
    for message in messages.filter(role="user"):
        assert message.runs.exists()
    for answer in messages.filter(role="assistant"):
        assert answer.run.conversation_id == answer.conversation_id == answer.run.message.conversation_id
        assert answer.owner_id == answer.run.message.owner_id
    for run in runs.select_related("answer", "message"):
        check_run(run)
    asked, last = messages.filter(role="user").count(), messages.order_by("pk").last()
    return {"messages": asked, "runs": runs.count(), "last": last.pk if last else since}


def times(since: int) -> dict[str, list[float]]:
    """Return when each run was taken over, in seconds of the epoch, the pauses before that, and those of a stop."""
    resumed = Step.objects.filter(kind="resumed", run__answer__gt=since, run__copied=False).order_by("id")
    runs = Run.objects.filter(stop_reason="stopped", answer__gt=since, copied=False)
    ends = [(logged.told_to_stop(run.pk), run.ended) for run in runs]
    return {
        "seconds": [
            run.seconds for run in Run.objects.filter(answer__gt=since).order_by("answer") if run.seconds is not None
        ],
        "taken": [step.ended.timestamp() for step in resumed if step.ended],
        "pauses": [step.seconds for step in resumed if step.seconds is not None],
        "stops": [ended.timestamp() - told for told, ended in ends if told and ended],
    }


def check_frames(frames: str, page: str) -> None:
    """I2 and I7: what a socket was told ends where the page stands that is loaded now; no step comes twice."""
    steps = Counter(re.findall(r'<li id="(step-\d+)"', frames))
    assert all(number == 1 for number in steps.values()), steps
    said = dict(re.findall(r'(?:innerHTML:#|<div id=")(m-\d+-closed)">(.*?)</div>', frames, re.DOTALL))
    assert said
    for place, text in said.items():
        assert f'<div id="{place}">{text}</div>' in page, f"{place} is {text!r}"


def main(arguments: Sequence[str]) -> None:
    since = int(arguments[0]) if arguments else 0
    print(json.dumps({**check_all(since), **times(since)}))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
