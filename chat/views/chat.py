"""The chat page: a new chat, a conversation, and the way to send, stop and branch without a websocket."""

import uuid
from contextlib import suppress
from typing import Any

from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from chat import allowances, branches, endpoints, frames, rows, runs, store, trace
from chat.access import conversation_or_404, signed_in, user_of
from chat.acts import act
from chat.articles import last_articles
from chat.lists import LISTED, grouped, listed
from chat.models import Conversation
from chat.render import notice, taken_back
from chat.views import asked
from chat.views.excerpts import excerpt
from chat.words import summary_line

EXAMPLES = (
    "What's the weather like in London and Tokyo?",
    "If it's 14 degrees in London and 22 degrees in Tokyo, what's the average temperature?",
    "What's the square root of the humidity in Sydney?",
    "Remember that I prefer Fahrenheit",
)

# The buttons beside messages belong to these forms, so that they are more than a websocket's.
ACTIONS = ("regenerate", "continue", "fork", "show", "unqueue", "stop_and_send")


@signed_in
@require_safe
def new_chat(request: HttpRequest) -> HttpResponse:
    return render(request, "chat/page.html", _new_page(request))


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """Begin a conversation with its first message. A resend leads to the one that was begun."""
    if request.method != "POST":  # somebody was asked to sign in between
        return redirect("chat:new")
    try:
        frame = frames.check({**request.POST.dict(), "action": "send"})
        assert isinstance(frame, frames.Send)  # noqa: S101  By its action.
        sent = async_to_sync(runs.send)(
            user_of(request).pk, frame.message, frame.client_id, frame.model, None, frame.mode
        )
    except (frames.BadFrame, store.Refused, endpoints.NoModel) as refusal:
        page = _new_page(request) | {"notice": str(refusal), "draft": request.POST.get("message", "")}
        return render(request, "chat/page.html", page, status=422)
    return redirect("chat:conversation", sent.conversation)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def conversation(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    found = conversation_or_404(user_of(request), pk)
    if request.method != "POST":
        return _opened(request, found, _looked_for(request, found))
    partly = bool(request.htmx)  # type: ignore[attr-defined]  # a page without a socket, which stays where it is
    try:
        leads_to, text = async_to_sync(_act)(user_of(request).pk, found, frames.check(request.POST.dict()))
    except (frames.BadFrame, store.Refused, endpoints.NoModel) as refusal:
        if partly:
            return HttpResponse(notice(str(refusal)))  # with an error's status its browser would complain
        page = _page(request, found) | {"notice": str(refusal), "draft": request.POST.get("message", "")}
        return render(request, "chat/page.html", page, status=422)
    if partly and leads_to == found.pk:
        return HttpResponse(notice("") + (taken_back(text) if text else ""))
    if text:
        return render(request, "chat/page.html", _page(request, found) | {"draft": text})
    return redirect("chat:conversation", leads_to)


@signed_in
@require_safe
def earlier_messages(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Return the messages before one, to be put above it."""
    found = conversation_or_404(user_of(request), pk)
    talk = rows.talk(found.pk, asked.number(request, "before"))
    return render(request, "chat/_earlier_messages.html", {"conversation": found.pk, **_messages(talk)})


@signed_in
@require_safe
def conversations(request: HttpRequest) -> HttpResponse:
    """Return the list of conversations that hold the words asked for."""
    query, shown = asked.words(request, "q"), asked.number(request, "shown") or LISTED
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("chat:new")
    found = _conversations(request, query, shown) | {"query": query, "current": request.GET.get("current")}
    return render(request, "chat/_conversations.html", found)


def _conversations(request: HttpRequest, query: str = "", shown: int = LISTED) -> dict[str, Any]:
    """Return the list's beginning, how many to ask for to see more, and the first of those that were just asked for."""
    found = list(listed(user_of(request), query)[: shown + 1])
    added = found[shown - LISTED : shown] if shown > LISTED else []
    return {
        "conversation_groups": grouped(found[:shown], asked.zone(request)),
        "more": shown + LISTED if len(found) > shown else None,
        "focus": added[0].pk if added else None,
    }


async def _act(user: int, found: Conversation, frame: frames.Frame) -> tuple[uuid.UUID, str]:
    """Do what a form asks for; return the conversation to go to, and the text that goes back into the box."""
    match frame:
        case frames.Resume() | frames.Seen():
            return found.pk, ""
        case frames.Send():
            await runs.send(user, frame.message, frame.client_id, frame.model or found.model, found.pk, frame.mode)
            return found.pk, ""
        case frames.Fork():
            return await runs.fork(found.pk, frame.message_id, frame.key), ""
        case _:
            return found.pk, await act(user, found, frame)


def _opened(request: HttpRequest, found: Conversation, message: int | None) -> HttpResponse:
    """Return the page of a conversation, or one around the message that is looked for, if that is too far up for it."""
    page = _page(request, found, message)
    if message and all(one.message.pk != message for one in page["articles"]):
        return excerpt(request, found, message) or render(request, "chat/page.html", page)
    return render(request, "chat/page.html", page)


def _looked_for(request: HttpRequest, found: Conversation) -> int | None:
    """Return the message that an address leads to, on whichever branch it is: that one is then shown."""
    message = asked.number(request, "message")
    if message and request.method == "GET" and not branches.shown(found.pk, [message]):
        with suppress(frames.BadFrame, store.Refused):  # it is not here any more
            show = frames.check({"action": "show", "message_id": message})
            async_to_sync(_act)(user_of(request).pk, found, show)
    return message


def _new_page(request: HttpRequest) -> dict[str, Any]:
    return _frame(request, "") | {"examples": EXAMPLES, "articles": []}


def _page(request: HttpRequest, found: Conversation, down_from: int | None = None) -> dict[str, Any]:
    talk = rows.talk(found.pk, down_from=down_from)
    newest = branches.newest_run(found.pk)
    live = rows.at_work(rows.live_runs(found.pk))
    return _frame(request, found.model) | {
        "conversation": found,
        "actions": ACTIONS,
        "panel": trace.panel(newest, rows.run_steps(newest)) if newest else None,
        "live": live,
        "doing": summary_line(live, is_next=True) if live else "",
        "revision": talk.revision,
        **_messages(talk, down_from),
    }


def _messages(talk: rows.Talk, down_from: int | None = None) -> dict[str, Any]:
    articles, earlier = last_articles(talk, down_from)
    return {"articles": articles, "earlier": earlier}


def _frame(request: HttpRequest, model: str) -> dict[str, Any]:
    """Return what the page shows around the messages."""
    names, demo = async_to_sync(_choice)()
    return {
        **_conversations(request),
        "models": names,
        "model": model if model in names else next(iter(names), ""),
        "demo": demo,
        "client_id": str(uuid.uuid4()),
        "allowance": allowances.warning(user_of(request).pk, timezone.now()),
        "panel": None,
    }


async def _choice() -> tuple[list[str], bool]:
    """Return the models to choose from, and whether there is only the demo model."""
    return await endpoints.models(), await endpoints.is_demo()
