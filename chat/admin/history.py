"""What the pages of rows that tell a history share: nothing in them can be changed, and JSON is readable."""

import json
import uuid
from collections.abc import Collection, Iterable
from typing import Any, ClassVar

from asgiref.sync import async_to_sync
from django.contrib import admin
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from chat import runs
from chat.models import Conversation, Message, Run, Step
from chat.transact import once

LONGEST_JSON = 100_000  # characters


class History(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that tell what happened. Only conversations are deleted, as a whole."""

    list_per_page = 50
    show_full_result_count = False
    view_on_site = False

    class Media:
        css: ClassVar = {"all": ["css/admin.css"]}

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class DeletedWithHistory(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows whose deletion takes their history along, which only superusers may do.

    They are shown how much goes, and not each row: Django would load and list them all, and then refuse, because
    nobody may delete a message or a step by itself. The store deletes them, and what is at work there is let go of.
    """

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Done anew where a run that is at work came into its way."""
        if request.method != "POST":
            return super().delete_view(request, object_id, extra_context)
        return once(lambda: super(DeletedWithHistory, self).delete_view(request, object_id, extra_context))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self._delete([obj.pk])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        keys = list(queryset.values_list("pk", flat=True))
        once(lambda: self._delete(keys))

    def _delete(self, keys: Collection[Any]) -> None:
        conversations = self.delete_rows(keys)
        transaction.on_commit(lambda: async_to_sync(runs.forget)(conversations))

    def delete_rows(self, keys: Collection[Any]) -> Collection[uuid.UUID]:
        """Delete these rows by the store; return the conversations that went with them."""
        raise NotImplementedError

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.is_superuser

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        counts = {str(self.opts.verbose_name_plural): len(objs)} | self.history_of(objs)
        return [str(row) for row in objs], counts, set(), []

    def history_of(self, objs: Any) -> dict[str, int]:
        """Return how much is deleted with these rows, by what it is."""
        raise NotImplementedError


def history_of(conversations: Iterable[Conversation]) -> dict[str, int]:
    """Return how much is deleted with conversations, by what it is."""
    return {
        "messages": Message.objects.filter(conversation__in=conversations).count(),
        "runs": Run.objects.filter(conversation__in=conversations).count(),
        "steps": Step.objects.filter(run__conversation__in=conversations).count(),
    }


def pretty(value: object, longest: int = LONGEST_JSON) -> str:
    """Return a JSON value as indented text, cut where it is very long."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    if len(text) <= longest:
        return text
    return f"{text[:longest]}…\n\nThe first {longest:,} of {len(text):,} characters."


def block(text: str) -> SafeString:
    """Return text as a block that keeps its lines."""
    return format_html('<pre class="value" dir="auto">{}</pre>', text)


def links(rows: Iterable[Model]) -> SafeString | str:
    """Return links to the pages of some rows; "-" for none."""
    return format_html_join(", ", "{}", ((link(row),) for row in rows)) or "-"


def link(row: Model) -> SafeString:
    """Return a link to a row's page in the admin."""
    address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}" dir="auto">{}</a>', address, str(row) or "(empty)")
