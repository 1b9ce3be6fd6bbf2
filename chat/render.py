"""Rows to HTML: the articles of a conversation, the panel of a run, and the frames that carry their changes.

The page as loaded and the page as changed live use the same templates over the same rows. A frame is a fragment of
elements that each name what they change; text of models, tools and people is always further in, and escaped.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from chat import trace
from chat.markdown import render as markdown
from chat.models import Message, Role, Run, RunStatus, Step
from chat.rows import Talk
from chat.words import figures_line, how_it_ended, summary_line

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
        summary=summary_line(run),
        figures=figures_line(run),
        ending=how_it_ended(run),
        live=run.live,
        pager=pager,
        thoughts=[DrawnThought(markdown(one.text), one.reasoning) for one in talk.thoughts.get(run.pk, ())],
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
    drawn = articles(talk)
    button = render_to_string("chat/_earlier_button.html", {"conversation": conversation, "earlier": earliest(talk)})
    return oob("innerHTML:#earlier-messages", button) + oob(
        "innerHTML:#messages", joined(article_html(one) for one in drawn)
    )


def earliest(talk: Talk) -> int | None:
    """Return the id of the first message, if there are more before it."""
    return talk.messages[0][0].pk if talk.earlier else None


def changed_article(drawn: Article) -> SafeString:
    """Return the frame that changes the parts of an answer; while it is live its text is the preview's."""
    at = f"#m-{drawn.message.pk}"
    parts = [
        oob(f"innerHTML:{at}-head", render_to_string("chat/_article_head.html", {"article": drawn})),
        oob(f"innerHTML:{at}-thoughts", render_to_string("chat/_thoughts.html", {"thoughts": drawn.thoughts})),
        oob(f"innerHTML:{at}-end", render_to_string("chat/_ending.html", {"article": drawn})),
    ]
    if not drawn.live:
        parts += [oob(f"innerHTML:{at}-{part}", "") for part in ("open", "thinking")]
        parts.append(oob(f"innerHTML:{at}-closed", drawn.html))
    return joined(parts)


def panel_html(run: Run | None, steps: Sequence[Step]) -> SafeString:
    """Return the inside of the trace panel."""
    drawn = trace.panel(run, steps) if run else None
    return render_to_string("chat/_panel.html", {"panel": drawn})


def panel_frame(run: Run, steps: Sequence[Step]) -> SafeString:
    """Return the frame that puts a run into the trace panel."""
    return oob("innerHTML:#trace", panel_html(run, steps))


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
    sums = render_to_string(
        "chat/_panel_sum.html",
        {"figures": trace.figures(run), "ending": how_it_ended(run), "failed": run.status == RunStatus.FAILED},
    )
    return oob(f"innerHTML:#panel-{run.pk}-sum", sums) + run_cursor(run.pk, run.revision)


def run_cursor(run: uuid.UUID, revision: int) -> SafeString:
    return format_html(
        '<div id="cursor-run" hidden data-run="{}" data-revision="{}" hx-swap-oob="true"></div>',
        run,
        revision,
    )


def conversation_cursor(revision: int) -> SafeString:
    return format_html('<div id="cursor" hidden data-conversation-revision="{}" hx-swap-oob="true"></div>', revision)


def follows_frame(follows: bool) -> SafeString:
    """Return the frame by which the page knows whether its trace goes on to the next run."""
    return format_html(
        '<div id="cursor-follows" hidden data-follows="{}" hx-swap-oob="true"></div>', "yes" if follows else "no"
    )


def live_frames(run: Run | None, writing: bool = False) -> SafeString:
    """Return the frame for what follows from the live run: the Stop button and the line that says what goes on."""
    stop = render_to_string("chat/_stop.html", {"live": run is not None})
    doing = "" if run is None else "Writing" if writing else summary_line(run)
    return oob("innerHTML:#stop-slot", stop) + oob("innerHTML:#status", doing)


def allowance_frame(words: str) -> SafeString:
    """Return the frame for the line that says how much a person has left, if that is little."""
    return oob("innerHTML:#allowance", words)


def title_frame(title: str) -> SafeString:
    return oob("innerHTML:#title", title) + oob("innerHTML:head > title", f"{title} · agentsite")


def sent_frame(client_id: str) -> SafeString:
    """Return the frame that gives the form a new id, after a message was stored."""
    return format_html('<input type="hidden" name="client_id" id="client-id" value="{}" hx-swap-oob="true">', client_id)


def taken_back(text: str) -> SafeString:
    """Return the frame that gives a text back, which the page's script puts into the box."""
    return oob("innerHTML:#taken-back", text)


def notice(words: str) -> SafeString:
    """Return the frame that says why something was refused."""
    return format_html('<div id="notice" role="alert" hx-swap-oob="true">{}</div>', words)


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


def oob(where: str, inside: str) -> SafeString:
    """Return an element that htmx swaps to where it says; `inside` is escaped unless it is safe."""
    return format_html('<div hx-swap-oob="{}">{}</div>', where, inside)
