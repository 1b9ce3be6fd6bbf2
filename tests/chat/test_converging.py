"""A page that was open while things happened shows what one shows that is loaded afterwards."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.test import override_settings

from chat import articles, endpoints, render, rows, runs
from chat.db import read
from chat.viewer import Viewer
from tests.agent.working import Reply, is_summary, refusal, ruled
from tests.pages import Page
from tests.scripted import Body, asks, call, delta, event, says

pytestmark = pytest.mark.django_db(transaction=True)

END = event(delta("stop")) + b"data: [DONE]\n\n"


def loaded(conversation: UUID) -> str:
    """The list of messages as a page is loaded with it."""
    drawn = articles.articles(rows.talk(conversation))
    return f'<div id="messages">{render.joined(map(render.article_html, drawn))}</div>'


class Watching:
    """A page that is open from the beginning and takes every frame."""

    def __init__(self, conversation: UUID, html: str) -> None:
        self.conversation, self.page, self.viewer = conversation, Page(html), Viewer(conversation)
        self.viewer.resume(1)

    async def look(self) -> str:
        """Take what is new, and return what the page then shows of the messages."""
        for frame in (await read(self.viewer.catch_up), self.viewer.stream()):
            assert frame is not None
            self.page.apply(frame)
        return self.shown

    @property
    def shown(self) -> str:
        messages = self.page.find("#messages")
        assert messages
        return messages.inner

    async def anew(self) -> str:
        """Return what a page shows that is loaded now and follows."""
        fresh = Watching(self.conversation, await read(loaded, self.conversation))
        fresh.viewer.resume((await read(rows.talk, self.conversation)).revision)
        return await fresh.look()


@pytest.fixture(autouse=True)
async def _served() -> AsyncIterator[None]:
    with override_settings(AGENT_MODELS=["m"], AGENT_CONTEXT_TOKENS=3_000, AGENT_MAX_TOKENS=10**6):
        yield
    for work in tuple(runs.live.values()):
        work.task.cancel()
        await asyncio.wait({work.task})
    endpoints.use(None)


async def begun(alice: User, rule: Callable[[dict[str, Any]], Reply], mode: str = "", **options: Any) -> Watching:
    endpoints.use(ruled(rule, **options)[0])
    sent = await runs.send(alice.pk, "Go!", str(uuid4()), "m", None, mode)
    return Watching(sent.conversation, await read(loaded, sent.conversation))


async def followed(page: Watching) -> None:
    """Take frames until the run is over, as often as there is something to take."""
    async with asyncio.timeout(20):
        while runs.live:
            await page.look()
            await asyncio.sleep(0)
    await page.look()


async def until(words: str, page: Watching) -> str:
    """Take frames until the page shows these words."""
    async with asyncio.timeout(20):
        while words not in (shown := await page.look()):  # noqa: ASYNC110  Nobody tells this page of what is new.
            await asyncio.sleep(0)
    return shown


def stream(*pieces: str, hold: asyncio.Event, after: bytes = END, **fields: Any) -> Body:
    return Body([event(delta(content=piece, **fields)) for piece in pieces], hold=hold, after=[after])


async def test_thoughts_and_reasoning_are_shown_live_and_stay_as_they_are_loaded(alice: User) -> None:
    held = [asyncio.Event() for _ in range(2)]
    tools = event(delta(tool_calls=[call("calculate", {"expression": "6 * 7"})])) + event(delta("tool_calls"))
    replies: list[Reply] = [
        stream("Thought: I must *calc", "ulate* <b>this</b>.", hold=held[0], after=tools, reasoning="Hm & ha. "),
        stream("Thought: Now I know.\n", "Answer: It is **42**.\n\nAnd", hold=held[1]),
    ]
    page = await begun(alice, lambda asked: replies.pop(0), "react")
    shown = await until("ulate* &lt;b&gt;this", page)
    assert "Hm &amp; ha." in shown
    held[0].set()
    shown = await until("<strong>42</strong>", page)
    assert "Thought:" not in shown
    assert "Answer:" not in shown
    assert "I must <em>calculate</em> &lt;b&gt;this&lt;/b&gt;." in shown
    assert shown.count("Now I know.") == 1
    held[1].set()
    await followed(page)
    assert page.shown == await page.anew()
    assert page.shown.count("Now I know.") == 1


async def test_a_lost_attempt_leaves_nothing_behind(alice: User) -> None:
    held = asyncio.Event()
    replies: list[Reply] = [stream("Half an answer", hold=held, after=b""), says("The whole.")]
    page = await begun(alice, lambda asked: replies.pop(0))
    await until("Half an answer", page)
    held.set()
    await followed(page)
    assert "Half" not in page.shown
    assert page.shown.count("The whole.") == 1
    assert page.shown == await page.anew()


async def test_a_summary_appears_once_is_written_anew_in_its_place_and_is_never_shown_as_the_answer(
    alice: User,
) -> None:
    made = summed = 0

    def rule(asked: dict[str, Any]) -> Reply:
        nonlocal made, summed
        if is_summary(asked):
            summed += 1
            return says(f"Summary number {summed} of <b>all</b>.")
        made += 1
        if made == 12:
            return says("It is done.")
        return asks(call("calculate", {"expression": f"{made} + 1"}, id=f"id{made}"), text="x" * 400)

    page = await begun(alice, rule)
    answer = page.page.find("#messages")
    assert answer
    await followed(page)
    assert summed > 1
    assert page.shown.count("Summary number") == 1
    assert f"Summary number {summed} of &lt;b&gt;all&lt;/b&gt;." in page.shown
    assert f"version {summed}" in page.shown
    assert page.shown.index("It is done.") < page.shown.index("Summary number")
    assert page.shown == await page.anew()


async def test_while_a_title_is_made_the_answer_stays_in_the_page(alice: User) -> None:
    held = asyncio.Event()
    title = stream("A title", hold=held, reasoning="Which one?")
    with override_settings(AGENT_SMALL_MODEL="little"):
        page = await begun(alice, lambda asked: title if asked["model"] == "little" else says("It is **done**."))
        await until("Finding a title", page)
        assert "It is <strong>done</strong>." in page.shown
        assert page.shown == await page.anew()
        held.set()
        await followed(page)
    assert "It is <strong>done</strong>." in page.shown
    assert "Which one?" not in page.shown
    assert page.shown == await page.anew()


async def test_a_failed_run_in_react_mode_keeps_what_came_of_its_answer_and_no_thought(alice: User) -> None:
    held = asyncio.Event()
    refused = event({"error": {"message": "No more.", "code": 400}})
    page = await begun(alice, lambda asked: stream("Thought: Hm.\n", "Answer: Half", hold=held, after=refused), "react")
    await until("Half", page)
    held.set()
    await followed(page)
    assert "Half" in page.shown
    assert "Hm." not in page.shown
    assert "No more." in page.shown
    assert page.shown == await page.anew()


async def test_a_run_that_never_began_to_answer_says_why(alice: User) -> None:
    page = await begun(alice, lambda asked: refusal("bad key", 401), "react")
    await followed(page)
    assert "refused the key" in page.shown
    assert page.shown == await page.anew()
