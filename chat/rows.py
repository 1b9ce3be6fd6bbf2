"""Reads what pages and viewers show. A counter and the rows changed since are read in one statement, so that no
change falls between them."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from chat import branches, thoughts
from chat.branches import HEAD, key
from chat.models import IS_LIVE, LIVE, Conversation, Message, Role, Run, RunStatus, Step, StepKind, StepStatus
from chat.thoughts import Thought

SHOWN_MESSAGES = 100
MOST_MESSAGES = 1_000
FEW_MESSAGES = 10  # before one that is looked for
SHOWN_STEPS = 200
ALL = 2**31

# The counter and what changed after it, in one statement each; their rows may be newer, and are then drawn again. Of a
# conversation it is what is on the branch shown; a summary is where its answer is. One row more than are shown says
# that the list is to be drawn anew.
MESSAGES_SINCE = f"""\
WITH RECURSIVE head AS ({HEAD}), changed(id, place) AS (
    SELECT id, CASE WHEN role = 'summary' THEN parent_id ELSE id END FROM chat_message
    WHERE conversation_id = %s AND revision > %s LIMIT {SHOWN_MESSAGES + 1}
), path(id, parent_id) AS (
    SELECT message.id, message.parent_id FROM head JOIN chat_message message ON message.id = head.leaf
    UNION ALL
    SELECT up.id, up.parent_id FROM path JOIN chat_message up ON up.id = path.parent_id
    WHERE up.id >= (SELECT MIN(place) FROM changed)
)
SELECT message.*, head.revision AS now_at, head.anew, head.title, (SELECT COUNT(*) FROM changed) AS changes
FROM head LEFT JOIN chat_message message
    ON message.id IN (SELECT changed.id FROM changed JOIN path ON path.id = changed.place)
ORDER BY message.id
"""  # noqa: S608  Made of constants.
STEPS_SINCE = """
    SELECT step.*, run.revision AS now_at FROM chat_run run
    LEFT JOIN (SELECT * FROM chat_step WHERE run_id = %s AND revision > %s LIMIT %s) step ON 1 = 1
    WHERE run.id = %s ORDER BY step.born, step.number
"""


@dataclass(frozen=True, slots=True)
class Talk:
    """Messages of the branch shown, each with its run if it is an answer, at a revision of their conversation.

    `thoughts`, `partial` and `longer` are what was said and thought so far in their runs; see `chat.thoughts`.
    `siblings` has for each message that has others beside it all of them, in order. `anew` says that what a page has
    of the list is to be replaced as a whole. Where some of its runs wait, it is said whether another is `at_work`
    before them, and which is `next` if none is.
    """

    revision: int
    title: str
    messages: Sequence[tuple[Message, Run | None]] = ()
    thoughts: dict[uuid.UUID, list[Thought]] = field(default_factory=dict)
    partial: dict[uuid.UUID, str] = field(default_factory=dict)
    longer: Collection[uuid.UUID] = ()
    siblings: dict[int, list[int]] = field(default_factory=dict)
    earlier: bool = False
    anew: bool = False
    at_work: bool = True
    next: uuid.UUID | None = None

    @property
    def runs(self) -> list[Run]:
        return [run for _, run in self.messages if run]


def talk(conversation: uuid.UUID, before: int | None = None, down_from: int | None = None) -> Talk:
    """Return the last messages of the branch shown, or the last ones before a message's id.

    They are more than else where it takes more to go `down_from` a message, within reason.
    """
    path = branches.last(conversation, (MOST_MESSAGES if down_from else SHOWN_MESSAGES) + 1, before)
    below = path.messages.index(down_from) if down_from in path.messages else 0
    size = max(SHOWN_MESSAGES, below + FEW_MESSAGES)
    ids = path.messages[:size]
    shown = Message.objects.filter(Q(pk__in=ids) | Q(parent__in=ids, role=Role.SUMMARY), conversation=conversation)
    pairs = [(message, getattr(message, "run", None)) for message in shown.select_related("run").order_by("pk")]
    beside = branches.siblings(conversation, [message for message, _ in pairs])
    earlier = len(path.messages) > size
    return Talk(path.revision, path.title, pairs, *_said(pairs), beside, earlier, **_turn(conversation, pairs))


def talk_around(conversation: uuid.UUID, message: int) -> Talk | None:
    """Return as many messages, half of them before and half after one of the branch shown; None if it is not on it."""
    following = branches.from_there(conversation, message, SHOWN_MESSAGES // 2 + 1)
    if not following:
        return None
    return talk(conversation, following[-1] if len(following) > SHOWN_MESSAGES // 2 else None)


def talk_since(conversation: uuid.UUID, since: int) -> Talk | None:
    """Return the messages changed after a revision; None if there is no such conversation."""
    pk = key(Conversation, conversation)
    found = list(Message.objects.raw(MESSAGES_SINCE, [pk, pk, since]))
    if not found:
        return None
    head: Any = found[0]
    if head.now_at < since or since < head.anew or head.changes > SHOWN_MESSAGES:
        return Talk(head.now_at, head.title, anew=True)
    messages = [message for message in found if message.pk]
    runs = {run.answer_id: run for run in Run.objects.filter(answer__in=messages)} if messages else {}
    pairs = [(message, runs.get(message.pk)) for message in messages]
    beside = branches.siblings(conversation, messages)
    return Talk(head.now_at, head.title, pairs, *_said(pairs), beside, **_turn(conversation, pairs))


def said(conversation: uuid.UUID, message: int) -> Talk:
    """Return what a person said if it is on the branch shown, else nothing."""
    if not branches.shown(conversation, [message]):
        return Talk(0, "")
    found = list(Message.objects.filter(pk=message))
    return Talk(0, "", [(one, None) for one in found], siblings=branches.siblings(conversation, found))


def run_since(run: uuid.UUID, since: int, most: int = ALL) -> tuple[Run, list[Step]] | None:
    """Return a run and its steps changed after a revision, in order; None if it is gone or did not go on.

    Where more than `most` have changed, it is some of them: one more than that.
    """
    pk = key(Run, run)
    found = list(Step.objects.raw(STEPS_SINCE, [pk, since, most + 1, pk]))
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


def only_queued(conversation: uuid.UUID | None = None) -> list[uuid.UUID]:
    """Return the conversations in which a run waits, and none is at work; maybe that one alone."""
    live = Run.objects.filter(IS_LIVE)
    live = live.filter(conversation=conversation) if conversation else live
    found = list(live.values_list("conversation", "status"))
    busy = {where for where, status in found if status != RunStatus.QUEUED}
    return list(dict.fromkeys(where for where, _ in found if where not in busy))


def is_there(run: uuid.UUID) -> bool:
    """Say whether a run was not deleted."""
    return Run.objects.filter(pk=run).exists()


def has_queued(conversation: uuid.UUID) -> bool:
    return Run.objects.filter(conversation=conversation, status=RunStatus.QUEUED).exists()


def conversation_of_live(run: uuid.UUID) -> uuid.UUID | None:
    """Return the conversation of a run; None if it has ended, or was deleted."""
    return Run.objects.filter(pk=run, status__in=LIVE).values_list("conversation", flat=True).first()


def runs_of(process: str) -> set[uuid.UUID]:
    """Return the live runs whose lease a process holds, without those that are to stop."""
    return set(Run.objects.filter(IS_LIVE, owner=process, stopping=False).values_list("pk", flat=True))


def revisions(conversations: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    return dict(Conversation.objects.filter(pk__in=conversations).values_list("pk", "revision"))


def live_runs(conversation: uuid.UUID) -> list[Run]:
    return list(Run.objects.filter(conversation=conversation, status__in=LIVE).order_by("answer"))


def at_work(live: Sequence[Run]) -> Run | None:
    """Return of a conversation's live runs the one that is at work, else the first that waits."""
    return next((run for run in live if run.status != RunStatus.QUEUED), next(iter(live), None))


def live_answer(run: uuid.UUID, since: int) -> Talk:
    """Return the answer of a run if the run went on after a revision, else nothing."""
    message = Message.objects.select_related("run").filter(run=run, run__revision__gt=since).first()
    if message is None:
        return Talk(0, "")
    pairs = [(message, message.run)]
    return Talk(0, "", pairs, *_said(pairs), **_turn(message.conversation_id, pairs))


def unanswered(conversation: uuid.UUID, at: datetime) -> set[uuid.UUID]:
    """Return the runs at work in a conversation whose owner does not answer any more."""
    return {run.pk for run in live_runs(conversation) if run.unanswered(at)}


def saying(run: uuid.UUID) -> Step | None:
    """Return the model step that works on a run's answer, with its run and what is stored of its text."""
    steps = Step.objects.filter(run=run, kind=StepKind.MODEL, status=StepStatus.RUNNING, input__purpose="answer")
    return steps.select_related("run").only("number", "output", "run__answer").order_by("number").last()


def _said(pairs: Sequence[tuple[Message, Run | None]]) -> thoughts.Said:
    return thoughts.said([run for _, run in pairs if run])


def _turn(conversation: uuid.UUID, pairs: Sequence[tuple[Message, Run | None]]) -> dict[str, Any]:
    if not any(run and run.status == RunStatus.QUEUED for _, run in pairs):
        return {}
    live = live_runs(conversation)
    waiting = sorted((run for run in live if run.status == RunStatus.QUEUED), key=lambda run: not run.ahead)
    at_work = len(waiting) < len(live)
    return {"at_work": at_work, "next": waiting[0].pk if waiting and not at_work else None}
