"""The assembler: fragments of every shape that endpoints send, to the calls that were meant."""

import json
from typing import Any

import pytest

from chat.wire.errors import StreamCut, StreamError
from chat.wire.sse import EventSplitter
from chat.wire.stream import Assembler
from chat.wire.strict import read_arguments
from chat.wire.values import Reply, Usage
from tests.scripted import Chunk, delta, event, fragment, says

LONDON, TOKYO = '{"city": "London"}', '{"city": "Tokyo"}'


def assembled(*chunks: Any, done: bool = True, taken: tuple[str, ...] = ()) -> Reply:
    assembler = Assembler()
    for chunk in chunks:
        assembler.feed(chunk)
    assembler.done = done
    return assembler.reply(1, taken)


def calls(*fragments: dict[str, Any], together: bool = False, finish: str = "tool_calls") -> list[tuple[str, str, Any]]:
    groups = [list(fragments)] if together else [[one] for one in fragments]
    reply = assembled(*(delta(tool_calls=group) for group in groups), delta(finish))
    return [(call.id, call.name, call.arguments) for call in reply.calls]


A, B = ("a", "look", {"city": "London"}), ("b", "look", {"city": "Tokyo"})

SHAPES: dict[str, tuple[list[dict[str, Any]], list[tuple[str, str, Any]]]] = {
    "fragments of one call": (
        [fragment("", index=0, id="a", name="look"), fragment('{"city":', index=0), fragment(' "London"}', index=0)],
        [A],
    ),
    "id and name in each delta": (
        [fragment('{"city":', index=0, id="a", name="look"), fragment(' "London"}', index=0, id="a", name="look")],
        [A],
    ),
    "index missing": ([fragment('{"city":', id="a", name="look"), fragment(' "London"}')], [A]),
    "index null": (
        [fragment('{"city":', index=None, id="a", name="look"), fragment(' "London"}', index=None)],
        [A],
    ),
    "both index 0, ids differ": (
        [fragment(LONDON, index=0, id="a", name="look"), fragment(TOKYO, index=0, id="b", name="look")],
        [A, B],
    ),
    "both index 0, ids differ, fragmented": (
        [
            fragment("", index=0, id="a", name="look"),
            fragment(LONDON, index=0),
            fragment("", index=0, id="b", name="look"),
            fragment(TOKYO, index=0),
        ],
        [A, B],
    ),
    "first index is 1": ([fragment(LONDON, index=1, id="a", name="look")], [A]),
    "arguments as an object": ([fragment({"city": "London"}, index=0, id="a", name="look")], [A]),
    "arguments empty": ([fragment("", index=0, id="a", name="look")], [("a", "look", {})]),
    "arguments absent": ([fragment(index=0, id="a", name="look")], [("a", "look", {})]),
    "arguments encoded twice": ([fragment(json.dumps(LONDON), index=0, id="a", name="look")], [A]),
    "name repeated in fragments without id": (
        [fragment('{"city":', index=0, name="look", id="a"), fragment(' "London"}', index=0, name="look")],
        [A],
    ),
    "no index, ids differ, fragmented": (
        [
            fragment('{"city":', id="a", name="look"),
            fragment('{"city":', id="b", name="look"),
            fragment(' "London"}', id="a"),
            fragment(' "Tokyo"}', id="b"),
        ],
        [A, B],
    ),
    "interleaved by index": (
        [
            fragment('{"city":', index=0, id="a", name="look"),
            fragment('{"city":', index=1, id="b", name="look"),
            fragment(' "London"}', index=0),
            fragment(' "Tokyo"}', index=1),
        ],
        [A, B],
    ),
    "id after the name": ([fragment('{"city":', index=0, name="look"), fragment(' "London"}', index=0, id="a")], [A]),
    "a name padded with spaces": ([fragment(LONDON, index=0, id="a", name=" look ")], [A]),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_calls_that_were_meant(shape: str) -> None:
    fragments, meant = SHAPES[shape]
    assert calls(*fragments) == meant


def test_two_calls_in_one_delta_are_two_in_order() -> None:
    both = [fragment(LONDON, index=0, id="a", name="look"), fragment(TOKYO, index=1, id="b", name="look")]
    assert calls(*both, together=True) == [A, B]


def test_two_complete_calls_with_one_index_and_no_ids_are_two() -> None:
    found = calls(fragment(LONDON, index=0, name="look"), fragment(TOKYO, index=0, name="look"))
    assert [arguments for _, _, arguments in found] == [{"city": "London"}, {"city": "Tokyo"}]
    assert len({id_ for id_, _, _ in found}) == 2


@pytest.mark.parametrize("given", [None, "", "same"])
def test_ids_that_are_missing_or_doubled_are_minted(given: str | None) -> None:
    rest = {} if given is None else {"id": given}
    found = calls(fragment(LONDON, index=0, name="look", **rest), fragment(TOKYO, index=1, name="look", **rest))
    ids = [id_ for id_, _, _ in found]
    assert len(set(ids)) == 2
    assert all(ids)


def test_an_id_used_in_an_earlier_turn_is_minted_anew_in_nine_letters_and_digits() -> None:
    reply = assembled(delta(tool_calls=[fragment(LONDON, index=0, id="a", name="look")]), taken=("a",))
    assert reply.calls[0].id != "a"
    assert reply.calls[0].id.isalnum()
    assert len(reply.calls[0].id) == 9


@pytest.mark.parametrize("raw", ['{"city": "Lon', "{city: 1}", "[1]", "7", "null", "true", '"just text"'])
def test_arguments_that_are_no_object_have_a_problem_and_are_empty_on_the_wire(raw: str) -> None:
    arguments, problem = read_arguments(raw)
    assert arguments == {}
    assert problem


@pytest.mark.parametrize("finish", ["length", "tool_calls"])
def test_cut_arguments_are_never_run(finish: str) -> None:
    reply = assembled(delta(tool_calls=[fragment('{"city": "Lon', index=0, id="a", name="look")]), delta(finish))
    assert reply.calls[0].problem


def test_a_stream_that_ends_inside_arguments_is_cut() -> None:
    with pytest.raises(StreamCut):
        assembled(delta(tool_calls=[fragment('{"city": "Lon', index=0, id="a", name="look")]), done=False)


def test_a_stream_that_ends_inside_text_is_cut() -> None:
    with pytest.raises(StreamCut):
        assembled(delta(content="Half an ans"), done=False)


def test_complete_calls_count_even_if_the_stream_never_said_that_it_ended() -> None:
    reply = assembled(delta(tool_calls=[fragment(LONDON, index=0, id="a", name="look")]), done=False)
    assert not reply.calls[0].problem


def test_finish_stop_with_calls_still_has_the_calls() -> None:
    assert calls(fragment(LONDON, index=0, id="a", name="look"), finish="stop") == [A]


@pytest.mark.parametrize(
    "odd", [{"choices": None}, {}, {"choices": []}, {"choices": [{"delta": None}]}, {"object": ""}]
)
def test_chunks_that_say_nothing_are_passed_over(odd: Chunk) -> None:
    assert assembled(odd, *says("Hello"), odd).text == "Hello"


@pytest.mark.parametrize("garbage", [None, 7, "text", [1]])
def test_what_is_no_chunk_is_an_error(garbage: object) -> None:
    with pytest.raises(StreamError):
        Assembler().feed(garbage)


def test_an_error_in_mid_stream_is_an_error_in_its_words() -> None:
    with pytest.raises(StreamError, match="overloaded"):
        assembled(delta(content="Half"), {"error": {"message": "overloaded"}})


def test_only_choice_0_is_read() -> None:
    other = {"choices": [{"index": 1, "delta": {"content": "other"}}]}
    assert assembled(delta(content="one"), other).text == "one"


def test_reasoning_is_kept_apart_from_the_text_and_not_taken_twice() -> None:
    chunks = [delta(reasoning_content="Hm", reasoning="Hm"), delta(reasoning_content=", yes"), delta(content="Yes")]
    reply = assembled(*chunks)
    assert (reply.text, reply.reasoning, reply.reasoning_field) == ("Yes", "Hm, yes", "reasoning_content")


THINKING = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm. "}, {"type": "reference", "ids": [1]}]}
SAYING = {"type": "text", "text": "Fine."}


@pytest.mark.parametrize(
    "chunks",
    [
        [delta(content=[THINKING]), delta(content=[SAYING]), delta("stop")],
        [delta("stop", content=[THINKING, SAYING, {"type": "image_url", "image_url": {"url": "x"}}, None, 7])],
        [{"choices": [{"message": {"role": "assistant", "content": [THINKING, SAYING]}, "finish_reason": "stop"}]}],
    ],
)
def test_content_in_parts_is_text_and_reasoning(chunks: list[Chunk]) -> None:
    reply = assembled(*chunks)
    assert (reply.text, reply.reasoning) == ("Fine.", "Hm. ")


@pytest.mark.parametrize("said", [[], [delta(content="Half an ans")], says("Whole?", finish="")])
def test_a_reply_that_ends_with_an_error_is_not_whole(said: list[Chunk]) -> None:
    with pytest.raises(StreamCut, match="broke the reply off with an error"):
        assembled(*said, delta("error"))


def test_an_error_of_the_choice_is_an_error_in_its_words() -> None:
    broken = {"choices": [{"delta": {}, "finish_reason": "error", "error": {"code": 502, "message": "on fire"}}]}
    with pytest.raises(StreamError, match="on fire"):
        assembled(delta(content="Half"), broken)


def test_extra_content_is_kept_with_its_call() -> None:
    signed = fragment(LONDON, index=0, id="a", name="look", extra_content={"google": {"thought_signature": "x"}})
    reply = assembled(delta(tool_calls=[signed]))
    assert reply.calls[0].extra == {"extra_content": {"google": {"thought_signature": "x"}}}


def test_usage_is_split_into_counts_that_do_not_overlap() -> None:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "prompt_tokens_details": {"cached_tokens": 30},
        "completion_tokens_details": {"reasoning_tokens": 20},
    }
    assert assembled(*says("x", usage=usage)).usage == Usage(input=70, cache_read=30, reasoning=20, output=30)


@pytest.mark.parametrize(
    "usage", [None, {}, {"prompt_tokens": "many"}, [], {"prompt_tokens": -1, "completion_tokens": True}]
)
def test_usage_that_is_not_there_is_unknown_and_not_zero(usage: Any) -> None:
    assert assembled({"choices": [], "usage": usage}, *says("x")).usage == Usage()


def test_events_are_the_same_wherever_the_bytes_are_cut() -> None:
    stream = b": keep-alive\r\n\r\n" + b"".join(event(chunk) for chunk in says("Grüße", " 世界")) + b"data: [DONE]\n\n"
    whole = EventSplitter().feed(stream)
    assert whole[-1] == "[DONE]"
    for cut in range(len(stream) + 1):
        splitter = EventSplitter()
        assert splitter.feed(stream[:cut]) + splitter.feed(stream[cut:]) == whole


def test_an_event_without_its_blank_line_is_still_read_at_the_end() -> None:
    splitter = EventSplitter()
    assert splitter.feed(b"data: [DO") == []
    assert splitter.feed(b"NE]") == []
    assert splitter.end() == ["[DONE]"]


def test_wherever_a_stream_is_cut_no_call_is_taken_whose_arguments_were_not_finished() -> None:
    chunks = [
        delta(content="Let me look."),
        delta(tool_calls=[fragment("", index=0, id="a", name="look")]),
        *(delta(tool_calls=[fragment(piece, index=0)]) for piece in LONDON),
        delta(tool_calls=[fragment("", index=1, id="b", name="look")]),
        *(delta(tool_calls=[fragment(piece, index=1)]) for piece in TOKYO),
        delta("tool_calls"),
    ]
    for cut in range(len(chunks)):
        try:
            reply = assembled(*chunks[:cut], done=False)
        except StreamCut:
            continue
        for call in reply.calls:
            assert call.arguments in ({"city": "London"}, {"city": "Tokyo"})


@pytest.mark.parametrize(
    "raw", ['{"x": NaN}', '{"x": Infinity}', '{"x": 1e999}', '{"x": ' + "[" * 101 + "]" * 101 + "}", "[" * 5000]
)
def test_what_is_json_to_python_alone_or_too_deep_to_carry_is_refused(raw: str) -> None:
    arguments, problem = read_arguments(raw)
    assert arguments == {}
    assert problem


def test_what_a_reply_holds_can_be_stored_and_sent_as_it_is() -> None:
    halves = [delta(content="Hi \ud83d"), delta(content="\ude00\x00")]
    odd = delta(tool_calls=[fragment({"a\x00": "\ud800"}, index=0, id="a\x00", name="look\ud800")])
    reply = assembled(*halves, odd)
    assert reply.text == "Hi 😀\ufffd"
    assert (reply.calls[0].id, reply.calls[0].name) == ("a\ufffd", "look\ufffd")
    assert reply.calls[0].arguments == {"a\ufffd": "\ufffd"}
