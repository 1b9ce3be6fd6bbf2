"""Text that somebody wrote stays text on every page: no element, attribute, id or address is ever made of it."""

import zlib
from itertools import cycle
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from chat.models import Conversation, Fact, FactKind, Message, Payload, Run, Step
from tests.security.asking import HTMX
from tests.security.hers import Hers
from tests.security.markup import HOSTILE, MARK, MARKDOWN, PIECES, doubled_ids, holes, words

ADMIN = ("conversation", "message", "run", "step", "toolcall", "fact")


def spoil(hers: Hers, text: str) -> None:
    """Put a text wherever somebody's text is kept: of a person, a model, a tool, an endpoint."""
    User.objects.filter(username="alice").update(username=text, first_name=text, email=text)
    Conversation.objects.update(title=text, instructions=text + HOSTILE, model=text)
    Message.objects.update(text=text + MARKDOWN)
    Run.objects.update(
        model=text, error=text + HOSTILE, doing=text, tools={text: 2}, stop_reason="error", status="failed",
        request={"system": HOSTILE, "tools": [{"name": text}], "mode": ""}, owner=text[:100],
    )  # fmt: skip
    facts = [{"id": 1, "version": 1, "text": text}]
    memory = {"facts": facts, "preferences": [{"id": 2, "version": 1, "key": text, "text": text}]}
    call = {"id": text, "name": text, "arguments": {text: [text, {text: text}]}, "raw": text, "problem": text}
    said = {"text": text + MARKDOWN, "reasoning": HOSTILE, "calls": [call], "model": text, "refusal": text}
    steps = Step.objects.filter(run=hers.run)
    steps.update(name=text, error=text + HOSTILE, status="error")
    steps.filter(number=1).update(output=memory)
    steps.filter(number=2).update(output=said)
    steps.filter(number=3).update(
        input={"id": text, "arguments": {text: text}, "raw": text}, output={"text": text * 50, "detail": HOSTILE}
    )
    Payload.objects.update(body=zlib.compress((text * 50).encode()))
    Fact.objects.filter(kind=FactKind.FACT).update(text=text)
    Fact.objects.filter(kind=FactKind.PREFERENCE).update(text=text, key=text[:60])


def own_pages(hers: Hers) -> list[str]:
    conversation, run, facts = f"/c/{hers.conversation.pk}/", f"/runs/{hers.run.pk}/", "/settings/facts/"
    return [
        "/", conversation, f"{conversation}edit/", f"{conversation}delete/",
        f"{conversation}messages/?before={hers.run.answer_id}",
        "/runs/", run, f"{run}steps/?before=4", f"{run}steps/1/facts/", f"{run}steps/1/preferences/",
        f"{run}steps/2/response/", f"{run}steps/2/reasoning/", f"{run}steps/2/request/", f"{run}steps/3/arguments/",
        f"{run}steps/3/result/", f"{run}steps/3/traceback/", "/settings/", f"{facts}{hers.fact.pk}/",
        f"{facts}{hers.fact.pk}/edit/", f"{facts}{hers.preference.pk}/edit/", "/accounts/password/",
    ]  # fmt: skip


def admin_pages(hers: Hers) -> list[str]:
    steps = hers.run.steps
    rows: dict[str, Any] = {
        "conversation": hers.conversation.pk, "message": hers.run.answer.pk, "run": hers.run.pk, "fact": hers.fact.pk,
        "step": steps.get(number=2).pk, "toolcall": steps.get(number=3).pk,
    }  # fmt: skip
    found = [f"/admin/chat/{name}/" for name in rows] + ["/admin/", "/admin/auth/user/", "/admin/auth/group/"]
    for name, pk in rows.items():
        found += [f"/admin/chat/{name}/{pk}/change/", f"/admin/chat/{name}/{pk}/history/"]
    found += [f"/admin/chat/{name}/{rows[name]}/delete/" for name in ("conversation", "fact")]
    return [*found, f"/admin/auth/user/{hers.conversation.owner.pk}/delete/"]


def looked_at(client: Client, path: str, htmx: bool = False) -> str:
    response = client.get(path, headers=HTMX if htmx else {}, follow=True)
    assert response.status_code == 200, path
    page = response.content.decode()
    assert not holes(page), (path, holes(page)[:5])
    assert not doubled_ids(page), path
    return page


@pytest.mark.parametrize("piece", PIECES)
def test_it_stays_text_on_the_pages_of_its_owner(alice_client: Client, hers: Hers, piece: str) -> None:
    spoil(hers, piece)

    for path in own_pages(hers):
        for htmx in {False, path.startswith("/settings/facts/")}:
            page = looked_at(alice_client, path, htmx)
            assert MARK in words(page) or path == "/accounts/password/", path


@pytest.mark.parametrize("piece", PIECES)
def test_it_stays_text_in_the_admin(staff_client: Client, hers: Hers, piece: str) -> None:
    Group.objects.create(name=piece[:150])
    spoil(hers, piece)

    said = [path for path in admin_pages(hers) if MARK in words(looked_at(staff_client, path))]
    assert len(said) > 20


def test_it_stays_text_among_the_filters_of_the_admin(staff_client: Client, hers: Hers) -> None:
    """Filters offer what stands in a column, and repeat what stands in the address."""
    spoil(hers, PIECES[0])

    for piece, model in zip(PIECES, cycle(["run", "step", "toolcall", "conversation", "fact"]), strict=False):
        name = {"step": "name", "toolcall": "name", "fact": "key"}.get(model, "model")
        looked_at(staff_client, f"/admin/chat/{model}/?{name}={quote(piece)}")
        looked_at(staff_client, f"/admin/chat/{model}/?q={quote(piece)}")


@pytest.mark.parametrize("piece", PIECES)
def test_what_is_typed_into_a_form_comes_back_as_text(alice_client: Client, hers: Hers, piece: str) -> None:
    """Each of these forms is refused, and shown again with what was typed."""
    fields = {"message": "", "client_id": piece, "title": piece * 12, "text": piece * 12, "key": piece, "theme": piece}
    edit = f"/settings/facts/{hers.preference.pk}/edit/"

    for path in ("/c/", f"/c/{hers.conversation.pk}/edit/", "/settings/facts/", "/settings/preferences/", edit):
        for htmx in (False, True):
            response = alice_client.post(path, fields, headers=HTMX if htmx else {})
            assert response.status_code in (200, 422), path
            assert not holes(response.content.decode()), path
    long = alice_client.post("/c/", {**fields, "message": piece * 400})
    assert MARK in words(long.content.decode())
    assert not holes(long.content.decode())
    assert "theme" not in alice_client.cookies


@pytest.mark.parametrize("piece", PIECES)
def test_what_nobody_types_comes_back_as_text(client: Client, db: None, piece: str) -> None:
    form = {"username": piece, "password": piece, "next": piece}

    for response in (
        client.post("/accounts/login/", form),
        client.post("/admin/login/", form),
        client.get("/accounts/login/", {"next": piece}),
        client.get(f"/admin/?{quote(piece)}", follow=True),
        client.get(f"/{quote(piece)}/"),
        client.get(f"/welcome/{quote(piece.replace('/', ''))}/"),
        client.get("/accounts/login/", headers={"user-agent": "x", "referer": "x"}),
    ):
        assert not holes(response.content.decode())


@pytest.mark.parametrize("piece", PIECES)
def test_what_is_searched_for_and_what_cookies_say_come_back_as_text(
    alice_client: Client, hers: Hers, piece: str
) -> None:
    found = alice_client.get("/conversations/", {"q": piece[:200], "current": piece}, headers=HTMX)
    assert MARK in words(found.content.decode())
    assert not holes(found.content.decode())

    for name in ("theme", "trace"):
        alice_client.cookies[name] = quote(piece)
    for path in own_pages(hers):
        assert not holes(alice_client.get(path).content.decode())


def test_the_reader_of_these_tests_sees_a_hole_where_there_is_one() -> None:
    for piece in PIECES:
        assert holes(f'<p title="{piece}">{piece}</p>'), piece
    for hole in (
        f"<a href='/{MARK}'>x</a>", f"<a href='https://{MARK}.example'>x</a>", f"<p id={MARK}>", f"<p class={MARK}>",
        "<script>1</script>", "<script src=//evil.example></script>", "<p onclick=x>", "<p style=x>", f"<!--{MARK}-->",
        "<object>", f"<p hx-get=/{MARK}>", f"<style>{MARK}</style>", f"<p data-x={MARK}>",
    ):  # fmt: skip
        assert holes(hole), hole
    assert doubled_ids("<p id=a></p><p id=a></p>") == {"a"}
    assert not holes(f'<p title="{MARK}">{MARK}</p><a href="https://{MARK}.example" rel="noopener noreferrer nofollow" '
                     'target="_blank">x</a>')  # fmt: skip
