"""Runs, their steps and their tool calls, for review."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import DurationField, ExpressionWrapper, F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from chat.admin.history import History, block, link, links, pretty
from chat.models import Run, Step, ToolCall
from chat.words import count, dollars, duration

SHOWN_STEPS = 200
SHOWN_JSON = 4_000  # characters of each input and output on a run's page; a step's own page has more

TIME = ExpressionWrapper(F("ended") - F("started"), output_field=DurationField())


class Figures(History):
    """The columns that runs and steps share: how long, how much, for what."""

    @admin.display(ordering=TIME)
    def time(self, row: Run | Step) -> str:
        return duration(row.seconds) or "–"

    @admin.display(description="tokens", ordering=F("input_tokens") + F("output_tokens"))
    def tokens_used(self, row: Run | Step) -> str:
        return count(row.tokens)

    @admin.display(description="cost", ordering="cost")
    def dollars(self, row: Run | Step) -> str:
        return dollars(row.cost)


@admin.register(Run)
class RunAdmin(Figures):
    list_display = (
        "short", "conversation_link", "person", "ending", "model", "turns", "tokens_used", "dollars", "time", "created",
    )  # fmt: skip
    list_filter = ("status", "stop_reason", "model")
    list_select_related = ("conversation__owner",)
    search_fields = ("=id", "conversation__title", "conversation__owner__username", "error")
    date_hierarchy = "created"
    ordering = ("-created",)
    fieldsets = (
        (None, {"fields": ("conversation_link", "person", "question", "status", "stop_reason", "error", "model")}),
        ("Where it stands", {"fields": ("message_link", "answer_link", "goes_on_from", "went_on")}),
        ("Figures", {"fields": (("turns", "tokens_used", "dollars", "time"), "tools_used")}),
        ("Times", {"fields": ("created", "started", "ended"), "classes": ("collapse",)}),
        ("What stayed the same in its requests", {"fields": ("frozen",), "classes": ("collapse",)}),
        ("Lease", {"fields": ("owner", "attempt", "lease_until", "revision"), "classes": ("collapse",)}),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        found: QuerySet[Run] = super().get_queryset(request)
        return found.defer("request", "conversation__instructions")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Show the steps on the run's page, in their order."""
        steps = list(kwargs["obj"].steps.order_by("number")[: SHOWN_STEPS + 1])
        context |= {
            "steps": [_line(step) for step in steps[:SHOWN_STEPS]],
            "has_more_steps": len(steps) > SHOWN_STEPS,
            "is_own": kwargs["obj"].conversation.owner_id == request.user.pk,
        }
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="run")
    def short(self, run: Run) -> str:
        return str(run)

    @admin.display(description="conversation", ordering="conversation__title")
    def conversation_link(self, run: Run) -> SafeString:
        return link(run.conversation)

    @admin.display(description="user", ordering="conversation__owner__username")
    def person(self, run: Run) -> str:
        return run.conversation.owner.get_username()

    @admin.display(description="status", ordering="status")
    def ending(self, run: Run) -> str:
        """The status, with its reason where that says more."""
        if run.stop_reason in ("", run.status):
            return run.get_status_display()
        return f"{run.get_status_display()}: {run.get_stop_reason_display()}"

    @admin.display(description="message")
    def message_link(self, run: Run) -> SafeString:
        return link(run.message)

    @admin.display(description="answer")
    def answer_link(self, run: Run) -> SafeString:
        return link(run.answer)

    @admin.display(description="continues")
    def goes_on_from(self, run: Run) -> SafeString | str:
        return links([run.continues] if run.continues else [])

    @admin.display(description="continued by")
    def went_on(self, run: Run) -> SafeString | str:
        return links(run.continued_by.order_by("created"))

    def question(self, run: Run) -> SafeString:
        return block(Truncator(run.message.text).chars(2000))

    def tools_used(self, run: Run) -> str:
        return ", ".join(f"{name} × {times}" for name, times in run.tools.items()) or "none"

    @admin.display(description="system prompt and tools")
    def frozen(self, run: Run) -> SafeString:
        return block(pretty(run.request))


def _line(step: Step) -> dict[str, object]:
    bodies = [
        (name, pretty(value, SHOWN_JSON)) for name, value in (("Input", step.input), ("Output", step.output)) if value
    ]
    return {
        "link": link(step),
        "step": step,
        "time": duration(step.seconds),
        "tokens": count(step.tokens),
        "cost": dollars(step.cost),
        "bodies": bodies,
    }


@admin.register(Step)
class StepAdmin(Figures):
    list_display: tuple[str, ...] = (
        "name",
        "kind",
        "status",
        "run_link",
        "number",
        "tokens_used",
        "dollars",
        "time",
        "started",
    )
    list_filter: ClassVar[tuple[str, ...]] = ("kind", "status", "name")
    list_select_related = ("run",)
    search_fields = ("name", "error", "=run__id")
    date_hierarchy = "started"
    ordering = ("-pk",)
    fieldsets = (
        (None, {"fields": ("run_link", "number", "kind", "name", "status", "error")}),
        ("Input and output", {"fields": ("input_json", "output_json")}),
        ("Figures", {"fields": ("time", "first_token_time", "tokens_by_kind", "dollars")}),
        ("Times", {"fields": ("started", "first_token", "ended"), "classes": ("collapse",)}),
        ("Revisions", {"fields": ("born", "revision"), "classes": ("collapse",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Step]:
        found: QuerySet[Step] = super().get_queryset(request)
        return found.defer("input", "output", "run__request")

    @admin.display(description="run", ordering="run__created")
    def run_link(self, step: Step) -> SafeString:
        return link(step.run)

    @admin.display(description="input")
    def input_json(self, step: Step) -> SafeString:
        return block(pretty(step.input))

    @admin.display(description="output")
    def output_json(self, step: Step) -> SafeString:
        return block(pretty(step.output))

    @admin.display(description="until the first token")
    def first_token_time(self, step: Step) -> str:
        return duration(step.first_token_seconds) or "–"

    @admin.display(description="tokens")
    def tokens_by_kind(self, step: Step) -> str:
        if step.tokens is None:
            return "not reported"
        return ", ".join(f"{count(number)} {name}" for name, number in step.buckets.items() if number is not None)


@admin.register(ToolCall)
class ToolCallAdmin(StepAdmin):
    list_display = ("name", "status", "failure", "run_link", "number", "time", "started")
    list_filter = ("name", "status")

    @admin.display(description="error", ordering="error")
    def failure(self, step: Step) -> str:
        return Truncator(step.error).chars(80) or "–"
