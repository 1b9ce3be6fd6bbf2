"""Messages prepared for their templates: what is drawn of each, and how many of them one page takes."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import escape
from django.utils.safestring import SafeString

from chat import trace
from chat.markdown import render as markdown
from chat.models import Message, Role, Run, RunStatus
from chat.rows import Talk
from chat.words import figures_line, how_it_ended, summary_line

ARTICLE_BYTES = 800  # without what was said
MOST_BYTES = 2 * 1024 * 1024  # of a page that opens at a message far above its end

DATA_STATUS = {
    RunStatus.QUEUED: "queued",
    RunStatus.RUNNING: "streaming",
    RunStatus.WAITING: "waiting",
    RunStatus.DONE: "done",
    RunStatus.STOPPED: "stopped",
    RunStatus.FAILED: "error",
}


@dataclass(frozen=True, slots=True)
class Article:
    """A message as it is drawn. `run` is there for an answer only, and so are the `thoughts` before it."""

    message: Message
    run: Run | None = None
    html: str = ""
    status: str = ""
    summary: str = ""
    figures: str = ""
    ending: str = ""
    live: bool = False
    pager: "Pager | None" = None
    thoughts: Sequence["DrawnThought"] = ()
    longer: bool = False  # it thought more before those
    behind: bool = False  # another run is at work before it

    @property
    def size(self) -> int:
        """About how many bytes it takes in a page."""
        said = self.html if self.run else escape(self.message.text)
        return ARTICLE_BYTES + sum(len(part.encode()) for part in (said, *(one.html for one in self.thoughts)))

    @property
    def retry(self) -> bool:
        return self.run is not None and self.run.can_retry

    @property
    def goes_on(self) -> bool:
        return self.run is not None and self.run.can_go_on

    @property
    def template(self) -> str:
        return f"chat/_article_{self.message.role}.html"


@dataclass(frozen=True, slots=True)
class Pager:
    """The place of a message among those beside it, and the ones before and after it, if there are any."""

    place: int
    of: int
    previous: int | None
    next: int | None
    parent: int | None

    @classmethod
    def at(cls, message: Message, siblings: Sequence[int]) -> "Pager | None":
        if message.pk not in siblings:
            return None
        n = siblings.index(message.pk)
        previous, following = (siblings[n - 1] if n else None), (siblings[n + 1] if n + 1 < len(siblings) else None)
        return cls(n + 1, len(siblings), previous, following, message.parent_id)


@dataclass(frozen=True, slots=True)
class DrawnThought:
    html: SafeString
    reasoning: bool


def articles(talk: Talk) -> list[Article]:
    return [article(message, run, talk) for message, run in talk.messages]


def last_articles(talk: Talk, down_from: int | None = None) -> tuple[list[Article], int | None]:
    """Return the last messages that one page takes, at least one; and the first one's id, if there are more before.

    They are more where it takes more to go `down_from` a message, within reason.
    """
    drawn = articles(talk)
    sizes = [one.size for one in drawn]
    kept = trace.last_that_fit(sizes)
    wanted = next((n for n, one in enumerate(reversed(drawn), start=1) if one.message.pk == down_from), 0)
    if kept < wanted <= trace.last_that_fit(sizes, MOST_BYTES):
        kept = wanted
    while kept > 1 and drawn[-kept].message.role == Role.SUMMARY:  # it stands with the answer before it
        kept -= 1
    shown = drawn[-kept:] if kept else []
    return shown, shown[0].message.pk if shown and (talk.earlier or kept < len(drawn)) else None


def articles_around(talk: Talk, message: int) -> list[Article]:
    """Return of these messages those that one page takes around one of them: it, and at least one on each side."""
    drawn = articles(talk)
    at = next(n for n, one in enumerate(drawn) if one.message.pk == message)
    sizes, room = [one.size for one in drawn], trace.MOST_BYTES // 2
    before, after = trace.last_that_fit(sizes[:at], room), trace.last_that_fit(sizes[:at:-1], room)
    return drawn[at - before : at + 1 + after]


def article(message: Message, run: Run | None, talk: Talk) -> Article:
    """Prepare a message for its templates."""
    pager = Pager.at(message, talk.siblings.get(message.pk, ()))
    if run is None:
        return Article(message, html=markdown(message.text) if message.role == Role.SUMMARY else "", pager=pager)
    return Article(
        message=message,
        run=run,
        html=markdown(message.text or (talk.partial.get(run.pk, "") if run.live else "")),
        status=DATA_STATUS[RunStatus(run.status)],
        summary=summary_line(run, is_next=talk.next == run.pk),
        figures=figures_line(run),
        ending=how_it_ended(run),
        live=run.live,
        pager=pager,
        thoughts=[DrawnThought(markdown(one.text), one.reasoning) for one in talk.thoughts.get(run.pk, ())],
        longer=run.pk in talk.longer,
        behind=talk.at_work,
    )
