"""What was said around one message, for one too far up to be on the page of its conversation."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from chat import rows
from chat.articles import articles_around
from chat.models import Conversation, Role


def excerpt(request: HttpRequest, conversation: Conversation, message: int) -> HttpResponse | None:
    """Return the page around a message of the branch shown, with the ways on from both its ends; None if it is not."""
    talk = rows.talk_around(conversation.pk, message)
    if talk is None or all(found.pk != message for found, _ in talk.messages):  # another branch is shown by now
        return None
    shown = articles_around(talk, message)
    said = [one.message for one in shown if one.message.role != Role.SUMMARY]
    earlier = said[0].pk if said[0].parent_id else None
    page = {"conversation": conversation, "articles": shown, "earlier": earlier, "later": said[-1].pk}
    return render(request, "chat/excerpt.html", page)
