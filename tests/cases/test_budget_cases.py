"""Cases 38, 69 and 71: a run that outgrows the model's window or its budget goes on with less, or sums up."""

from itertools import pairwise
from typing import Any

import httpx2
import pytest
from pytest_django.fixtures import Settings

from chat.db import read
from chat.wire.endpoint import Endpoint
from tests.cases.rules import check_transcript
from tests.cases.running import Tools, answering, finished, in_memory, run_script, send, stored
from tests.scripted import Body, Chunk, Scripted, asks, call, says

pytestmark = pytest.mark.django_db(transaction=True)

TOO_LONG = Body(
    [b'{"error": {"message": "This model\'s maximum context length is 8192 tokens."}}'],
    400,
    {"content-type": "application/json"},
)


async def read_page(number: int) -> str:
    """Read a page.

    Args:
        number: which one
    """
    return f"Page {number}. " + "word " * (1_000 if number == 1 else 50)


def page(number: int, usage: dict[str, Any] | None = None) -> list[Chunk]:
    chunks = asks(call("read_page", {"number": number}))
    return [*chunks, {"choices": [], "usage": usage}] if usage else chunks


async def test_case_38_what_the_endpoint_finds_too_long_is_shortened_once_and_asked_again() -> None:
    outcome = await run_script(page(1), page(2), page(3), TOO_LONG, says("Read."), tools=Tools(read_page))
    assert [step.status for step in outcome.of("context")] == ["done"]
    assert (outcome.ending, outcome.answer) == (("done", "done"), "Read.")
    refused, shorter = outcome.requests[3:]
    assert len(str(shorter)) < len(str(refused))
    assert [message["role"] for message in shorter["messages"]] == [message["role"] for message in refused["messages"]]
    assert outcome.results == [message["content"] for message in shorter["messages"] if message["role"] == "tool"]


async def test_case_38_of_two_turns_only_the_last_ones_result_stays_as_it_is() -> None:
    outcome = await run_script(page(1), page(2), TOO_LONG, says("Read."), tools=Tools(read_page))
    assert (outcome.ending, outcome.answer) == (("done", "done"), "Read.")
    assert "shortened" in outcome.results[0]
    assert "shortened" not in outcome.results[1]


async def test_case_38_what_is_too_long_though_it_was_shortened_is_context() -> None:
    outcome = await run_script(page(1), page(2), page(3), TOO_LONG, TOO_LONG, tools=Tools(read_page))
    assert outcome.ending == ("failed", "context")
    assert "maximum context length" in outcome.run.error
    assert outcome.answer == ""


async def test_case_69_a_budget_that_hardly_takes_one_request_ends_the_run_and_not_the_length_of_the_message(
    settings: Settings,
) -> None:
    settings.AGENT_MAX_TOKENS = 1_000
    scripted = Scripted(says("Without tools I know nothing."))
    async with in_memory(scripted) as served, answering(served):
        sent = await send("word " * 200)
        await finished(sent)
    run, steps = await read(stored, sent.run)
    assert (run.status, run.stop_reason, run.answer.text) == ("done", "budget", "Without tools I know nothing.")
    assert [step.input["limit"] for step in steps if step.kind == "limit"] == ["budget"]
    assert "The budget of this run is used up" in scripted.requests[0]["messages"][-1]["content"]


BUDGETS = [("AGENT_MAX_TOKENS", 50_000), ("AGENT_MAX_COST", 0.01)]


@pytest.mark.parametrize(("name", "most"), BUDGETS)
async def test_case_69_a_budget_that_is_crossed_stops_the_tools_and_the_findings_are_summed_up_inside_it(
    name: str, most: float, settings: Settings
) -> None:
    setattr(settings, name, most)
    small = {"prompt_tokens": 900, "completion_tokens": 20, "cost": 0.0001}
    large = {"prompt_tokens": 30_000, "completion_tokens": 10_000, "cost": 0.004}
    last = {"prompt_tokens": 1_000, "completion_tokens": 200, "cost": 0.0005}
    both = asks(call("read_page", {"number": 2}, index=0), call("read_page", {"number": 3}, index=1))
    outcome = await run_script(
        page(1, small), [*both, {"choices": [], "usage": large}], says("One page.", usage=last), tools=Tools(read_page)
    )
    assert outcome.ran == [("read_page", {"number": 1})]
    assert all("budget" in result for result in outcome.results[1:])
    assert outcome.ending == ("done", "budget")
    assert outcome.answer == "One page."
    assert [step.input["limit"] for step in outcome.of("limit")] == ["budget"]
    assert "tools" not in outcome.requests[2]
    assert "budget" in outcome.requests[2]["messages"][-1]["content"]
    assert (outcome.run.tokens or 0) <= 50_000
    assert float(outcome.run.cost or 0) <= 0.01


async def test_case_71_what_was_sent_is_the_beginning_of_what_is_sent_next_byte_for_byte() -> None:
    outcome = await run_script(
        asks(call("look", {"place": "London"}), text="First."), asks(call("look", {"place": "Tokyo"})), says("Seen.")
    )
    prefixes = [body[: body.index(b'],"tools"')] for body in outcome.scripted.bodies]
    assert all(later.startswith(earlier) for earlier, later in pairwise(prefixes))
    assert [message["role"] for message in outcome.next["messages"][:2]] == ["system", "user"]


class Reader(Scripted):
    """Reads so many pages one after the other, and sums up what it is asked to."""

    def __init__(self, pages: int) -> None:
        super().__init__()
        self.pages, self.read, self.summaries = pages, 0, 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "POST":
            self.replies.append(self.reply(b"You write the summary" in await request.aread()))
        return await super().handle_async_request(request)

    def reply(self, summary: bool) -> list[Chunk]:
        if summary:
            self.summaries += 1
            return says(f"Summary {self.summaries}.")
        if self.read == self.pages:
            return says("All read.")
        self.read += 1
        return page(self.read + 1)


async def test_case_71_a_summary_parts_no_call_from_its_results_and_keeps_the_system_and_the_question(
    settings: Settings,
) -> None:
    settings.AGENT_CONTEXT_TOKENS, settings.AGENT_MAX_TURNS, settings.AGENT_MAX_TOKENS = 3_000, 60, 10**7
    reader = Reader(pages=40)
    with Tools(read_page).alone():
        async with answering(Endpoint("http://scripted.invalid/v1", "", reader)):
            await finished(sent := await send("Read it all!"))
    run, steps = await read(stored, sent.run)
    assert (run.status, run.answer.text) == ("done", "All read.")
    assert reader.summaries >= 2
    requests = [request for request in reader.requests if "tools" in request]
    system = requests[0]["messages"][0]
    for request in requests:
        check_transcript(request)
        assert request["messages"][0] == system
        assert {"role": "user", "content": "Read it all!"} in request["messages"]
    grown = [later["messages"][: len(one["messages"])] == one["messages"] for one, later in pairwise(requests)]
    assert grown.count(False) == len([step for step in steps if step.kind == "context"])
    assert f"Summary {reader.summaries}." in str(requests[-1]["messages"][1])
