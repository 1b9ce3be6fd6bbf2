"""What fits into a model's context window: old tool results in brief, then older turns as one summary.

Pure functions. A cut is made at the edges of turns only, so a call is never parted from its results; between two
cuts a request only grows at its end, so an endpoint can cache what stands before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from chat.agent.transcript import Answered, Entry, Summary, size
from tools.text import first

ROOMY = 0.6  # of the room is taken after a cut, so that the next one is some turns away
SUMMARY_SHARE = 0.1  # of the room, for a summary that is not written yet
LONGEST_SUMMARY = 2_000  # characters of a summary that are sent; a model that writes on and on would fill the window
BRIEF = 200  # characters that are left of an old result
WORTH_IT = 2 * BRIEF
LONGEST_TOLD = 4_000  # bytes of one entry that are told to whoever writes the summary


@dataclass(frozen=True, slots=True)
class Cut:
    """How a history is shortened; the numbers are places in its list of entries.

    Results before `shrunk` are sent in brief. What stands before `folded` is sent as `summary`, and after it, word for
    word, the question at `asked`, if that was folded too.
    """

    shrunk: int = 0
    folded: int = 0
    asked: int = 0
    summary: str = ""


def shortened(entries: Sequence[Entry], cut: Cut) -> list[Entry]:
    """Return the entries as they are sent."""
    head: list[Entry] = [Summary(cut.summary[:LONGEST_SUMMARY])] if cut.folded else []
    head += [entries[cut.asked]] if cut.asked < cut.folded else []
    rest = enumerate(entries[cut.folded :], cut.folded)
    return [*head, *(brief(entry) if place < cut.shrunk else entry for place, entry in rest)]


def brief(entry: Entry) -> Entry:
    """Return a tool's result as its first characters, and anything else as it is."""
    if not isinstance(entry, Answered) or len(entry.text) <= WORTH_IT:
        return entry
    return replace(entry, text=f"{entry.text[:BRIEF]}\n[shortened: it had {len(entry.text):,} characters]")


def told(entry: Entry) -> Entry:
    """Return an entry as it is told to whoever writes the summary: the beginning of what is long."""
    return replace(entry, text=first(entry.text, LONGEST_TOLD))


def shorter(entries: Sequence[Entry], cut: Cut, asked: int, room: float) -> Cut | None:
    """Return the cut with which the entries fit into `room` bytes: the same one if they do; None: nothing helps.

    `asked` is the place of the question that is being answered. A cut that folds more has no summary yet, and folds no
    more than a request for that summary has room for; it may have to be shortened again.
    """
    if sum(size(entry) for entry in shortened(entries, cut)) <= room:
        return cut
    head = sum(size(entry) for entry in shortened(entries[: cut.folded], cut))
    full, short = _sums(entries), _sums([brief(entry) for entry in entries])

    def left(folded: int, shrunk: int) -> int:
        """Return the bytes of what is not folded."""
        middle = max(folded, shrunk)
        return short[middle] - short[folded] + full[-1] - full[middle]

    edges = [n for n, entry in enumerate(entries) if not isinstance(entry, Answered)] + [len(entries)]
    for edge in edges[:-1]:  # the last turn's results stay as they are
        if edge > cut.shrunk and head + left(cut.folded, edge) <= room * ROOMY:
            return replace(cut, shrunk=edge)
    question, later = size(entries[asked]), [edge for edge in edges if edge > cut.folded]

    def after(edge: int) -> float:
        """Return about how many bytes are sent once all before an edge is folded."""
        return room * SUMMARY_SHARE + (question if asked < edge else 0) + left(edge, cut.shrunk)

    roomy = (edge for edge in later if after(edge) <= room * ROOMY)
    wanted = next(roomy, None) or next((edge for edge in later[-2:] if after(edge) <= room), None)
    if wanted is None:
        return None
    summed = _sums([told(entry) for entry in entries])
    fits = [one for one in later if one <= wanted and head + summed[one] - summed[cut.folded] <= room]
    folded = fits[-1] if fits else later[0]
    return Cut(max(cut.shrunk, folded), folded, asked)


def _sums(entries: Sequence[Entry]) -> list[int]:
    """Return the bytes of all entries before each place, and of all."""
    return [0, *accumulate(size(entry) for entry in entries)]
