"""Endpoints and their models: set up, tested, and their keys taken in and never given out."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.debug import sensitive_post_parameters

from chat.admin.endpoint_form import EndpointForm, key_state
from chat.endpoint_check import check
from chat.models import Endpoint, EndpointModel

ABILITIES = {
    "streaming": "Streams its replies",
    "usage_in_stream": "Reports token counts",
    "stream_options": "Takes stream_options",
    "tools": "Calls tools",
    "parallel_tools": "Calls several tools at once",
    "reasoning": "Takes its reasoning back",
    "stop": "Takes stop words",
    "ids": "Takes call ids of any form",
    "roles": "Takes messages of one role in a row",
    "system": "Takes a system prompt",
    "window": "Takes in at most so many tokens",
}
WORDS = {True: "yes", False: "no"}


class ModelInline(admin.TabularInline):  # type: ignore[type-arg]
    model = EndpointModel
    extra = 1


@admin.register(Endpoint)
class EndpointAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = EndpointForm
    inlines = (ModelInline,)
    actions = ("test_endpoints",)
    list_display = ("name", "base_url", "enabled", "key_state", "model_count", "status")
    list_filter = ("enabled",)
    search_fields = ("name", "base_url", "models__name")
    readonly_fields = ("key_state", "tested", "abilities_table", "problems", "models_listed")
    fieldsets = (
        (None, {"fields": ("name", "base_url", "key_state", "enabled")}),
        ("Limits", {"fields": (("requests_per_minute", "max_concurrent"),)}),
        ("What the last test found", {"fields": ("tested", "abilities_table", "problems", "models_listed")}),
    )

    class Media:
        css: ClassVar = {"all": ["css/admin.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Endpoint]:
        found: QuerySet[Endpoint] = super().get_queryset(request)
        return found.annotate(models_there=Count("models"))

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Who may type a key is given fields for it; and nothing was found of what is not there yet."""
        (_, first), limits, found = super().get_fieldsets(request, obj)
        name, base_url, *key, enabled = first["fields"]
        if obj is None:
            key = ["key"]
        elif self.has_change_permission(request, obj):
            key = ["key", "forget_key"]
        return [(None, {"fields": (name, base_url, *key, enabled)}), limits, *([found] if obj else [])]

    @method_decorator(sensitive_post_parameters("key"))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().changeform_view(request, *args, **kwargs)
        # Django saves in a transaction, and a test must not hold one for a minute.
        if saved := getattr(request, "endpoint_to_test", None):
            self.test_endpoints(request, Endpoint.objects.filter(pk=saved))
        return response

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A key goes to the base URL that it was typed for, and what was found of another one says nothing."""
        key, moved = form.cleaned_data["key"], change and form.initial["base_url"] != obj.base_url
        if obj.sealed_key and moved and not key:
            self.message_user(
                request, "The key was dropped: it was saved for the old base URL. Type the key of the new one.",
                messages.WARNING,
            )  # fmt: skip
        if key or moved or form.cleaned_data["forget_key"]:
            obj.set_key(key)
        if moved:
            obj.abilities, obj.tested, obj.test_result = {}, None, {}
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._to_be_tested(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._to_be_tested(request, obj) or super().response_change(request, obj)

    def _to_be_tested(self, request: HttpRequest, obj: Endpoint) -> HttpResponse | None:
        if "_test" not in request.POST:
            return None
        request.endpoint_to_test = obj.pk  # type: ignore[attr-defined]
        return redirect("admin:chat_endpoint_change", obj.pk)

    @admin.action(description="Test endpoint", permissions=["change"])
    def test_endpoints(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        for endpoint, problems in check(queryset).items():
            said = " ".join(problems) or "all of it works."
            level = messages.WARNING if problems else messages.SUCCESS
            self.message_user(request, f"{endpoint}: {said}", level)

    @admin.display(description="key")
    def key_state(self, endpoint: Endpoint) -> str:
        return key_state(endpoint)

    @admin.display(description="models", ordering="models_there")
    def model_count(self, endpoint: Any) -> int:
        return int(endpoint.models_there)

    @admin.display(description="last test", ordering="tested")
    def status(self, endpoint: Endpoint) -> str:
        problems = len(endpoint.test_result.get("problems", ()))
        found = f"{problems} problem{'s' if problems > 1 else ''}" if problems else "works"
        return found if endpoint.tested else "not tested"

    @admin.display(description="what it can do")
    def abilities_table(self, endpoint: Endpoint) -> SafeString | str:
        rows = [(_ability(name), WORDS.get(known, known)) for name, known in endpoint.abilities.items()]
        lines = format_html_join("", '<tr><th scope="row">{}</th><td>{}</td></tr>', rows)
        return format_html("<table>{}</table>", lines) if rows else "-"

    @admin.display(description="problems")
    def problems(self, endpoint: Endpoint) -> SafeString | str:
        found = [(problem,) for problem in endpoint.test_result.get("problems", ())]
        return format_html_join("", "<div>{}</div>", found) or "-"

    @admin.display(description="models it lists")
    def models_listed(self, endpoint: Endpoint) -> str:
        listed = endpoint.test_result.get("models", {})
        return ", ".join(f"{name} ({window:,} tokens)" if window else name for name, window in listed.items()) or "-"


def _ability(name: str) -> str:
    """Return an ability in words, with its model where it is that of one."""
    ability, _, model = name.partition(":")
    words = ABILITIES.get(ability, ability)
    return f"{words} ({model})" if model else words
