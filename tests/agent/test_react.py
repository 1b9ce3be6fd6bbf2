"""Thinking in the open, and acting by lines of text: what is shown is what is done."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chat.agent.events import Event, ModelEnded, TextDelta, ToolEnded, ToolStarted, WaitStarted
from chat.agent.react import ACT, THINK, UNREADABLE, Voices, as_text, read, system, thought
from chat.agent.transcript import Frozen
from chat.wire.endpoint import Target
from chat.wire.values import JSON, Call, Reply
from tests.agent.working import LOOK, Rule, Ruled, ended, events, ruled, task
from tests.scripted import asks, call, says
from tests.scripted import endpoint as scripted

THINKING = Frozen("Be brief.", [LOOK], "react")
LONGEST_MARK = len("**Observation:**")

# Text as models write it, and as they should not: marks in all forms and places, and what only looks like one.
pieces = st.sampled_from(
    [
        "Thought:", "**Thought:** ", "**Thought**:", "Answer:", "**Answer:**", "**Answer**: ", "Action: look({})",
        'Action: look({"place": "here"})', "Action:", "Action: nonsense", "Observation: a tree", "\n", "\n\n", " ", "*",
        "**", "**bold**", "Ans", "Thought", "wer: 42", "It is warm.", "the Answer: 42", "  Answer: 7", "東京", "\u2028",
    ]
)  # fmt: skip
written = st.lists(pieces, max_size=12).map("".join)
modes = st.tuples(st.sampled_from(["", "react"]), st.booleans())


def reading(text: str, mode: str = "react", textual: bool = False) -> Reply:
    return read(Reply(text), mode, textual, 1, ())


def actions(text: str) -> list[tuple[str, dict[str, Any], str]]:
    return [(call.name, dict(call.arguments), call.problem) for call in reading(text, "react", True).calls]


def streamed(parts: Sequence[str], mode: str, textual: bool) -> tuple[str, str]:
    """What is shown of text that comes in parts, before its end is known: of the thought, and of the answer."""
    voices = Voices(mode == "react", textual)
    told = [voices.feed(part) for part in parts]
    return "".join(thought for thought, _ in told), "".join(answer for _, answer in told)


@given(written, modes, st.data())
@example("Thought: a\n\nb", ("react", False), None)
def test_what_streams_is_never_taken_back(text: str, how: tuple[str, bool], data: st.DataObject | None) -> None:
    """However the text is cut: the answer shown is the beginning of the one that is kept, and no thought is in it."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8))) if data else [3]
    parts = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    thought_shown, answer_shown = (said.strip() for said in streamed(parts, *how))
    kept = reading(text, *how)
    answer = kept.text.strip()
    if kept.calls:  # what was said beside the calls is kept with its marks
        assert answer_shown in answer
    elif answer_shown:
        assert answer.startswith(answer_shown)
        assert len(answer) - len(answer_shown) <= LONGEST_MARK
        assert kept.thought == thought_shown
    else:  # nothing of the answer came, or it was not said where it begins
        assert thought_shown.startswith(kept.thought)


@given(written, modes, st.data())
@example("**Thought:**  ", ("react", False), None)
def test_it_does_not_matter_how_the_text_is_cut(text: str, how: tuple[str, bool], data: st.DataObject | None) -> None:
    at = data.draw(st.integers(0, len(text))) if data else 3
    whole, halves, letters = (Voices(how[0] == "react", how[1]) for _ in range(3))
    whole.feed(text)
    for part in (text[:at], text[at:]):
        halves.feed(part)
    for letter in text:
        letters.feed(letter)
    for voices in (whole, halves, letters):
        voices.end()
    found = [(voices.thought, voices.answer, voices.actions, voices.acts_at) for voices in (whole, halves, letters)]
    assert found[0] == found[1] == found[2]


@given(written)
def test_no_text_is_lost_but_marks_and_what_follows_an_action(text: str) -> None:
    voices = Voices(react=True)
    voices.feed(text)
    voices.end()
    rest = text
    for part in (voices.thought + voices.answer).split():
        assert part in rest
        rest = rest[rest.index(part) + len(part) :]


@given(written)
def test_in_plain_mode_text_is_left_as_it_is(text: str) -> None:
    assert reading(text, "") == Reply(text)
    assert streamed([text], "", False) == ("", text)


@pytest.mark.parametrize(
    ("text", "thought", "answer"),
    [
        ("Thought: It is hot.\nAnswer: Drink.", "It is hot.", "Drink."),
        ("**Thought:** It is hot.\n\n**Answer:** **Drink.**", "It is hot.", "**Drink.**"),
        ("**Thought**: It is hot.\n  **Answer**:\nDrink.", "It is hot.", "Drink."),
        ("Thought: One.\nThought: Two.\nAnswer: Drink.", "One.\nTwo.", "Drink."),
        ("Thought: The Answer: is near.\nAnswer: 42", "The Answer: is near.", "42"),
        ("Thought: It is hot.\nAnswer: Drink.\nThought: Really.", "It is hot.", "Drink.\nThought: Really."),
        ("Answer: Drink.", "", "Drink."),
        ("Drink.", "", "Drink."),
        ("A quiz.\nAnswer: 42", "", "A quiz.\nAnswer: 42"),
        ("Thought: It is hot.\n\nDrink.\n\nA lot.", "It is hot.", "Drink.\n\nA lot."),  # it forgot to say
        ("Thought: Drink.", "", "Drink."),
        ("Thought: Drink.\nAnswer:", "", "Drink."),
        ("Thoughtful people drink.", "", "Thoughtful people drink."),
        ("Thought: hm\nAction: look({})\nAnswer: x", "hm\nAction: look({})", "x"),  # it can call, so this is no act
        ("", "", ""),
    ],
)
def test_a_thought_is_apart_from_its_answer(text: str, thought: str, answer: str) -> None:
    reply = reading(text)
    assert (reply.thought, reply.text, reply.calls) == (thought, answer, ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('Thought: I look.\nAction: look({"place": "here"})', [("look", {"place": "here"}, "")]),
        ("Action: look()", [("look", {}, "")]),
        ("**Action:** look({})", [("look", {}, "")]),
        ("  Action:look({})  ", [("look", {}, "")]),
        ("Action: look({})\nAction: fly_to({})", [("look", {}, ""), ("fly_to", {}, "")]),
        ("Action: look({})\nObservation: a tree\nAction: cut({})\nAnswer: Cut.", [("look", {}, "")]),
        ("Action: look({})\nAnswer: A tree.\nAction: cut({})", [("look", {}, "")]),
        ("Action: look at here", [("action", {}, UNREADABLE)]),
        ('Action: look({"place": "here"}) and then cut', [("action", {}, UNREADABLE)]),
        ('Action: look({\n"place": "here"})', [("action", {}, UNREADABLE)]),
        ("Action:", [("action", {}, UNREADABLE)]),
        ("I do Action: look({})", []),
        ("Answer: I would write:\nAction: look({})", []),
        ("A quiz.\nAnswer: 42\nAction: look({})", []),
    ],
)
def test_actions_are_read_strictly(text: str, expected: list[tuple[str, dict[str, Any], str]]) -> None:
    assert actions(text) == expected


@pytest.mark.parametrize("arguments", ['{"place": ', "[1]", "7", "{place: here}"])
def test_an_action_whose_arguments_are_no_object_must_not_run(arguments: str) -> None:
    (call,) = reading(f"Action: look({arguments})", "", True).calls
    assert call.problem
    assert (call.name, call.arguments, call.raw) == ("look", {}, arguments)


def test_what_stands_before_the_actions_stays_with_them_and_what_follows_is_gone() -> None:
    reply = reading("Thought: I look.\nAction: look({})\nObservation: a tree\nAnswer: A tree.", "react", True)
    assert (reply.text, reply.thought) == ("Thought: I look.", "")
    assert streamed([reply.text, "\nAction: look({})\nObservation: a tree\nAnswer: x"], "react", True) == (
        "I look.\n",
        "",
    )


def test_calls_get_ids_that_were_not_used() -> None:
    calls = read(Reply("Action: a()\nAction: b()"), "", True, 1, {"call00100"}).calls
    assert len({call.id for call in calls} | {"call00100"}) == 3


def test_native_calls_are_left_as_they_are() -> None:
    reply = Reply("Thought: I look.\nAction: fly()", calls=(Call("a", "look", {}),))
    assert read(reply, "react", True, 1, ()) == reply


@pytest.mark.parametrize("text", ["Thought: I look.", "**Thought:** I look.", "I look.", " Thought:I look. "])
def test_what_is_said_beside_calls_is_shown_without_its_mark(text: str) -> None:
    assert thought(text) == "I look."


def test_the_results_of_one_turn_become_one_message() -> None:
    calls: list[JSON] = [
        {"id": id_, "type": "function", "function": {"name": "look", "arguments": "{}"}} for id_ in "ab"
    ]
    told = as_text(
        [
            {"role": "user", "content": "Look!"},
            {"role": "assistant", "content": "Thought: I look.", "reasoning_content": "Hm", "tool_calls": [*calls]},
            {"role": "tool", "tool_call_id": "a", "content": "a tree"},
            {"role": "tool", "tool_call_id": "b", "content": "a house"},
            {"role": "user", "content": "And?"},
        ]
    )
    assert told == [
        {"role": "user", "content": "Look!"},
        {"role": "assistant", "content": "Thought: I look.\nAction: look({})\nAction: look({})"},
        {"role": "user", "content": "Observation: a tree\nObservation: a house"},
        {"role": "user", "content": "And?"},
    ]


def test_the_prompt_gains_only_what_is_needed() -> None:
    assert system("Be brief.", "", ()) == "Be brief."
    assert system("Be brief.", "react", ()) == f"Be brief.\n\n{THINK}"
    assert system("Be brief.", "", [LOOK]).startswith(f"Be brief.\n\n{ACT}\n" + '{"name": "look"')


# Whole runs.


def shown(found: list[Event], thought: bool = False) -> str:
    return "".join(one.text for one in found if isinstance(one, TextDelta) and one.thought is thought)


async def test_a_run_that_thinks_in_the_open_shows_its_thoughts_apart() -> None:
    served, script = scripted(
        asks(call("look", {"place": "here"}), text="Thought: I must look."),
        says("Thou", "ght: A tree, ", "then.\nAns", "wer: A", " tree."),
    )
    found = await events(task(Target(served, "m"), frozen=THINKING))
    assert ended(found).text == "A tree."
    assert shown(found, thought=True) == "I must look.A tree, then.\n"
    assert shown(found) == "A tree."
    replies = [one.reply for one in found if isinstance(one, ModelEnded)]
    assert [(reply.text, reply.thought) for reply in replies] == [
        ("Thought: I must look.", ""),
        ("A tree.", "A tree, then."),
    ]
    assert script.requests[1]["messages"][2]["content"] == "Thought: I must look."


async def test_in_plain_mode_nothing_extra_is_sent() -> None:
    """With and without ReAct the requests differ in the system prompt alone."""
    bodies = []
    for mode in ("", "react"):
        served, script = scripted(asks(call("look", {"place": "here"})), says("A tree."))
        await events(task(Target(served, "m"), frozen=Frozen("Be brief.", [LOOK], mode)))
        bodies.append(script.bodies)
    for plain, react in zip(*bodies, strict=True):
        extra = json.dumps(f"Be brief.\n\n{THINK}", ensure_ascii=False).encode()
        assert extra in react
        assert react.replace(extra, b'"Be brief."') == plain


def refuses_tools(rule: Rule) -> tuple[Target, Ruled]:
    """An endpoint that takes no tools, as Ollama says it."""
    served, script = ruled(rule, refuses={"tools": "registry.ollama.ai/library/tiny:1b does not support tools"})
    return Target(served, "tiny"), script


def acts_once(asked: dict[str, Any]) -> Any:
    if asked["messages"][-1]["content"].startswith("Observation:"):
        return says("Thought: So it is a tree.\nAnswer: A tree.")
    return says("Thought: I look.\n", 'Action: look({"place": "here"})\n', "Observation: a house\nAnswer: A house.")


@pytest.mark.parametrize("mode", ["", "react"])
async def test_where_tools_are_refused_it_acts_by_lines_and_the_next_run_does_so_at_once(mode: str) -> None:
    target, script = refuses_tools(acts_once)
    frozen = Frozen("Be brief.", [LOOK], mode)
    found = await events(task(target, frozen=frozen))
    wait = next(one for one in found if isinstance(one, WaitStarted))
    assert "does not support tools" in wait.reason
    assert "without that from now on" in wait.reason
    started = [one.call for one in found if isinstance(one, ToolStarted)]
    assert [(one.name, one.arguments) for one in started] == [("look", {"place": "here"})]
    assert [one.text for one in found if isinstance(one, ToolEnded)] == ["a tree at here"]
    assert "A house" not in shown(found) + shown(found, thought=True) + ended(found).text
    assert ended(found).text.endswith("A tree.")
    first, second, third = script.requests
    assert "tools" in first
    assert "tools" not in second
    assert second["stop"] == ["Observation:"]
    assert third["messages"][-2:] == [
        {"role": "assistant", "content": 'Thought: I look.\nAction: look({"place": "here"})'},
        {"role": "user", "content": "Observation: a tree at here"},
    ]
    again = await events(task(target, frozen=frozen))
    assert not [one for one in again if isinstance(one, WaitStarted)]
    assert all("tools" not in asked for asked in script.requests[1:])
    assert ended(again).stop_reason == "done"


async def test_a_malformed_action_is_a_result_that_says_how_to_write_one() -> None:
    def rule(asked: dict[str, Any]) -> Any:
        said = asked["messages"][-1]["content"]
        if UNREADABLE in said:
            return says("Answer: I give up.")
        return says("Action: look at the tree")

    target, _ = refuses_tools(rule)
    found = await events(task(target, frozen=THINKING))
    (result,) = [one for one in found if isinstance(one, ToolEnded)]
    assert result.error == UNREADABLE
    assert ended(found).text == "I give up."


async def test_at_a_limit_a_model_without_tools_is_told_so_and_its_actions_are_not_run() -> None:
    target, script = refuses_tools(lambda asked: says('Thought: More.\nAction: look({"place": "here"})'))
    work = task(target, frozen=THINKING)
    work.turn = 99
    found = await events(work)
    assert ended(found).stop_reason == "max_turns"
    assert not [one for one in found if isinstance(one, ToolStarted)]
    assert "no more tools" in script.requests[-1]["messages"][-1]["content"]
