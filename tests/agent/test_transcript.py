"""The transcript: whatever the history, what is sent is valid, and making it valid twice changes nothing."""

import json
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chat.agent.transcript import (
    UNANSWERED,
    Answered,
    Asked,
    Entry,
    Frozen,
    Said,
    call_ids,
    repair,
    request,
    transcript,
    wire,
)
from chat.wire.values import Call, Wire

IDS = st.sampled_from("abcd")
texts = st.text(max_size=5)
calls = st.lists(st.builds(Call, id=IDS, name=st.just("look"), arguments=st.just({})), min_size=1, max_size=3)
entries = st.one_of(
    st.builds(Said, role=st.sampled_from(["user", "assistant"]), text=texts),
    st.builds(Asked, text=texts, calls=calls.map(lambda made: tuple({call.id: call for call in made}.values()))),
    st.builds(Answered, id=IDS, text=texts),
)


def is_valid(messages: list[Wire]) -> bool:
    """Each call is answered once, right after it and in order; there is no result without its call."""
    waiting: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            if not waiting or waiting.pop(0) != message["tool_call_id"]:
                return False
        elif waiting:
            return False
        waiting = waiting or call_ids(message)
    return not waiting


@given(st.lists(entries, max_size=12))
def test_any_history_becomes_valid(history: list[Entry]) -> None:
    assert is_valid(transcript("system", history))


@given(st.lists(entries, max_size=12), st.integers(0, 12))
def test_every_prefix_of_a_history_becomes_valid(history: list[Entry], length: int) -> None:
    assert is_valid(transcript("system", history[:length]))


@given(st.lists(entries, max_size=12))
def test_repairing_twice_is_repairing_once(history: list[Entry]) -> None:
    once = repair([wire(entry) for entry in history])
    assert repair(once) == once


@given(st.lists(entries, max_size=12))
def test_no_plain_answers_stand_in_a_row(history: list[Entry]) -> None:
    messages = transcript("system", history)
    for first, second in pairwise(messages):
        assert not (first["role"] == second["role"] == "assistant" and "tool_calls" not in first)


def test_a_valid_history_is_left_as_it_is() -> None:
    call = Call("a", "look", {"place": "here"})
    history: list[Entry] = [
        Said("user", "Look"),
        Asked("", (call,)),
        Answered("a", "a tree"),
        Said("assistant", "A tree."),
    ]
    assert transcript("system", history)[1:] == [wire(entry) for entry in history]


def test_a_call_that_was_never_answered_is_answered_so() -> None:
    messages = transcript("system", [Asked("", (Call("a", "look", {}),)), Said("user", "Well?")])
    assert messages[2] == {"role": "tool", "tool_call_id": "a", "content": UNANSWERED}


def test_a_result_that_came_before_its_call_is_put_behind_it() -> None:
    messages = repair([wire(Answered("a", "a tree")), wire(Asked("", (Call("a", "look", {}),)))])
    assert [message["role"] for message in messages] == ["assistant", "tool"]
    assert messages[1]["content"] == "a tree"


def test_of_two_results_the_first_one_counts() -> None:
    asked = wire(Asked("", (Call("a", "look", {}),)))
    messages = repair([asked, wire(Answered("a", "one")), wire(Answered("a", "two"))])
    assert [message.get("content") for message in messages] == [None, "one"]


def test_nothing_that_is_not_set_is_on_the_wire() -> None:
    assert set(wire(Asked("", (Call("a", "look", {}),)))) == {"role", "tool_calls"}


def test_the_reasoning_that_an_endpoint_wants_back_goes_back_with_its_calls() -> None:
    asked = Asked("", (Call("a", "look", {}),), "Hm", "reasoning_content")
    assert wire(asked)["reasoning_content"] == "Hm"
    assert "reasoning" not in wire(Asked("", asked.calls, "Hm", "reasoning"))


def test_reasoning_goes_back_to_none_but_the_endpoint_that_sent_it() -> None:
    asked = Asked("", (Call("a", "look", {}),), "Hm", "reasoning_content", "here", ({"type": "reasoning.text"},))
    assert {"reasoning_content", "reasoning_details"} <= set(wire(asked, "here"))
    assert set(wire(asked, "there")) == {"role", "tool_calls"}


def test_without_tools_the_request_says_nothing_of_tools() -> None:
    body: dict[str, Any] = json.loads(request(Frozen("Be brief."), [Said("user", "hi")], "m"))
    assert set(body) == {"model", "messages", "stream", "stream_options"}


def test_what_an_endpoint_refuses_is_left_out() -> None:
    frozen = Frozen("Be brief.", [{"type": "function", "function": {"name": "look"}}])
    asked = Asked("", (Call("call_abcdef", "look", {"place": "here"}),))
    told: list[Entry] = [Said("user", "hi"), asked, Answered("call_abcdef", "a tree")]
    assert "stream_options" not in json.loads(request(frozen, told, "m", without=("stream_options",)))
    short = json.loads(request(frozen, told, "m", without=("ids",)))["messages"]
    assert len(short[2]["tool_calls"][0]["id"]) == 9
    assert short[2]["tool_calls"][0]["id"] == short[3]["tool_call_id"]
    textual = json.loads(request(frozen, told, "m", without=("tools",)))
    assert "tools" not in textual
    assert textual["stop"] == ["Observation:"]
    assert textual["messages"][2] == {"role": "assistant", "content": 'Action: look({"place": "here"})'}
    assert textual["messages"][3] == {"role": "user", "content": "Observation: a tree"}


def test_the_same_values_give_the_same_bytes() -> None:
    told = [Said("user", "世界 \ud800")]
    assert request(Frozen("Grüße"), told, "m") == request(Frozen("Grüße"), told, "m")
