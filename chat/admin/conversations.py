"""Conversations and their messages, for review."""

import uuid
from collections.abc import Collection
from typing import Any

from django.contrib import admin
from django.db.models import Count, F, IntegerField, OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from chat import branches, store
from chat.admin.history import DeletedWithHistory, History, history_of, link, links
from chat.articles import Pager
from chat.models import Conversation, Message, Role, Run
from chat.words import dollars

SHOWN_MESSAGES = 200


@admin.register(Conversation)
class ConversationAdmin(DeletedWithHistory, History):
    list_display = ("title", "owner", "model", "runs", "cost", "pinned", "archived", "updated")
    list_filter = ("archived", "pinned", "model")
    list_select_related = ("owner",)
    search_fields = ("title", "owner__username", "=id")
    date_hierarchy = "updated"
    ordering = ("-updated",)
    fields = ("title", "owner", "model", "instructions", "pinned", "archived", "created", "updated", "id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        of_row = Run.objects.filter(conversation=OuterRef("pk")).order_by().values("conversation")
        runs = of_row.annotate(number=Count("pk")).values("number")
        cost = of_row.filter(copied=False).annotate(total=Sum("cost")).values("total")
        found: QuerySet[Conversation] = super().get_queryset(request)
        return found.annotate(run_count=Subquery(runs, output_field=IntegerField()), total_cost=Subquery(cost))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Show the newest messages on the conversation's page, each answer with its run."""
        messages = kwargs["obj"].messages.select_related("run").order_by("-pk")[: SHOWN_MESSAGES + 1]
        shown = list(messages)
        lines = _lines(kwargs["obj"], shown[SHOWN_MESSAGES - 1 :: -1])
        context |= {"messages_shown": lines, "has_earlier": len(shown) > SHOWN_MESSAGES}
        return super().render_change_form(request, context, *args, **kwargs)

    def history_of(self, objs: Any) -> dict[str, int]:
        return history_of(objs)

    def delete_rows(self, keys: Collection[uuid.UUID]) -> Collection[uuid.UUID]:
        return store.delete_conversations(keys, timezone.now())

    @admin.display(ordering=F("run_count"))
    def runs(self, row: Any) -> int:
        return row.run_count or 0

    @admin.display(ordering=F("total_cost"))
    def cost(self, row: Any) -> str:
        return dollars(row.total_cost)


def _lines(conversation: Conversation, messages: list[Message]) -> list[dict[str, object]]:
    """Return the messages, each with the branch that it begins and whether that is shown to its owner."""
    beside = branches.siblings(conversation.pk, messages)
    on_page = branches.shown(conversation.pk, [message.pk for message in messages])
    return [
        {
            "message": message,
            "branch": Pager.at(message, beside.get(message.pk, ())),
            "hidden": message.role != Role.SUMMARY and message.pk not in on_page,
        }
        for message in messages
    ]


@admin.register(Message)
class MessageAdmin(History):
    list_display = ("excerpt", "role", "conversation_link", "owner", "created")
    list_filter = ("role",)
    list_select_related = ("conversation", "owner")
    search_fields = ("text", "conversation__title", "owner__username")
    date_hierarchy = "created"
    ordering = ("-pk",)
    fields = (
        "role", "owner", "conversation_link", "run_link", "text", "before", "beside", "after",
        "created", "client_id", "born", "revision",
    )  # fmt: skip

    @admin.display(description="text", ordering="text")
    def excerpt(self, message: Message) -> str:
        return Truncator(message.text).chars(100) or "(empty)"

    @admin.display(description="conversation", ordering="conversation__title")
    def conversation_link(self, message: Message) -> SafeString:
        return link(message.conversation)

    @admin.display(description="comes after")
    def before(self, message: Message) -> SafeString | str:
        return links([message.parent] if message.parent else [])

    @admin.display(description="other branches here")
    def beside(self, message: Message) -> SafeString | str:
        others = branches.siblings(message.conversation_id, [message]).get(message.pk, [])
        return links(Message.objects.filter(pk__in=others).exclude(pk=message.pk).order_by("pk"))

    @admin.display(description="followed by")
    def after(self, message: Message) -> SafeString | str:
        return links(message.children.order_by("pk"))

    @admin.display(description="run")
    def run_link(self, message: Message) -> SafeString | str:
        """The run that said it, or the newest one that answers it."""
        run = getattr(message, "run", None) or message.runs.order_by("-created").first()
        return link(run) if run else "-"
