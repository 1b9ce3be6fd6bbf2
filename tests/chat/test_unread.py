"""How much a page has not handled: counted once it says so, and never held against one that says nothing."""

from chat.unread import FRAME_BYTES, UNREAD_BYTES, Unread


def test_who_never_says_what_it_has_seen_is_not_counted() -> None:
    unread = Unread()
    for _ in range(10):
        unread.sent(UNREAD_BYTES)
    assert unread.room.is_set()


def test_there_is_room_while_one_more_frame_stays_below_the_limit() -> None:
    unread = Unread()
    unread.seen(0)
    unread.sent(UNREAD_BYTES - FRAME_BYTES)
    assert unread.room.is_set()
    unread.sent(1)
    assert not unread.room.is_set()
    unread.seen(1)
    assert unread.room.is_set()


def test_a_frame_that_alone_is_too_large_passes_once_everything_before_it_was_seen() -> None:
    unread = Unread()
    unread.seen(0)
    unread.sent(10 * UNREAD_BYTES)
    assert not unread.room.is_set()
    unread.seen(1)
    assert unread.room.is_set()


def test_frames_from_before_the_first_word_are_not_counted() -> None:
    unread = Unread()
    unread.sent(UNREAD_BYTES)
    unread.seen(0)
    assert unread.room.is_set()
    unread.sent(UNREAD_BYTES)
    unread.seen(1)
    assert not unread.room.is_set()
    unread.seen(2)
    assert unread.room.is_set()


def test_more_than_was_sent_or_less_than_was_said_changes_nothing() -> None:
    unread = Unread()
    unread.seen(2**53)
    unread.sent(UNREAD_BYTES)
    unread.seen(0)
    assert not unread.room.is_set()
    unread.seen(2**53)
    assert unread.room.is_set()
    unread.sent(UNREAD_BYTES)
    assert not unread.room.is_set()
