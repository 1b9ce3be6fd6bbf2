"""Every recorded stream, whole, cut at every byte and split at every byte, at the level of the assembler."""

from collections.abc import Iterable, Iterator

import pytest

from chat.wire import strict
from chat.wire.errors import NoReply, StreamError
from chat.wire.sse import EventSplitter
from chat.wire.stream import Assembler
from chat.wire.values import Reply
from tests.streams.recorded import FOLDER, STREAMS, Recorded, read_stream

EVENTS = [name for name in STREAMS if name.endswith(".sse")]


def events(*pieces: bytes) -> Iterator[str]:
    """Give the data of the events in a stream that arrives in pieces and then ends."""
    splitter = EventSplitter()
    for piece in pieces:
        yield from splitter.feed(piece)
    yield from splitter.end()


def assembled(found: Iterable[str]) -> Reply:
    """Assemble a reply. Raises NoReply."""
    assembler = Assembler()
    for data in found:
        if data.startswith("[DONE]"):
            assembler.done = True
            break
        try:
            chunk = strict.loads(data)
        except ValueError as error:
            raise StreamError(data) from error
        assembler.feed(chunk)
    return assembler.reply()


def check_whole(reply: Reply, recorded: Recorded) -> None:
    assert (reply.text, reply.reasoning) == (recorded.text, recorded.reasoning)
    assert [(call.name, call.arguments) for call in reply.calls if not call.problem] == [*recorded.calls]
    assert sum(bool(call.problem) for call in reply.calls) == recorded.problems


def test_every_file_is_listed_with_what_it_says() -> None:
    files = {file.name for file in FOLDER.iterdir() if file.suffix in (".sse", ".json")}
    assert files == STREAMS.keys()


@pytest.mark.parametrize("name", EVENTS)
def test_a_whole_stream_says_what_it_says(name: str) -> None:
    found = events(read_stream(name))
    if STREAMS[name].fails:
        with pytest.raises(StreamError, match="Provider disconnected"):
            assembled(found)
    else:
        check_whole(assembled(found), STREAMS[name])


@pytest.mark.parametrize("name", EVENTS)
def test_split_at_any_byte_it_says_the_same(name: str) -> None:
    stream = read_stream(name)
    whole = [*events(stream)]
    assert [*events(*(stream[at : at + 1] for at in range(len(stream))))] == whole
    for at in range(len(stream) + 1):
        assert [*events(stream[:at], stream[at:])] == whole, at


@pytest.mark.parametrize("name", EVENTS)
def test_cut_at_any_byte_no_call_may_run_that_was_not_finished_and_no_half_text_is_an_answer(name: str) -> None:
    stream, recorded, taken = read_stream(name), STREAMS[name], []
    for at in range(len(stream) + 1):
        try:
            reply = assembled(events(stream[:at]))
        except NoReply:
            continue
        runnable = [(call.name, call.arguments) for call in reply.calls if not call.problem]
        assert runnable == [*recorded.calls][: len(runnable)], at
        assert reply.calls or reply.text == recorded.text, at
        taken.append(at)
    assert 0 not in taken
    assert recorded.fails or len(stream) in taken
