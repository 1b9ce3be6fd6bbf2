"""Requests are kept within the window, through an endpoint that counts for itself and refuses what is too long."""

from typing import Any

import pytest

from chat.agent.context import LONGEST_SUMMARY, Cut
from chat.agent.events import Event, LimitReached, ModelEnded, ModelStarted, Shortened, ToolEnded
from chat.agent.limits import Limits
from chat.agent.summary import SUMMARISE
from chat.agent.transcript import SUMMARY_HEAD, Answered, Asked, Entry, Said
from chat.wire.endpoint import Target
from chat.wire.values import Call
from tests.agent.working import Reply, ended, events, is_summary, number_of, ruled, task
from tests.scripted import Body, asks, call, delta, event, says
from tools.registry import ToolResult

WINDOW = 4_000
MANY = Limits(turns=10**6)


def looks_on(turns: int, text: str = "") -> Any:
    """A model that looks at one place after the other, and answers after so many turns."""
    summaries = 0
    looked = 0

    def rule(asked: dict[str, Any]) -> Reply:
        nonlocal summaries, looked
        if is_summary(asked):
            summaries += 1
            return says(f"Summary {summaries}: up to place {number_of(asked, 'place ')} there were trees.")
        looked += 1
        if looked > turns:
            return says("Trees everywhere.")
        return asks(call("look", {"place": f"place {looked}"}, id=f"id{looked}"), text=text)

    return rule


def summaries(found: list[Event]) -> list[str]:
    return [one.reply.text for one in found if isinstance(one, ModelEnded) and one.purpose == "summary"]


@pytest.mark.parametrize("reports", [True, False])
async def test_five_hundred_turns_go_through_a_window_of_four_thousand_tokens(reports: bool) -> None:
    """The summary request holds the first message, the next one the summary, and none exceeds the window."""
    served, script = ruled(looks_on(500), WINDOW, reports=reports)
    work = task(Target(served, "m", WINDOW), said=[Said("user", "Find all the trees, from place 1 on!")], limits=MANY)
    found = await events(work)
    assert ended(found).stop_reason == "done"
    assert script.refused == 0
    assert max(script.counted) <= WINDOW
    asked_for = [n for n, asked in enumerate(script.requests) if is_summary(asked)]
    assert "Find all the trees, from place 1 on!" in script.requests[asked_for[0]]["messages"][1]["content"]
    for number, (place, summary) in enumerate(zip(asked_for, summaries(found), strict=True), 1):
        following = script.requests[place + 1]["messages"]
        assert following[1]["content"] == f"{SUMMARY_HEAD}\n\n{summary}"
        assert following[2]["content"] == "Find all the trees, from place 1 on!"
        if number > 1:
            assert summaries(found)[number - 2] in script.requests[place]["messages"][1]["content"]
    assert 5 < len(asked_for) < 60  # a cut is deep enough that the next one is some turns away
    assert sum(isinstance(one, ToolEnded) and not one.error for one in found) == 500


async def test_between_two_summaries_the_request_only_grows_at_its_end() -> None:
    served, script = ruled(looks_on(60), WINDOW)
    found = await events(task(Target(served, "m", WINDOW), limits=MANY))
    assert summaries(found)
    before: list[Any] = []
    grown = 0
    for asked in script.requests:
        messages = asked["messages"]
        if is_summary(asked):
            before = []
            continue
        if before and messages[: len(before)] == before:
            grown += 1
        elif before:
            assert any("[shortened" in str(message["content"]) for message in messages if message["role"] == "tool")
        before = messages
    assert grown > 50


@pytest.mark.parametrize("text", ["東京の天気は晴れです。", "👩‍👩‍👧 ", 'She said: "\\n"\n'])
@pytest.mark.parametrize("reports", [True, False])
async def test_text_of_any_script_stays_within_the_window(text: str, reports: bool) -> None:
    async def tell(name: str, arguments: dict[str, Any]) -> ToolResult:
        return ToolResult(text * 60, ok=True)

    served, script = ruled(looks_on(40, text=text * 3), WINDOW, reports=reports)
    said = [Said("user", f"{text * 20}!")]
    found = await events(task(Target(served, "m", WINDOW), said=said, limits=MANY), tell)
    assert ended(found).stop_reason == "done"
    assert (script.refused, max(script.counted) <= WINDOW) == (0, True)


@pytest.mark.parametrize("calls", [1, 4, 12])
async def test_results_of_any_length_fit_together_and_the_model_reads_of_each(calls: int) -> None:
    async def flood(name: str, arguments: dict[str, Any]) -> ToolResult:
        return ToolResult(f"seen at {arguments['place']}: " + '{"x": "y"}' * 10**5, ok=True)

    def rule(asked: dict[str, Any]) -> Reply:
        turn = sum(message["role"] == "assistant" for message in asked["messages"])
        if is_summary(asked):
            return says("Much was seen.")
        if turn:
            return says("Done.")
        return asks(*(call("look", {"place": n}, index=n) for n in range(calls)))

    served, script = ruled(rule, WINDOW)
    found = await events(task(Target(served, "m", WINDOW)), flood)
    assert ended(found).stop_reason == "done"
    assert script.refused == 0
    results = [message["content"] for message in script.requests[-1]["messages"] if message["role"] == "tool"]
    assert [text.startswith(f"seen at {n}: ") for n, text in enumerate(results)] == [True] * calls
    assert all("[cut here: the first " in text for text in results)
    assert all(len(one.whole) > 10**6 for one in found if isinstance(one, ToolEnded))


async def test_huge_results_of_turn_after_turn_become_brief_and_then_a_summary() -> None:
    async def flood(name: str, arguments: dict[str, Any]) -> ToolResult:
        return ToolResult("x" * 10**5, ok=True)

    served, script = ruled(looks_on(30), WINDOW)
    found = await events(task(Target(served, "m", WINDOW), limits=MANY), flood)
    assert ended(found).stop_reason == "done"
    assert script.refused == 0
    kinds = [type(one) for one in found if isinstance(one, Shortened) or getattr(one, "purpose", "") == "summary"]
    assert kinds[0] is Shortened
    assert ModelStarted in kinds


async def test_a_long_conversation_is_brought_into_a_much_smaller_window_step_by_step() -> None:
    """What is to be summed up is too long for the endpoint itself, so less is summed up at a time."""
    said: list[Entry] = []
    for number in range(40):
        said += [Said("user", f"Question {number}: " + "x" * 500), Said("assistant", "y" * 500)]

    def rule(asked: dict[str, Any]) -> Reply:
        return says(f"Up to question {number_of(asked, 'uestion ')}." if is_summary(asked) else "Here I am.")

    served, script = ruled(rule, WINDOW)
    found = await events(task(Target(served, "m"), said=[*said, Said("user", "Still there?")], window=100_000))
    assert ended(found).stop_reason == "done"
    assert 0 < script.refused < 8
    assert "Question 0:" in next(asked for asked in script.requests if is_summary(asked))["messages"][1]["content"]


async def test_a_request_that_is_refused_again_after_it_was_shortened_ends_with_that_reason() -> None:
    served, script = ruled(lambda asked: says("Summed up."), window=50)
    said = [Said("user", "x" * 500), Said("assistant", "y" * 500), Said("user", "Well?")]
    assert ended(await events(task(Target(served, "m"), said=said))).stop_reason == "context"
    assert script.refused == len(script.requests)


async def test_a_question_that_is_too_long_by_itself_is_said_so_without_a_request() -> None:
    served, script = ruled(lambda asked: says("Hello"), WINDOW)
    end = ended(await events(task(Target(served, "m", WINDOW), said=[Said("user", "x" * 20_000)])))
    assert (end.status, end.stop_reason) == ("failed", "context")
    assert "Shorten it, or choose a model that takes in more" in end.error
    assert not script.requests


async def test_the_message_after_one_that_was_too_long_is_answered() -> None:
    served, script = ruled(lambda asked: says("Hello" if not is_summary(asked) else "A long text was sent."), WINDOW)
    said = [Said("user", "x" * 30_000), Said("user", "Shorter, then.")]
    assert ended(await events(task(Target(served, "m", WINDOW), said=said))).stop_reason == "done"
    assert script.refused == 0


FULL: list[Entry] = [Said("user", "First."), Said("assistant", "x" * 11_000), Said("user", "Go on.")]


@pytest.mark.parametrize(
    ("reply", "reason", "words"),
    [
        (Body([b'{"error": {"message": "on fire"}}'], 500, {"content-type": "application/json"}), "error", "on fire"),
        (says(), "empty", "empty"),
        (says("  \n"), "empty", "empty"),
        (says(finish="length"), "empty", "empty"),
        (asks(call("look", {})), "empty", "empty"),
        (Body([event(delta(content="Half a summ"))]), "error", "cut off"),
    ],
)
async def test_a_summary_that_cannot_be_had_ends_the_run_in_words(reply: Reply, reason: str, words: str) -> None:
    served, script = ruled(lambda asked: reply)
    work = task(Target(served, "m", WINDOW), said=FULL)
    end = ended(await events(work))
    assert (end.status, end.stop_reason, end.text) == ("failed", reason, "")
    assert words in end.error
    assert all(is_summary(asked) for asked in script.requests)
    assert work.fitting.cut == Cut()


async def test_a_summary_is_a_step_with_its_cost_and_is_not_shown_as_the_answer() -> None:
    served, _ = ruled(lambda asked: says("Summed", " up." if is_summary(asked) else " answer."))
    found = await events(task(Target(served, "m", WINDOW), said=FULL, limits=Limits(tokens=100_000)))
    started, ended = found[:2]
    assert isinstance(started, ModelStarted)
    assert (started.purpose, started.cut) == ("summary", Cut(2, 2, 2))
    assert isinstance(ended, ModelEnded)
    assert (ended.reply.text, ended.reply.usage.completion) == ("Summed up.", 20)
    assert [one.text for one in found if type(one).__name__ == "TextDelta"] == ["Summed", " answer."]  # type: ignore[union-attr]


async def test_a_summary_without_end_does_not_fill_the_window() -> None:
    served, script = ruled(lambda asked: says("x" * 10**5 if is_summary(asked) else "Done."), WINDOW)
    assert ended(await events(task(Target(served, "m", WINDOW), said=FULL))).stop_reason == "done"
    assert script.refused == 0
    assert len(script.requests[-1]["messages"][1]["content"]) < LONGEST_SUMMARY + 100


async def test_what_is_summed_up_is_data_of_the_old_turns_with_their_calls_and_results() -> None:
    old: list[Entry] = [
        Said("user", "First."),
        Asked("Let me see.", (Call("a", "look", {"place": "här"}, raw="{" * 9_999),)),
    ]
    old += [Answered("a", "a tree")]
    served, script = ruled(lambda asked: says("Summed up."))
    work = task(Target(served, "m", WINDOW), said=[*old, Said("assistant", "x" * 11_000), Said("user", "Go on.")])
    await events(work)
    system, told = script.requests[0]["messages"]
    assert system == {"role": "system", "content": SUMMARISE}
    assert told["content"].startswith(
        'user: First.\n\nassistant: Let me see.\ncalls look({"place": "här"})\n\nresult: a tree\n\nassistant: xxx'
    )
    assert "tools" not in script.requests[0]


async def test_the_small_model_writes_summaries() -> None:
    strong, main = ruled(lambda asked: says("Done."), WINDOW)
    little, small = ruled(lambda asked: says("Summed up."), WINDOW)
    work = task(Target(strong, "strong", WINDOW), said=FULL, small=Target(little, "small", WINDOW))
    found = await events(work)
    assert [one.model for one in found if isinstance(one, ModelStarted)] == ["small", "strong"]
    assert len(main.requests) == len(small.requests) == 1


@pytest.mark.parametrize(
    "failing",
    [
        says(),
        Body([b'{"error": {"message": "no"}}'], 401, {"content-type": "application/json"}),
        Body([b'{"error": {"message": "maximum context"}}'], 400, {"content-type": "application/json"}),
    ],
)
async def test_where_the_small_model_fails_the_strong_one_writes_the_summary(failing: Reply) -> None:
    strong, main = ruled(lambda asked: says("Summed up." if is_summary(asked) else "Done."), WINDOW)
    little, _ = ruled(lambda asked: failing)
    work = task(Target(strong, "strong", WINDOW), said=FULL, small=Target(little, "small", WINDOW))
    found = await events(work)
    assert ended(found).text == "Done."
    assert [is_summary(asked) for asked in main.requests] == [True, False]
    assert [target.model for target in work.asking.targets] == ["strong"]


async def test_a_run_of_few_tokens_takes_so_little_in_that_it_can_act() -> None:
    """Without that, each run of a long conversation would be at its budget as it begins."""
    served, script = ruled(looks_on(2))
    said: list[Entry] = [Said("user", "First."), Said("assistant", "x" * 60_000), Said("user", "Look!")]
    found = await events(task(Target(served, "m", 100_000), said=said, limits=Limits(tokens=40_000)))
    assert ended(found).stop_reason == "done"
    assert max(script.counted[1:]) < 10_000


@pytest.mark.parametrize("said", [[], [Said("user", "First."), Said("assistant", "x" * 30_000)]])
async def test_where_few_tokens_are_left_the_budget_ends_the_run_and_not_the_length_of_the_message(
    said: list[Entry],
) -> None:
    served, script = ruled(lambda asked: says("Summed up." if is_summary(asked) else "That is all I know."))
    found = await events(task(Target(served, "m"), said=[*said, Said("user", "x" * 500)], limits=Limits(tokens=1_000)))
    assert (ended(found).status, ended(found).stop_reason) == ("done", "budget")
    assert ended(found).text == "That is all I know."
    assert [one.limit for one in found if isinstance(one, LimitReached)] == ["budget"]
    assert "budget of this run is used up" in script.requests[-1]["messages"][-1]["content"]
    assert max(script.counted) < 6_000


async def test_the_last_request_fits_into_the_budget_whatever_the_tools_return() -> None:
    async def flood(name: str, arguments: dict[str, Any]) -> ToolResult:
        return ToolResult("x" * 10**5, ok=True)

    served, script = ruled(looks_on(50), reports=False)
    found = await events(task(Target(served, "m"), limits=Limits(turns=99, tokens=20_000)), flood)
    assert ended(found).stop_reason == "budget"
    used = sum(one.reply.usage.prompt + one.reply.usage.completion for one in found if isinstance(one, ModelEnded))
    assert 10_000 < used <= 20_000
    assert "tools" not in script.requests[-1]


async def test_a_result_is_cleaned_before_the_model_reads_it() -> None:
    async def odd(name: str, arguments: dict[str, Any]) -> ToolResult:
        return ToolResult("\x00 \ud800 tree", ok=True)

    served, script = ruled(looks_on(1))
    await events(task(Target(served, "m")), odd)
    assert script.requests[1]["messages"][-1]["content"] == "\ufffd \ufffd tree"
