"""Rows to HTML: the articles of a conversation, the panel of a run, and the frames that carry their changes.

The page as loaded and the page as changed live use the same templates over the same rows. A frame is a fragment of
elements that each name what they change; text of models, tools and people is always further in, and escaped.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString

from chat import trace
from chat.markdown import render as markdown
from chat.models import Message, Role, Run, RunStatus, Step
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


def article_html(drawn: Article) -> SafeString:
    return render_to_string(drawn.template, {"article": drawn})


def appended_article(drawn: Article) -> SafeString:
    """Return the frame that puts a message at the end of the list."""
    return oob("beforeend:#messages", article_html(drawn))


def replaced_article(drawn: Article) -> SafeString:
    """Return the frame that draws what a person said, or a summary, anew in the place where it is."""
    return render_to_string(drawn.template, {"article": drawn, "oob": True})


def all_articles(conversation: uuid.UUID, talk: Talk) -> SafeString:
    """Return the frame that draws the whole list of messages anew, and the button for what is before it."""
    drawn, earlier = last_articles(talk)
    button = render_to_string("chat/_earlier_button.html", {"conversation": conversation, "earlier": earlier})
    return oob("innerHTML:#earlier-messages", button) + oob(
        "innerHTML:#messages", joined(article_html(one) for one in drawn)
    )


def changed_article(drawn: Article) -> SafeString:
    """Return the frame that changes the parts of an answer; while it is live its text is the preview's."""
    at = f"#m-{drawn.message.pk}"
    parts = [
        oob(f"innerHTML:{at}-{part}", render_to_string(f"chat/_{template}.html", {"article": drawn}))
        for part, template in (("head", "article_head"), ("thoughts", "thoughts"), ("end", "ending"))
    ]
    if not drawn.live:
        parts += [oob(f"innerHTML:{at}-{part}", "") for part in ("open", "thinking")]
        parts.append(oob(f"innerHTML:{at}-closed", drawn.html))
    return joined(parts)


def panel_frame(run: Run | None, steps: Sequence[Step]) -> SafeString:
    """Return the frame that puts a run into the trace panel, or empties it."""
    panel = trace.panel(run, steps) if run else None
    return oob("innerHTML:#trace", render_to_string("chat/_panel.html", {"panel": panel}))


def steps_html(run: Run, steps: Sequence[Step], whole: float) -> SafeString:
    rows = [trace.row(step, run, whole) for step in steps]
    return joined(render_to_string("chat/_step.html", {"row": row}) for row in rows)


def step_frames(run: Run, changed: Sequence[Step], since: int, whole: float) -> SafeString:
    """Return the frame for steps changed after `since`: new ones appended, others changed in place."""
    parts = []
    if new := [step for step in changed if step.born > since]:
        parts.append(oob(f"beforeend:#steps-{run.pk}", steps_html(run, new, whole)))
    for step in changed:
        if step.born <= since:
            row = {"row": trace.row(step, run, whole)}
            head = render_to_string("chat/_step_head.html", row)
            body = render_to_string("chat/_fields.html", row)
            parts += [
                oob(f"innerHTML:#step-{step.pk}-head", head),
                oob(f"innerHTML:#step-{step.pk}-body", body),
            ]
    return joined(parts)


def bar_frames(run: Run, steps: Sequence[Step], whole: float) -> SafeString:
    """Return the frame that draws the bars of steps to another scale."""
    rows = [trace.row(step, run, whole) for step in steps]
    return joined(
        oob(f"innerHTML:#step-{row.step.pk}-bar", render_to_string("chat/_bar.html", {"row": row})) for row in rows
    )


def panel_head_frames(run: Run) -> SafeString:
    """Return the frame for a panel's sums and for the revision that it is at."""
    said = {"figures": trace.figures(run), "ending": how_it_ended(run), "failed": run.status == RunStatus.FAILED}
    sums = render_to_string("chat/_panel_sum.html", said)
    return oob(f"innerHTML:#panel-{run.pk}-sum", sums) + _itself("cursor_run", run=run)


def conversation_cursor(revision: int) -> SafeString:
    return _itself("cursor", revision=revision)


def follows_frame(follows: bool) -> SafeString:
    """Return the frame by which the page knows whether its trace goes on to the next run."""
    return _itself("cursor_follows", follows=follows)


def live_frames(run: Run | None, writing: bool = False) -> SafeString:
    """Return the frame for what follows from the live run: the Stop button and the line that says what goes on."""
    stop = render_to_string("chat/_stop.html", {"live": run})
    doing = "" if run is None else "Writing" if writing and not run.stopping else summary_line(run, is_next=True)
    return oob("innerHTML:#stop-slot", stop) + oob("innerHTML:#status", doing)


def held_frame() -> SafeString:
    """Return the frame for the line that says what goes on, while nothing can be stored."""
    return oob("innerHTML:#status", "Waiting for the server's database")


def allowance_frame(words: str) -> SafeString:
    """Return the frame for the line that says how much a person has left, if that is little."""
    return oob("innerHTML:#allowance", words)


def title_frame(title: str) -> SafeString:
    return oob("innerHTML:#title", title) + oob("innerHTML:head > title", f"{title} · agentsite")


def sent_frame(client_id: str) -> SafeString:
    """Return the frame that gives the form a new id, after a message was stored."""
    return _itself("client_id", client_id=client_id)


def taken_back(text: str) -> SafeString:
    """Return the frame that gives a text back, which the page's script puts into the box."""
    return oob("innerHTML:#taken-back", text)


def answered(client_id: str | None) -> SafeString:
    """Return the frame that says that what a page asked for under an id was done, or refused in words."""
    return _itself("answered", client_id=client_id) if client_id else SafeString("")


def notice(words: str) -> SafeString:
    """Return the frame that says why something was refused."""
    return _itself("notice", notice=words)


def preview_frames(
    message: int,
    reset: bool,
    thought: str = "",
    closed: str = "",
    opened: SafeString | None = None,
    rest: str = "",
    writes: bool = False,
) -> SafeString:
    """Return the frame for streamed text: blocks that closed, then the open one anew, or more of its plain `rest`.

    `thought` is more of what is thought before that; `writes` says that the answer begins.
    """
    at, parts = f"#m-{message}", []
    if reset:
        parts += [oob(f"innerHTML:{at}-{part}", "") for part in ("thinking", "closed", "open")]
    if thought:
        parts.append(oob(f"beforeend:{at}-thinking", thought))
    if writes:
        parts += [oob(f"innerHTML:{at}-head b", "Writing"), oob("innerHTML:#status", "Writing")]
    if closed:
        parts.append(oob(f"beforeend:{at}-closed", closed))
    if opened is not None:
        parts.append(oob(f"innerHTML:{at}-open", opened))
    if rest:
        parts.append(oob(f"beforeend:{at}-rest", rest))
    return joined(parts)


def plain_rest(message: int, text: str) -> SafeString:
    """Return a long open block as plain text, to which more is appended until it closes."""
    return format_html('<pre class="rest" id="m-{}-rest">{}</pre>', message, text)


def joined(parts: Iterable[SafeString]) -> SafeString:
    return format_html_join("", "{}", ((part,) for part in parts))


def _itself(template: str, **context: object) -> SafeString:
    """Return an element as the page has it, told to take its own place there."""
    return SafeString(render_to_string(f"chat/_{template}.html", {**context, "oob": True}).strip())


def oob(where: str, inside: str) -> SafeString:
    """Return an element that htmx swaps to where it says; `inside` is escaped unless it is safe."""
    return format_html('<div hx-swap-oob="{}">{}</div>', where, inside)
