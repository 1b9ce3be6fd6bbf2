"""A page whose trace shows a run that was taken back: it goes on with the newest one, and misses nothing else."""

from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from chat import store
from chat.branches import newest_run
from chat.catching_up import orders
from chat.frames import Resume
from chat.models import Conversation
from chat.viewer import Viewer
from tests.chat.talks import NOW, begin_next, end, say, talked


def page_at(here: UUID, run: UUID) -> Viewer:
    """A page that has everything, and stays at a run."""
    viewer = Viewer(here)
    since = Conversation.objects.get(pk=here).revision
    for order in orders(viewer, Resume(action="resume", since=since, run=run, run_since=0, follows=False)):
        order()
    viewer.catch_up()
    return viewer


def test_a_page_that_shows_it_goes_on_to_the_newest_one_at_once(alice: User) -> None:
    here = talked(alice, "A")
    say(here, "At work")
    waits = say(here, "Waits")
    page = page_at(here, waits.run)
    assert page.run == waits.run
    store.unqueue(here, waits.message)
    newest = newest_run(here)
    assert newest
    assert f'id="cursor-run" hidden data-run="{newest.pk}"' in str(page.catch_up())
    assert page.follows
    assert "innerHTML:#trace" not in str(page.catch_up())


def test_where_nothing_is_left_the_trace_is_empty_and_shows_the_next_run(alice: User) -> None:
    sent = store.start_conversation(alice.pk, "Waits", str(uuid4()), "m", "", NOW)
    page = page_at(sent.conversation, sent.run)
    store.unqueue(sent.conversation, sent.message)
    frame = str(page.catch_up())
    assert "Each step of the agent appears here." in frame
    assert 'id="cursor-run" hidden data-run="" data-revision=""' in frame
    assert "innerHTML:#trace" not in str(page.catch_up())
    later = say(sent.conversation, "Again")
    assert f'data-run="{later.run}"' in str(page.catch_up())


@pytest.mark.parametrize("follows", ["yes", "no", ""])
def test_a_page_that_comes_back_with_it_gets_what_it_is_missing_and_the_answer(
    alice: User, alice_client: Client, follows: str
) -> None:
    here = talked(alice, "A")
    at_work = say(here, "At work")
    waits = say(here, "Waits")
    since = Conversation.objects.get(pk=here).revision
    store.unqueue(here, waits.message)
    has = {"since": str(since), "run": str(waits.run), "run_since": "0", "follows": follows}

    def poll() -> str:
        response = alice_client.get(f"/c/{here}/frames/", has)
        assert response.status_code == 200
        return response.content.decode()

    frame = poll()
    assert "innerHTML:#messages" in frame
    assert "Waits" not in frame
    assert f'id="cursor-run" hidden data-run="{at_work.run}"' in frame
    end(at_work, "The answer.")
    assert "The answer." in poll()
    assert begin_next(here) is None
