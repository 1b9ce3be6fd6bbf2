"""What fits: whatever was said, a cut keeps turns whole and the question, fits, and only ever goes on."""

import json
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from chat.agent.context import (
    BRIEF,
    LONGEST_SUMMARY,
    LONGEST_TOLD,
    SUMMARY_SHARE,
    Cut,
    brief,
    shortened,
    shorter,
    told,
)
from chat.agent.transcript import Answered, Asked, Entry, Frozen, Said, Summary, request, size, transcript, wire
from chat.wire.values import Call, Wire
from tests.agent.test_transcript import is_valid

FROZEN = Frozen("Be brief.")
SHORT = "Short."

lengths = st.integers(0, 3_000)
letters = st.sampled_from(["a", '"', "\n", "ü", "東", "👩‍👧"])
texts = st.builds(lambda letter, length: letter * length, letters, lengths)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Entry], int]:
    """Questions with the turns and the answer of each; the last one is being answered, and may have turns already."""
    entries: list[Entry] = []
    asked = 0
    for number in range(draw(st.integers(1, 4))):
        asked = len(entries)
        entries.append(Said("user", f"{number}" + draw(texts)))
        for turn in range(draw(st.integers(0, 3))):
            ids = [f"q{number}t{turn}c{n}" for n in range(draw(st.integers(1, 2)))]
            calls = tuple(Call(id_, "look", {"at": draw(texts)[:99]}) for id_ in ids)
            entries.append(Asked(draw(texts)[:99], calls))
            entries += [Answered(id_, draw(texts)) for id_ in ids]
        if draw(st.booleans()):
            entries.append(Said("assistant", "Well. " + draw(texts)))
    return entries, asked


rooms = st.integers(500, 20_000)


def sent(entries: list[Entry], cut: Cut) -> list[Wire]:
    return transcript(FROZEN.system, shortened(entries, cut))


def taken(entries: list[Entry], cut: Cut) -> int:
    return sum(size(entry) for entry in shortened(entries, cut))


def settled(entries: list[Entry], cut: Cut, asked: int, room: float) -> tuple[list[Cut], bool]:
    """All the cuts that are made until what was said fits, each summary a short one; and whether it does."""
    cuts = [cut]
    while (cut := cuts[-1]) != (found := shorter(entries, cut, asked, room)):
        if found is None:
            return cuts, False
        cuts.append(found if found.folded == cut.folded else replace(found, summary=SHORT))
        assert len(cuts) < 2 * len(entries) + 3, "it goes on for ever"
    return cuts, True


@given(histories(), rooms)
def test_a_cut_is_made_between_turns_and_keeps_the_question(history: tuple[list[Entry], int], room: int) -> None:
    entries, asked = history
    for cut in settled(entries, Cut(), asked, room)[0]:
        shown = shortened(entries, cut)
        assert entries[asked] in shown
        ids = [call.id for entry in shown if isinstance(entry, Asked) for call in entry.calls]
        assert ids == [entry.id for entry in shown if isinstance(entry, Answered)]  # none without its other half
        messages = sent(entries, cut)
        assert is_valid(messages)
        assert messages[0] == {"role": "system", "content": FROZEN.system}


@given(histories(), rooms)
def test_what_is_cut_fits_once_its_summary_is_there(history: tuple[list[Entry], int], room: int) -> None:
    entries, asked = history
    cuts, fits = settled(entries, Cut(), asked, room)
    if fits:
        assert taken(entries, cuts[-1]) <= room
    else:  # the question and a summary of all else are too much, even without what came of it
        assert size(entries[asked]) + room * SUMMARY_SHARE > room


@given(histories(), rooms)
def test_cuts_never_go_back(history: tuple[list[Entry], int], room: int) -> None:
    entries, asked = history
    for before, after in pairwise(settled(entries, Cut(), asked, room)[0]):
        assert after.shrunk >= before.shrunk
        assert after.folded >= before.folded
        assert (after.shrunk, after.folded) != (before.shrunk, before.folded)


@given(histories(), rooms)
def test_what_fits_is_left_as_it_is(history: tuple[list[Entry], int], room: int) -> None:
    entries, asked = history
    cuts, fits = settled(entries, Cut(), asked, room)
    if fits:
        assert shorter(entries, cuts[-1], asked, room) is cuts[-1]


@given(histories(), rooms)
def test_what_a_summary_is_made_of_fits_as_well(history: tuple[list[Entry], int], room: int) -> None:
    entries, asked = history
    cuts = settled(entries, Cut(), asked, room)[0]
    for before, after in pairwise(cuts):
        if after.folded > before.folded:
            summed = [told(entry) for entry in shortened(entries[: after.folded], before)]
            in_one_step = (
                len(summed) <= len(shortened(entries[: before.folded], before)) + 3
            )  # one turn: no less is left
            assert sum(size(entry) for entry in summed) <= room or in_one_step


@given(histories(), st.integers(3_000, 9_000))
def test_between_two_cuts_a_request_only_grows_at_its_end(history: tuple[list[Entry], int], room: int) -> None:
    entries, _ = history
    cut, before = Cut(), b""
    edges = [n for n, entry in enumerate(entries) if not isinstance(entry, Answered)]
    for length in [*edges[1:], len(entries)]:  # as a run goes on, turn by turn
        so_far = entries[:length]
        asked = max(n for n, entry in enumerate(so_far) if isinstance(entry, Said) and entry.role == "user")
        cuts, fits = settled(so_far, cut, asked, room)
        if not fits:
            return
        messages = json.loads(request(FROZEN, shortened(so_far, cuts[-1]), "m"))["messages"]
        said = json.dumps(messages, ensure_ascii=False).encode()[:-1]
        assert said.startswith(before) or cuts[-1] != cut
        cut, before = cuts[-1], said


@given(st.one_of(st.builds(Said, role=st.just("user"), text=texts), st.builds(Answered, id=st.just("a"), text=texts)))
def test_the_size_of_an_entry_is_that_of_its_message_or_a_little_more(entry: Entry) -> None:
    real = len(json.dumps(wire(entry), ensure_ascii=False).encode())
    assert real <= size(entry) <= real + 60


@given(texts, texts)
def test_so_is_that_of_a_request_for_tools(said: str, given: str) -> None:
    entry = Asked(said, (Call("call00100", "look", {"at": given}),), "Hm", "reasoning_content", details=({"x": said},))
    real = len(json.dumps(wire(entry), ensure_ascii=False).encode())
    assert real <= size(entry) + given.count('"') + given.count("\n")  # what is written in JSON twice


def test_an_old_result_is_sent_as_its_beginning_with_its_length() -> None:
    result = Answered("a", "x" * 5_000)
    assert brief(result) == Answered("a", "x" * BRIEF + "\n[shortened: it had 5,000 characters]")
    assert brief(Answered("a", "x" * BRIEF)).text == "x" * BRIEF
    assert brief(Said("user", "x" * 5_000)).text == "x" * 5_000


def test_results_shrink_before_anything_is_folded_and_the_last_turns_stay() -> None:
    def turn(id_: str) -> list[Entry]:
        return [Asked("", (Call(id_, "look", {}),)), Answered(id_, "x" * 3_000)]

    entries: list[Entry] = [Said("user", "Look!"), *turn("a"), *turn("b"), *turn("c")]
    assert shorter(entries, Cut(), 0, 8_000) == Cut(shrunk=5)
    assert [len(one.text) for one in shortened(entries, Cut(shrunk=5)) if isinstance(one, Answered)] == [
        237,
        237,
        3_000,
    ]


def test_a_question_that_was_folded_stands_behind_the_summary_word_for_word() -> None:
    entries: list[Entry] = [Said("user", "Old"), Said("assistant", "x" * 3_000), Said("user", "Look!")]
    entries += [Asked("y" * 500, (Call("a", "look", {}),)), Answered("a", "z")]
    cut = Cut(5, 5, 2, SHORT)
    assert shortened(entries, cut) == [Summary(SHORT), Said("user", "Look!")]


def test_the_last_turn_is_kept_where_it_just_fits() -> None:
    """A long question and a long result: folded is what stands between them, not what was just found."""
    call = Call("a", "look", {})
    entries: list[Entry] = [Said("user", "x" * 4_000), Asked("y" * 3_000, (call,)), Answered("a", "z")]
    entries += [Asked("", (replace(call, id="b"),)), Answered("b", "w" * 3_000)]
    cut = shorter(entries, Cut(), 0, 9_000)
    assert cut is not None
    assert cut.folded == 3
    assert entries[4] in shortened(entries, cut)


def test_a_question_that_is_too_long_by_itself_cannot_be_helped() -> None:
    entries: list[Entry] = [Said("user", "Hi"), Said("assistant", "Hello"), Said("user", "x" * 10_000)]
    assert shorter(entries, Cut(), 2, 9_000) is None


def test_a_question_that_was_too_long_does_not_stand_in_the_way_of_the_next_one() -> None:
    entries: list[Entry] = [Said("user", "x" * 30_000), Said("user", "Shorter, then.")]
    cut = shorter(entries, Cut(), 1, 9_000)
    assert cut == Cut(1, 1, 1)
    assert sum(size(told(entry)) for entry in entries[:1]) < 9_000


def test_a_summary_that_goes_on_and_on_is_cut() -> None:
    entries: list[Entry] = [Said("user", "a"), Said("user", "b")]
    assert len(shortened(entries, Cut(1, 1, 1, "x" * 10**6))[0].text) == LONGEST_SUMMARY


@given(texts)
def test_what_is_told_of_an_entry_is_its_beginning(text: str) -> None:
    beginning = told(Said("user", text)).text
    assert text.startswith(beginning)
    assert len(beginning.encode()) <= LONGEST_TOLD
    assert beginning == text or len(beginning.encode()) > LONGEST_TOLD - 4
