"""Whatever stands in a body, there is a reply, and tool calls come to an end."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chat.demo.model import Reply, reply
from tests.demo.dialogue import tools

WORDS = (
    "what's the weather in London Tokyo paris average of and two times 3 4.5 -2 ( ) * / + % percent square root that "
    "it double remember forget my i time difference warmer which again fahrenheit ? . , ! degrees humidity temperature "
    "how about count to 200 them sum 1,000 999999999999999999999 1e999 power \ud800 \ue000 \uf000 東京 ** log"
)
RESULTS = (
    '{"city": "London", "temperature_celsius": 14, "condition": "cloudy", "humidity_percent": 78}',
    '{"city": "Tokyo", "temperature_fahrenheit": "71.6", "humidity_percent": null}',
    '{"expression": "1", "result": 5}',
    '{"result": NaN}',
    '{"result": 1e999}',
    '{"local_time": "soon", "utc_offset": "+?"}',
    "Error: no",
    '{"city": "Lon',
    "",
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
SENTENCES = st.lists(st.sampled_from(WORDS.split()), min_size=1, max_size=20).map(" ".join)


@given(st.dictionaries(st.sampled_from(["messages", "tools", "model", "tool_choice"]), JSON))
def test_any_body_gets_a_reply(body: dict[str, Any]) -> None:
    assert isinstance(reply(body), Reply)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"role": st.sampled_from(["system", "user", "assistant", "tool"])},
            optional={"content": JSON, "tool_calls": JSON, "tool_call_id": JSON},
        ),
        min_size=1,
        max_size=6,
    )
)
def test_any_messages_get_a_reply(messages: list[dict[str, Any]]) -> None:
    turn = reply({"messages": messages, "tools": tools()})
    assert turn.text or turn.calls


@settings(max_examples=150)
@given(st.lists(SENTENCES, min_size=1, max_size=4), st.lists(st.sampled_from(RESULTS), min_size=1, max_size=5))
def test_every_conversation_comes_to_an_answer(questions: list[str], results: list[str]) -> None:
    messages: list[dict[str, Any]] = []
    for question in questions:
        messages.append({"role": "user", "content": question})
        for number in range(8):
            turn = reply({"messages": messages, "tools": tools()})
            if not turn.calls:
                break
            calls = [
                {"id": f"{len(messages)}.{i}", "function": {"name": made.name, "arguments": json.dumps(made.arguments)}}
                for i, made in enumerate(turn.calls)
            ]
            messages.append({"role": "assistant", "content": None, "tool_calls": calls})
            told = (results[(number + i) % len(results)] for i in range(len(calls)))
            messages += [
                {"role": "tool", "tool_call_id": c["id"], "content": t} for c, t in zip(calls, told, strict=False)
            ]
        assert not turn.calls
        assert turn.text.strip()
        messages.append({"role": "assistant", "content": turn.text})


def test_a_word_to_go_on_is_no_question_and_the_answer_goes_on_where_it_was_cut() -> None:
    whole = reply({"messages": [{"role": "user", "content": "Count to 30"}]}).text
    cut = [
        {"role": "user", "content": "Count to 30"},
        {"role": "assistant", "content": whole[:20]},
        {"role": "user", "content": "Go on from where you stopped. Do not repeat what was done or said."},
    ]
    assert whole[:20] + reply({"messages": cut}).text == whole
    more = [*cut, {"role": "assistant", "content": whole[20:40]}, cut[-1]]
    assert reply({"messages": more}).text == whole[40:]
    asked = [*more, {"role": "assistant", "content": whole[40:]}, {"role": "user", "content": "How are you?"}]
    assert "scripted demo" in reply({"messages": asked}).text
