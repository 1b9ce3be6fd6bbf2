"""A page's frames, applied to a page as a browser would: live and loaded pages show the same."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from chat import endpoints, preview, rows, runs, store
from chat.agent.events import Ended, ModelFailed, ModelStarted
from chat.db import read, write
from chat.live_text import OPEN_LIMIT
from chat.models import Run, Step
from chat.preview import Preview
from chat.transact import once
from chat.viewer import Viewer
from tests.chat.made import step_of
from tests.scripted import endpoint, says

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def viewer(alice: User) -> AsyncIterator[Viewer]:
    """Looks at a conversation with one answer."""
    served, _ = endpoint(says("Hello"), says("Again"))
    endpoints.use(served)
    sent = await runs.send(alice.pk, "Hi", str(uuid4()), "", None)
    await asyncio.wait({runs.live[sent.run].task})
    yield Viewer(sent.conversation)
    endpoints.use(None)


def streaming(viewer: Viewer, text: str, number: int = 2) -> Preview:
    run = uuid4()
    viewer._live = {run: 0}
    showing = preview.open_preview(run, viewer.conversation, 7)
    showing.add(number, text)
    return showing


async def test_a_page_that_said_nothing_of_itself_is_sent_nothing(viewer: Viewer) -> None:
    assert await read(viewer.catch_up) == ""


async def test_a_page_that_has_everything_is_sent_no_message_and_no_step(viewer: Viewer) -> None:
    viewer.resume(2)
    frame = await read(viewer.catch_up)
    assert frame is not None
    assert "article" not in frame
    again = await read(viewer.catch_up)
    assert again == ""


async def test_a_page_that_has_nothing_is_sent_all_of_it_once(viewer: Viewer) -> None:
    viewer.resume(0)
    frame = await read(viewer.catch_up)
    assert frame is not None
    assert frame.count("<article") == 2
    assert frame.count("data-step=") == 2


async def test_a_conversation_that_is_gone_ends_the_page(viewer: Viewer) -> None:
    gone = Viewer(uuid4(), since=0)
    assert await read(gone.catch_up) is None


async def test_what_fails_while_it_is_read_is_sent_whole_the_next_time(viewer: Viewer) -> None:
    tool = await read(lambda: step_of(Run.objects.get(), 3, kind="tool", input={}))  # a step that cannot be drawn
    viewer.resume(0)
    with pytest.raises(KeyError):
        await read(viewer.catch_up)
    await write(lambda: Step.objects.filter(pk=tool.pk).update(input={"arguments": {}}))
    frame = await read(viewer.catch_up)
    assert frame is not None
    assert frame.count("<article") == 2
    assert frame.count("data-step=") == 3


async def test_more_steps_than_a_trace_shows_come_as_the_trace_anew(viewer: Viewer) -> None:
    run = await read(Run.objects.get)
    await write(lambda: [step_of(run, number, kind="memory", input={}, output={}) for number in range(3, 240)])
    viewer.resume(2)
    viewer.look_at(run, 0, follows=False, told=True)
    frame = await read(viewer.catch_up)
    assert frame is not None
    assert rows.SHOWN_STEPS // 2 < frame.count("data-step=") <= rows.SHOWN_STEPS
    assert "beforeend" not in frame
    assert viewer.run_since == run.revision


async def test_a_trace_that_follows_goes_on_to_the_next_run_and_another_one_stays(viewer: Viewer, alice: User) -> None:
    viewer.resume(2)
    await read(viewer.catch_up)
    first = viewer.run
    sent = await runs.send(alice.pk, "And again?", str(uuid4()), "", viewer.conversation)
    await asyncio.wait({runs.live[sent.run].task})
    viewer.follows = False
    await read(viewer.catch_up)
    assert viewer.run == first
    viewer.follow()
    await read(viewer.catch_up)
    assert viewer.run == sent.run


async def test_closed_blocks_are_sent_once(viewer: Viewer) -> None:
    showing = streaming(viewer, "First block.\n\nSecond ")
    assert "First block." in viewer.stream()
    showing.add(2, "goes on")
    frame = viewer.stream()
    assert "First block." not in frame
    assert "Second goes on" in frame
    assert viewer.stream() == ""


async def test_a_long_open_block_goes_on_as_plain_text_in_proportion(viewer: Viewer) -> None:
    showing = streaming(viewer, "```\n" + "x" * OPEN_LIMIT)
    assert "rest" in viewer.stream()
    sent = 0
    for _ in range(100):
        showing.add(2, "y" * 10)
        sent += len(viewer.stream())
    assert sent < 100 * (10 + 100)
    showing.add(2, "\n```\n\nAfter")
    assert "<pre" in viewer.stream()


async def test_the_next_model_step_begins_with_an_empty_text(viewer: Viewer) -> None:
    showing = streaming(viewer, "Let me look.")
    viewer.stream()
    showing.add(4, "It is warm.")
    frame = viewer.stream()
    assert 'innerHTML:#m-7-closed"></div>' in frame
    assert "It is warm." in frame


async def test_what_another_process_streams_is_shown_as_far_as_it_is_stored(viewer: Viewer, alice: User) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)

    def flush(text: str, number: int = 1) -> str:
        once(lambda: store.flush([(sent.run, sent.attempt, number, text, "")]))
        frame = viewer.catch_up()
        assert frame is not None
        return frame + viewer.stream()

    sent = await write(store.send, viewer.conversation, alice.pk, "And?", str(uuid4()), "m", "elsewhere:1:x", at)
    await write(store.apply, sent.run, sent.attempt, (ModelStarted(1, at, 1, "m", 0, "", 0),))
    viewer.resume(2)
    assert "First block." in await read(flush, "First block.\n\nSecond")
    assert viewer.reads_afar
    more = await read(flush, "First block.\n\nSecond goes on")
    assert "First block." not in more
    assert "Second goes on" in more
    assert "article" not in more
    assert await read(flush, "First block.\n\nSecond goes on") == ""
    failed = (ModelFailed(1, at, "", "cut"), ModelStarted(2, at, 1, "m", 0, "", 0))
    await write(store.apply, sent.run, sent.attempt, failed)
    anew = await read(flush, "Another try", 2)
    assert re.search('innerHTML:#m-[0-9]+-closed"></div>', anew)
    assert "Another try" in anew
    await write(store.apply, sent.run, sent.attempt, (Ended(at, "done", "done", "Another try.", ""),))
    last = await read(viewer.catch_up)
    assert last is not None
    assert last.count("Another try.") == 2  # as the answer, and in the trace as what was said in its step
    assert viewer.stream() == ""
    assert not viewer.reads_afar


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", '<div id="x" hx-get="/">', "[a](javascript:alert(1))"]
)
async def test_every_cut_of_a_hostile_stream_is_safe(viewer: Viewer, hostile: str) -> None:
    for cut in range(1, len(hostile) + 1):
        preview._previews.clear()
        streaming(viewer, hostile[:cut])
        frame = viewer.stream()
        assert "<script" not in frame
        assert '<div id="x"' not in frame
        assert 'href="javascript' not in frame
