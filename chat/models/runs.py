"""Runs: the agent's work on a message."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models.expressions import RawSQL
from django.urls import reverse

from chat.kept_json import KeptJSONField
from chat.models.conversations import Conversation, Message
from chat.wire.values import known_sum


class RunStatus(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


BUSY = (RunStatus.RUNNING, RunStatus.WAITING)
LIVE = (RunStatus.QUEUED, *BUSY)
# The same as a filter whose values stand in the text: SQLite takes the index of these few runs for no others.
IS_LIVE = RawSQL("chat_run.status IN ('queued', 'running', 'waiting')", (), models.BooleanField())


class StopReason(models.TextChoices):
    DONE = "done"
    MAX_TURNS = "max_turns"
    BUDGET = "budget"
    TIMEOUT = "timeout"
    LENGTH = "length"
    STOPPED = "stopped"
    REFUSAL = "refusal"
    CONTENT_FILTER = "content_filter"
    EMPTY = "empty"
    CONTEXT = "context"
    LOOP = "loop"
    RATE_LIMITED = "rate_limited"
    CRASHED = "crashed"
    ERROR = "error"


CUT_SHORT = (
    StopReason.STOPPED, StopReason.MAX_TURNS, StopReason.BUDGET, StopReason.TIMEOUT, StopReason.LENGTH,
    StopReason.CRASHED,
)  # fmt: skip


class Run(models.Model):
    """The agent's work on one message. `revision` counts the changes of its steps.

    `request` is what was frozen when it began: {"system": str, "tools": [schema], "mode": str, "limits": {…}}; the
    facts and preferences that went into it are its memory step.
    `owner`, `attempt` and `lease_until` are its lease: who works on it, the how-manieth taking, and until when. An
    empty owner gave a live run up, for another process to go on with.
    `stopping` says that somebody wants it to stop; whoever works on it sees that, and ends it.
    Tokens and cost are sums over its steps; null while nothing is known of them, `estimated` where a part is a guess.
    What it `continues` ended before it was done: those turns are part of what this run's model is sent.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="runs")
    message = models.ForeignKey(Message, models.CASCADE, related_name="runs", help_text="What it answers.")
    answer = models.OneToOneField(Message, models.CASCADE, related_name="run", help_text="What it says.")
    continues = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="continued_by",
        help_text="The run it goes on from.",
    )
    ahead = models.BooleanField(default=False, db_default=False, help_text="It begins before others that wait.")
    copied = models.BooleanField(
        default=False, db_default=False, help_text="It came with a fork. What it used counts where it ran."
    )
    status = models.CharField(max_length=10, choices=RunStatus, default=RunStatus.QUEUED)
    stop_reason = models.CharField(max_length=20, choices=StopReason, blank=True)
    error = models.TextField(blank=True, help_text="Why it failed, in words for a person.")
    doing = models.CharField(max_length=200, blank=True, help_text="What it is at, while it is live.")
    model = models.CharField(max_length=200)
    request = KeptJSONField(default=dict, blank=True)
    turns = models.PositiveIntegerField(default=0)
    tools = KeptJSONField(default=dict, help_text="Calls begun, by name of the tool.")
    input_tokens = models.PositiveBigIntegerField(null=True, blank=True)
    output_tokens = models.PositiveBigIntegerField(null=True, blank=True)
    cost = models.DecimalField("cost (USD)", max_digits=14, decimal_places=8, null=True, blank=True)
    estimated = models.BooleanField(default=False)
    revision = models.PositiveBigIntegerField(default=0)
    owner = models.CharField(max_length=100, blank=True)
    attempt = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    stopping = models.BooleanField(default=False, db_default=False)
    created = models.DateTimeField()
    started = models.DateTimeField(null=True, blank=True)
    ended = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["conversation"],
                condition=models.Q(status__in=BUSY),
                name="run_at_work",
                violation_error_message="A run is at work in this conversation.",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=LIVE, stop_reason="")
                | (~models.Q(status__in=LIVE) & ~models.Q(stop_reason="")),
                name="run_over_for_a_reason",
            ),
        )
        indexes = (
            models.Index(fields=["conversation", "created"], name="run_conversation"),
            models.Index(fields=["-created"], name="run_created"),
            models.Index(fields=["lease_until"], name="run_lease", condition=models.Q(status__in=LIVE)),
        )

    def __str__(self) -> str:
        return f"Run {str(self.pk)[:8]}"

    def get_absolute_url(self) -> str:
        return reverse("chat:run", args=[self.pk])

    @property
    def live(self) -> bool:
        return self.status in LIVE

    @property
    def cut_short(self) -> bool:
        """Whether it ended before it was done, with something that another run may go on from."""
        failed = self.status == RunStatus.FAILED
        return not self.live and (self.stop_reason in CUT_SHORT or (failed and bool(self.tools)))

    @property
    def can_retry(self) -> bool:
        """Whether a person is offered to have it done again."""
        return self.status == RunStatus.FAILED or self.never_began

    @property
    def can_go_on(self) -> bool:
        """Whether a person is offered to go on from it."""
        return self.cut_short and not self.never_began

    @property
    def never_began(self) -> bool:
        """Whether it was stopped before any model was asked."""
        return self.status == RunStatus.STOPPED and not self.turns

    def unanswered(self, at: datetime) -> bool:
        """Whether nobody renewed the lease of who works on it, by this machine's clock."""
        at_work = self.status in (RunStatus.RUNNING, RunStatus.WAITING) and self.owner != ""
        return at_work and self.lease_until is not None and self.lease_until < at

    @property
    def seconds(self) -> float | None:
        """From its start to its end; None while it has none."""
        return (self.ended - self.started).total_seconds() if self.started and self.ended else None

    @property
    def tokens(self) -> int | None:
        return known_sum(self.input_tokens, self.output_tokens)

    @property
    def tool_calls(self) -> int:
        return sum(self.tools.values())
