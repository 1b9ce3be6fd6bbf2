"""What is stored: conversations, messages, runs, steps, and what is remembered of a person."""

import uuid
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.expressions import RawSQL
from django.urls import reverse

from chat.kept_json import KeptJSONField


class Mode(models.TextChoices):
    PLAIN = "", "Plain"
    REACT = "react", "ReAct"


class Conversation(models.Model):
    """One chat of one person. `revision` counts the changes of what its list of messages shows.

    The list is the path from a first message down to `leaf`; what branches off it is kept, and can be shown again.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="conversations")
    title = models.CharField(max_length=200)
    model = models.CharField(max_length=200, blank=True, help_text="Empty: the default model.")
    mode = models.CharField(max_length=10, choices=Mode, blank=True, help_text="ReAct: it thinks in the open.")
    instructions = models.TextField(blank=True, help_text="Joined to the system prompt of every run here.")
    pinned = models.BooleanField(default=False)
    archived = models.BooleanField(default=False)
    leaf = models.ForeignKey(
        "Message", models.SET_NULL, null=True, blank=True, related_name="+",
        help_text="The last message that is shown. Empty: the newest.",
    )  # fmt: skip
    revision = models.PositiveBigIntegerField(default=0)
    anew = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="The revision at which its list last became another one, not just longer."
    )
    created = models.DateTimeField()
    updated = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["owner", "archived", "-pinned", "-updated"], name="conversation_list"),)

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("chat:conversation", args=[self.pk])


class Role(models.TextChoices):
    USER = "user"
    ASSISTANT = "assistant"
    SUMMARY = "summary"


class Message(models.Model):
    """What a person or the agent said. `parent` is the message before it; `born` the revision that made it.

    Several messages after the same one are branches: a question edited, an answer regenerated. A message is always
    older than those below it, so the order of ids is the order of each branch.
    A `summary` stands for older turns, which do not fit into the model's window any more. It hangs on the answer during
    which it was written; when more turns do not fit, a later answer gets the next `version`. Each is a step of a trace.
    """

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="messages")
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="children")
    role = models.CharField(max_length=10, choices=Role)
    text = models.TextField(blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="messages")
    version = models.PositiveIntegerField(default=1)
    client_id = models.CharField(  # noqa: DJ001  Null where nobody sent it, so that it need not be unique there.
        max_length=64, null=True, blank=True, help_text="Made by the sender, so that a resend is harmless."
    )
    born = models.PositiveBigIntegerField()
    revision = models.PositiveBigIntegerField()
    created = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["owner", "client_id"], name="message_client_id"),)
        indexes = (
            models.Index(fields=["conversation", "revision"], name="message_revision"),
            models.Index(fields=["owner", "created"], name="message_owner"),
            models.Index(fields=["conversation", "parent"], name="message_siblings"),
        )

    def __str__(self) -> str:
        return f"{self.role}: {self.text[:60]}"


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
        known = [count for count in (self.input_tokens, self.output_tokens) if count is not None]
        return sum(known) if known else None

    @property
    def tool_calls(self) -> int:
        return sum(self.tools.values())


class StepKind(models.TextChoices):
    MODEL = "model"
    TOOL = "tool"
    MEMORY = "memory"
    CONTEXT = "context"
    RETRY = "retry"
    WAIT = "wait"
    LIMIT = "limit"
    RESUMED = "resumed"


class StepStatus(models.TextChoices):
    RUNNING = "running"
    DONE = "done"
    ERROR = "error"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


class Step(models.Model):
    """One row of a run's trace.

    `input` and `output` by kind; what is empty is left out:
    - `model`: {"purpose": "answer" or "title", "turn", "after": the number of the last step that the request holds,
      "host", "without", "last": the limit for which it is the last, "sha256" and "bytes" of the request}, and a reply:
      {"text", "thought", "reasoning", "reasoning_field", "details", "calls": [{"id", "name", "arguments", "raw",
      "problem", "extra"}], "finish", "refusal", "model"}; of one that was cut off what is there of its text.
    - `context`: {"cut"}, and of a summary, which is asked of a model, all of `model` with the purpose "summary".
    - `tool`: {"id", "arguments"}, and "raw", what the model wrote, of a call that must not run; {"text"}, and "detail",
      a traceback, of one that broke.
    - `memory`: {} and {"facts": [{"id", "version", "text"}], "preferences": the same, with a "key"}.
    - `retry`, `wait`: {"seconds", "reason"} and {}. `limit`: {"limit"} and {}.
    - `resumed`, from when the server was last seen at work to when another process took over: {"attempt", "given_up"
      or "away"} and {}.
    The five token counts are disjoint; their sum is all that was read and written. Null means: not reported, and
    nothing to guess it from.
    """

    run = models.ForeignKey(Run, models.CASCADE, related_name="steps")
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="children")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=StepKind)
    name = models.CharField(max_length=200, help_text="Of the tool, or of the model.")
    status = models.CharField(max_length=10, choices=StepStatus, default=StepStatus.RUNNING)
    started = models.DateTimeField()
    first_token = models.DateTimeField(null=True, blank=True)
    ended = models.DateTimeField(null=True, blank=True)
    input = KeptJSONField(default=dict, blank=True)
    output = KeptJSONField(default=dict, blank=True)
    error = models.TextField(blank=True)
    input_tokens = models.PositiveBigIntegerField("fresh input tokens", null=True, blank=True)
    cache_read_tokens = models.PositiveBigIntegerField(null=True, blank=True)
    cache_write_tokens = models.PositiveBigIntegerField(null=True, blank=True)
    reasoning_tokens = models.PositiveBigIntegerField(null=True, blank=True)
    output_tokens = models.PositiveBigIntegerField("visible output tokens", null=True, blank=True)
    estimated = models.BooleanField(default=False, help_text="The endpoint reported no tokens: these are a guess.")
    cost = models.DecimalField("cost (USD)", max_digits=14, decimal_places=8, null=True, blank=True)
    born = models.PositiveBigIntegerField()
    revision = models.PositiveBigIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["run", "number"], name="step_number"),)
        indexes = (models.Index(fields=["run", "revision"], name="step_revision"),)

    def __str__(self) -> str:
        return f"{self.number}. {self.name}"

    @property
    def asks_model(self) -> bool:
        """Whether it is a request to a model: for a turn, a title, or a summary of older turns."""
        return self.kind == StepKind.MODEL or (self.kind == StepKind.CONTEXT and "purpose" in self.input)

    @property
    def never_ran(self) -> bool:
        """Whether it is a tool call that was answered with an error instead of being run."""
        return self.kind == StepKind.TOOL and "raw" in self.input

    @property
    def seconds(self) -> float | None:
        return (self.ended - self.started).total_seconds() if self.ended else None

    @property
    def first_token_seconds(self) -> float | None:
        return (self.first_token - self.started).total_seconds() if self.first_token else None

    @property
    def tokens(self) -> int | None:
        """All tokens of this step, or None where the endpoint reported none."""
        known = [count for count in self.buckets.values() if count is not None]
        return sum(known) if known else None

    @property
    def buckets(self) -> dict[str, int | None]:
        """The disjoint token counts, by the words a person reads."""
        return {
            "input": self.input_tokens,
            "cache read": self.cache_read_tokens,
            "cache write": self.cache_write_tokens,
            "reasoning": self.reasoning_tokens,
            "output": self.output_tokens,
        }


class ToolCallManager(models.Manager["ToolCall"]):
    def get_queryset(self) -> models.QuerySet["ToolCall"]:
        return super().get_queryset().filter(kind=StepKind.TOOL)


class ToolCall(Step):
    """The steps that are tool calls, by themselves."""

    objects: ClassVar[ToolCallManager] = ToolCallManager()

    class Meta:
        proxy = True


class Payload(models.Model):
    """A body too big for its step's row, compressed with zlib: the whole output of a tool, read on demand."""

    step = models.OneToOneField(Step, models.CASCADE, related_name="payload")
    body = models.BinaryField()
    created = models.DateTimeField()

    def __str__(self) -> str:
        return f"Payload of step {self.step_id}"


class FactKind(models.TextChoices):
    FACT = "fact"
    PREFERENCE = "preference"


class Fact(models.Model):
    """Something remembered of a person: a fact (`text`), or a preference (`key` and `text`).

    `message` is the message in which it was said; null where it was typed on the settings page. Each change of
    the text makes a new `version`, so that a run can say which one it was given.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="facts")
    kind = models.CharField(max_length=10, choices=FactKind, default=FactKind.FACT)
    key = models.CharField(max_length=60, blank=True)
    text = models.CharField(max_length=500)
    version = models.PositiveIntegerField(default=1)
    message = models.ForeignKey(Message, models.SET_NULL, null=True, blank=True, related_name="facts")
    created = models.DateTimeField(auto_now_add=True)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["owner", "key"], condition=models.Q(kind=FactKind.PREFERENCE), name="preference_key"
            ),
            models.UniqueConstraint(fields=["owner", "text"], condition=models.Q(kind=FactKind.FACT), name="fact_text"),
        )
        indexes = (models.Index(fields=["owner", "kind", "id"], name="fact_owner"),)

    def __str__(self) -> str:
        return f"{self.key}: {self.text}" if self.kind == FactKind.PREFERENCE else self.text


# Django looks for models here.
import chat.allowance_models  # noqa: E402
import chat.endpoint_models  # noqa: E402, F401
