"""Steps: the rows of a run's trace."""

from typing import ClassVar

from django.db import models

from chat.kept_json import KeptJSONField
from chat.models.runs import Run
from chat.wire.values import known_sum


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
        return known_sum(*self.buckets.values())

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
