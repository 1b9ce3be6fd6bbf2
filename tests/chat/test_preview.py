"""The text that is being said right now."""

from uuid import uuid4

from chat.preview import Preview


def preview(*pieces: str) -> Preview:
    made = Preview(uuid4(), 1)
    for piece in pieces:
        made.add(1, piece)
    return made


def test_a_character_that_was_cut_in_two_appears_when_it_is_whole() -> None:
    showing = preview("Hi \ud83d")
    assert showing.read() == "Hi "
    showing.add(1, "\ude00!")
    assert showing.read() == "Hi 😀!"


def test_what_cannot_be_sent_never_gets_into_the_text() -> None:
    assert preview("a\x00b", "\ude00c").read() == "a\ufffdb\ufffdc"


def test_the_next_step_begins_anew() -> None:
    showing = preview("First.\n\n")
    assert showing.read()
    showing.add(2, "Second")
    assert (showing.read(), showing.closed) == ("Second", 0)


def test_finished_blocks_are_counted_as_closed() -> None:
    showing = preview("First.\n\n", "Second")
    showing.read()
    assert showing.text[: showing.closed].strip() == "First."
