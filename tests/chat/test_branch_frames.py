"""What open pages are sent when another branch is shown: after it they hold the same as a page that is loaded."""

import re
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.test import Client

from chat import preview, store
from chat.agent.events import ModelStarted
from chat.models import Conversation, Run
from chat.viewer import Viewer
from tests.chat.talks import NOW, edit, end, go_on, named, regenerate, say, talked

ANEW = "innerHTML:#messages"


def opened(here: UUID) -> Viewer:
    """A page that was loaded just now."""
    viewer = Viewer(here)
    viewer.resume(Conversation.objects.get(pk=here).revision)
    viewer.catch_up()
    return viewer


def list_in(frame: str | None) -> list[str]:
    """The articles of the list in a frame that draws it anew."""
    assert frame is not None
    [whole] = re.findall(rf'<div hx-swap-oob="{ANEW}">(.*</article>)\s*</div>', frame, re.DOTALL)
    return articles(whole)


def articles(html: str) -> list[str]:
    return re.findall(r"<article.*?</article>", html, re.DOTALL)


def loaded(client: Client, here: UUID) -> list[str]:
    return articles(client.get(f"/c/{here}/").content.decode())


def test_after_an_edit_every_page_gets_the_list_that_a_reload_has(alice: User, alice_client: Client) -> None:
    here = talked(alice, "A", "B")
    viewer = opened(here)

    sent = edit(here, named(here, "B"), "B2")
    assert list_in(viewer.catch_up()) == loaded(alice_client, here)
    end(sent)
    frame = viewer.catch_up()
    assert frame is not None
    assert ANEW not in frame
    assert "B2!" in frame


def test_after_a_switch_every_page_gets_the_list_that_a_reload_has_and_its_run(
    alice: User, alice_client: Client
) -> None:
    here = talked(alice, "A", "B")
    end(edit(here, named(here, "B"), "B2"))
    viewer = opened(here)

    store.show(here, named(here, "B"))

    frame = viewer.catch_up()
    assert list_in(frame) == loaded(alice_client, here)
    assert viewer.run == Run.objects.get(answer__text="B!").pk
    assert str(viewer.run) in alice_client.get(f"/c/{here}/").content.decode()
    assert viewer.catch_up() == ""


def test_after_taking_back_every_page_gets_the_list_that_a_reload_has(alice: User, alice_client: Client) -> None:
    here = talked(alice, "A")
    say(here, "B")
    waits = say(here, "C")
    viewer = opened(here)

    store.unqueue(here, waits.message)

    assert list_in(viewer.catch_up()) == loaded(alice_client, here)


def test_a_list_without_messages_is_drawn_too(alice: User) -> None:
    here = talked(alice, "A")
    Run.objects.update(status="queued", stop_reason="")
    viewer = opened(here)

    store.unqueue(here, named(here, "A"))

    assert '<div hx-swap-oob="innerHTML:#messages"></div>' in (viewer.catch_up() or "")


def test_what_goes_on_below_is_appended(alice: User) -> None:
    here = talked(alice, "A")
    cut = end(say(here, "B"), "B…", "stopped", "stopped")
    viewer = opened(here)

    go_on(here, cut)

    frame = viewer.catch_up()
    assert frame is not None
    assert ANEW not in frame
    assert len(articles(frame)) == 1


def test_a_run_on_a_branch_that_is_not_shown_changes_no_message_of_the_page(alice: User) -> None:
    here = talked(alice, "A", "B")
    hidden = edit(here, named(here, "B"), "B2")
    store.show(here, named(here, "B"))
    viewer = opened(here)
    run = Run.objects.get(pk=hidden.run)

    store.apply(run.pk, run.attempt, (ModelStarted(1, NOW, 1, "m", 0, "", 0),))
    showing = preview.open_preview(run.pk, here, run.answer_id)
    showing.add(1, "Well hidden")
    frame = f"{viewer.catch_up()}{viewer.stream()}"
    assert f"m-{run.answer_id}" not in frame
    assert "hidden" not in frame
    may_be_stopped = viewer.waits
    preview.close_preview(run.pk)

    end(hidden)
    frame = viewer.catch_up() or ""
    assert f"m-{run.answer_id}" not in frame
    assert "Stop</button>" not in frame
    assert "innerHTML:#stop-slot" in frame
    assert (may_be_stopped, viewer.waits) == (True, False)

    store.show(here, hidden.message)
    assert "B2!" in (viewer.catch_up() or "")


def test_a_live_answer_on_a_branch_that_is_shown_again_goes_on_with_its_text(alice: User) -> None:
    here = talked(alice, "A")
    sent = regenerate(here, named(here, "A!"))
    run = Run.objects.get(pk=sent.run)
    store.apply(run.pk, run.attempt, (ModelStarted(1, NOW, 1, "m", 0, "", 0),))
    showing = preview.open_preview(run.pk, here, run.answer_id)
    showing.add(1, "Said so far")
    store.show(here, named(here, "A!"))
    viewer = opened(here)
    assert viewer.stream() == ""

    store.show(here, run.answer_id)
    viewer.catch_up()
    assert "Said so far" in viewer.stream()
    preview.close_preview(run.pk)


def pages(html: str) -> list[tuple[Any, ...]]:
    """The pagers in a page: their place, and the messages they lead to."""
    return re.findall(r'aria-label="Branch (\d) of (\d)".*?</span>', html, re.DOTALL)


def test_a_pager_stands_where_there_are_branches_and_only_there(alice: User, alice_client: Client) -> None:
    here = talked(alice, "A", "B")
    assert pages(alice_client.get(f"/c/{here}/").content.decode()) == []

    end(edit(here, named(here, "B"), "B2"))
    end(regenerate(here, named(here, "B2!")), "B2?")

    assert pages(alice_client.get(f"/c/{here}/").content.decode()) == [("2", "2"), ("2", "2")]


def test_ways_on_stand_beside_how_a_run_ended(alice: User, alice_client: Client) -> None:
    here = talked(alice, "A")
    ends = {"done": "done", "stopped": "stopped", "failed": "error"}
    shown = {}
    for status, reason in ends.items():
        end(say(here, status), "x", status, reason)
        Run.objects.update(turns=1)
        last = loaded(alice_client, here)[-1]
        shown[status] = [name for name in ("Retry", "Continue", "Take back", "Stop and send") if f">{name}<" in last]
    assert shown == {"done": [], "stopped": ["Continue"], "failed": ["Retry"]}
    say(here, "B")
    say(here, "C")
    last = loaded(alice_client, here)[-1]
    assert ">Take back<" in last
    assert ">Stop and send<" in last


def test_an_earlier_part_of_a_long_branch_is_fetched_from_that_branch(alice: User, alice_client: Client) -> None:
    here = talked(alice, *(f"A{n}" for n in range(60)))
    end(edit(here, named(here, "A58"), "other"))
    page = alice_client.get(f"/c/{here}/").content.decode()
    [before] = re.findall(r"/messages/\?before=(\d+)", page)

    earlier = alice_client.get(f"/c/{here}/messages/?before={before}").content.decode()

    assert len(articles(page)) == 100
    assert len(articles(earlier)) == 18
    assert "Show earlier messages" not in earlier
    viewer = opened(here)
    store.show(here, named(here, "A58"))
    assert "Show earlier messages" in (viewer.catch_up() or "")
