"""Accounts: Django's own pages, with a deletion that takes a person's conversations along."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User

from chat.admin.history import DeletedWithHistory, history_of
from chat.models import Conversation, Fact

admin.site.unregister(User)


@admin.register(User)
class AccountAdmin(DeletedWithHistory, UserAdmin):  # type: ignore[type-arg]
    def history_of(self, objs: Any) -> dict[str, int]:
        conversations = Conversation.objects.filter(owner__in=objs)
        facts = Fact.objects.filter(owner__in=objs).count()
        return {"conversations": conversations.count(), **history_of(conversations), "facts": facts}
