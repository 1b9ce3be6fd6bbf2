"""The pages on which a conversation is renamed, pinned, archived, instructed and deleted."""

import uuid

from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from chat import runs
from chat.access import conversation_or_404, signed_in, user_of
from chat.forms import ConversationForm


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    conversation = conversation_or_404(user_of(request), pk)
    form = ConversationForm(conversation, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        form.write()
        async_to_sync(runs.hint)(pk)
        return redirect(conversation)
    return render(request, "chat/edit.html", {"form": form, "conversation": conversation})


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask first; then delete the conversation with its messages, runs and steps. What is at work in it is stopped."""
    conversation = conversation_or_404(user_of(request), pk)
    if request.method != "POST":
        return render(request, "chat/delete.html", {"conversation": conversation})
    async_to_sync(runs.delete)(pk)
    return redirect("/")
