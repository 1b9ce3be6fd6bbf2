"""Accounts: Django's own pages, with what a person may use, and a deletion that takes their conversations along."""

import uuid
from collections.abc import Collection
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.http import HttpRequest

from chat import store
from chat.admin.history import DeletedWithHistory, history_of
from chat.models import Allowance, Conversation, Fact

admin.site.unregister(User)


class AllowanceInline(admin.StackedInline):  # type: ignore[type-arg]
    model = Allowance
    verbose_name_plural = "allowance: what is left empty is as by default"


@admin.register(User)
class AccountAdmin(DeletedWithHistory, UserAdmin):  # type: ignore[type-arg]
    def get_inlines(self, request: HttpRequest, obj: User | None) -> "list[type[InlineModelAdmin[Any, Any]]]":
        """A page that makes an account asks for a name and a password alone."""
        return [AllowanceInline] if obj else []

    def history_of(self, objs: Any) -> dict[str, int]:
        conversations = Conversation.objects.filter(owner__in=objs)
        facts = Fact.objects.filter(owner__in=objs).count()
        return {"conversations": conversations.count(), **history_of(conversations), "facts": facts}

    def delete_rows(self, keys: Collection[int]) -> Collection[uuid.UUID]:
        return store.delete_accounts(keys)


@admin.register(Allowance)
class AllowanceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The default, and who has an allowance of their own."""

    list_display = ("__str__", "live_runs", "runs_an_hour", "tokens_a_day", "cost_a_day")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    raw_id_fields = ("user",)
    ordering = ("user__username",)
