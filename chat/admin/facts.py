"""What is remembered of people: staff may correct it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model
from django.http import HttpRequest
from django.utils.safestring import SafeString

from chat import facts
from chat.admin.history import link
from chat.models import Fact, FactKind


class FactForm(forms.ModelForm):  # type: ignore[type-arg]
    """Holds facts and preferences to what the settings page holds them to."""

    def clean(self) -> None:
        super().clean()
        if self.errors:
            return
        owner = self.cleaned_data["owner"].pk if "owner" in self.cleaned_data else self.instance.owner_id
        place = facts.Place(owner, FactKind(self.cleaned_data.get("kind", self.instance.kind)), self.instance.pk)
        try:
            key, text = place.fit(self.cleaned_data["key"], self.cleaned_data["text"])
        except facts.Unfit as unfit:
            raise ValidationError({unfit.field or NON_FIELD_ERRORS: str(unfit)}) from None
        self.cleaned_data |= {"key": key, "text": text}


@admin.register(Fact)
class FactAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = FactForm
    list_display = ("text", "kind", "key", "owner", "version", "updated")
    list_filter = ("kind", "key")
    list_select_related = ("owner",)
    search_fields = ("text", "key", "owner__username")
    date_hierarchy = "updated"
    ordering = ("-updated",)
    list_per_page = 50
    show_full_result_count = False
    fields = ("owner", "kind", "key", "text", "version", "said_in", "created", "updated")
    raw_id_fields = ("owner",)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        fixed = ("version", "said_in", "created", "updated")
        return ("owner", "kind", *fixed) if obj else fixed

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Each change makes a new version, which does not come from a message any more."""
        if change and form.has_changed():
            obj.version += 1
            obj.message = None
        super().save_model(request, obj, form, change)

    def said_in(self, fact: Fact) -> SafeString | str:
        return link(fact.message.conversation) if fact.message else "-"
