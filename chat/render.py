"""Rows to HTML: the messages of a conversation, the panel of a run, and the frames that carry their changes.

The page as loaded and the page as changed live use the same templates over the same rows. A frame is a fragment of
elements that each name what they change; text of models, tools and people is always further in, and escaped.
"""

import uuid
from collections.abc import Iterable, Sequence

from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from chat import trace
from chat.articles import Article, last_articles
from chat.models import Run, Step
from chat.rows import Talk
from chat.words import closed, summary_line


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
    sums = render_to_string("chat/_panel_sum.html", {"panel": trace.panel(run, ())})
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
    return oob("innerHTML:#title", title) + oob("innerHTML:head > title", f"{closed(title)} · agentsite")


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
    return render_to_string(f"chat/_{template}.html", {**context, "oob": True})


def oob(where: str, inside: str) -> SafeString:
    """Return an element that htmx swaps to where it says; `inside` is escaped unless it is safe."""
    return format_html('<div hx-swap-oob="{}">{}</div>', where, inside)
