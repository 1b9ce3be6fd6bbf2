"""What one page has been shown, and the frames that bring it to what is stored now."""

import uuid
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field, fields

from django.utils import timezone
from django.utils.safestring import SafeString

from chat import allowances, branches, driving, render, rows, trace
from chat.articles import article
from chat.live_text import LiveText
from chat.markdown import render as markdown
from chat.models import Role, Run, RunStatus, Step
from chat.preview import Preview, preview_of
from chat.rows import Talk

LONGEST_PIECE = 256 * 1024


@dataclass(slots=True)
class Viewer:
    """One page's place: its revision of the conversation, the run its trace shows, and that run's revision.

    `since` is None until the page says what it has. A trace that `follows` goes on to the next run when one begins.
    """

    conversation: uuid.UUID
    since: int | None = None
    run: uuid.UUID | None = None
    run_since: int = 0
    follows: bool = True
    _told: bool | None = True
    _resumed: bool = False
    _unseen: bool = False
    _lost: bool = False
    _title: str = ""
    _whole: float = 0
    _busy: bool = False
    _held: frozenset[uuid.UUID] = frozenset()
    _at_work: bool = False
    _silent: set[uuid.UUID] = field(default_factory=set)
    _live: dict[uuid.UUID, int] = field(default_factory=dict)
    _texts: dict[uuid.UUID, LiveText] = field(default_factory=dict)
    _afar: dict[uuid.UUID, Preview] = field(default_factory=dict)

    @property
    def waits(self) -> bool:
        """Whether something is going on that may change without a hint reaching this page."""
        return self._busy

    @property
    def reads_afar(self) -> bool:
        """Whether another process writes what this page shows, which comes no sooner than it is stored."""
        return bool(self._afar)

    def resume(self, since: int) -> None:
        """The page has the conversation up to a revision; what it has of live answers is not known."""
        self.since, self._resumed = since, True
        self._live.clear()
        self._texts.clear()

    def look_at(self, run: Run, since: int | None, follows: bool, told: bool | None = None) -> None:
        """The page shows, or wants to see, a run; `since` is None where it has nothing of it yet.

        `told` is whether the page believes that its trace follows, None where that is not known.
        """
        self.run, self.follows, self._told, self._whole = run.pk, follows, told, 0
        self._unseen = since is None or since > run.revision
        self.run_since = since or 0

    def lose(self, told: bool | None) -> None:
        """The page shows a run that is not here: it is to show the newest one instead, and to follow."""
        self.run, self.run_since, self.follows, self._told, self._unseen, self._lost = None, 0, True, told, False, True

    def follow(self) -> None:
        """From here on the trace goes to the next run that begins."""
        self.follows = True

    def catch_up(self) -> SafeString | None:
        """Return everything stored since the last time as one frame; None once the conversation is gone. Reads."""
        pieces = self.pieces()
        return None if pieces is None else render.joined(pieces)

    def pieces(self) -> list[SafeString] | None:
        """Return the same in parts that can be sent one by one: after each the page has what it says that it has.

        Where reading fails in the middle, the page stays where it was, since nothing is sent of it.
        """
        before = [(one.name, copy(getattr(self, one.name))) for one in fields(self)]
        try:
            return self._pieces()
        except Exception:
            for name, value in before:
                setattr(self, name, value)
            raise

    def _pieces(self) -> list[SafeString] | None:
        if self.since is None:
            return []
        title, talk = self._title, rows.talk_since(self.conversation, self.since)
        if talk is None:
            return None
        messages = render.joined(() if talk.anew else self._messages(talk))
        if talk.anew or _is_long(messages):
            self._title = title
            messages = render.joined(self._anew())
        pieces = [messages, *self._answers(), render.joined(self._trace())]
        return pieces if any(pieces) or not self._busy else [*self._silence()]

    def stream(self) -> SafeString:
        """Return the frame for what live runs have said since the last time. Reads nothing."""
        showing = [(run, self._showing(run)) for run in self._live]
        said = render.joined(self._text(run, preview) for run, preview in showing if preview)
        held, self._held = self._held, frozenset(self._live.keys() & driving.let_go.keys())
        return said + render.held_frame() if self._held - held else said

    def _anew(self) -> Iterator[SafeString]:
        """The whole list: another branch is shown, too much is newer, or the page has what there is not."""
        whole = rows.talk(self.conversation)
        self.resume(whole.revision)
        yield render.all_articles(self.conversation, whole)
        yield from self._messages(Talk(whole.revision, whole.title))

    def _messages(self, talk: Talk) -> Iterator[SafeString]:
        """Messages that are new or changed, and what follows from them."""
        if talk.title != self._title:
            self._title = talk.title
            yield render.title_frame(talk.title)
        for message, run in talk.messages:
            drawn = article(message, run, talk)
            if self.since is None or message.born > self.since:
                yield render.appended_article(drawn)
            elif run:
                yield render.changed_article(drawn)
            elif message.role == Role.SUMMARY:
                yield render.replaced_article(drawn)
            if run and not run.live:
                self._texts.pop(run.pk, None)
        if talk.revision != self.since or self._resumed:
            self.since, self._resumed = talk.revision, False
            live = rows.live_runs(self.conversation)
            shown = branches.shown(self.conversation, [run.answer_id for run in live], talk.revision)
            self._live = {run.pk: self._live.get(run.pk, -1) for run in live if run.answer_id in shown}
            at_work = any(run.status != RunStatus.QUEUED for run in live)
            if at_work != self._at_work:  # which says something of those that wait
                self._live |= {run.pk: -1 for run in live if run.pk in self._live and run.status == RunStatus.QUEUED}
                self._at_work = at_work
            self._afar = {pk: showing for pk, showing in self._afar.items() if pk in self._live}
            self._busy = bool(live)
            yield self._doing(live)
            if not live:
                yield render.allowance_frame(allowances.warning_in(self.conversation, timezone.now()))
            yield render.conversation_cursor(talk.revision)

    def _answers(self) -> Iterator[SafeString]:
        """The heads of live answers whose runs went on. Between two model steps nothing is being said.

        While a title is made for an answer, the answer itself stays.
        """
        for pk, seen in self._live.items():
            talk = rows.live_answer(pk, seen)
            showing = self._look_afar(pk)  # what is read after the rest may be newer than it, not older
            for message, run in talk.messages:
                if run is None or not run.live or message.born > (self.since or 0):
                    continue  # its end, or its beginning, comes with the conversation's next revision
                self._live[pk] = run.revision
                yield render.changed_article(article(message, run, talk))
                if run.status != RunStatus.QUEUED:
                    yield self._doing([run])
                if not (showing and showing.number):
                    self._texts.pop(pk, None)
                    yield render.preview_frames(message.pk, True, closed=markdown(talk.partial.get(pk, "")))

    def _silence(self) -> Iterator[SafeString]:
        """What is to be said while nothing happens: whether those who work on the live runs still answer."""
        silent = rows.unanswered(self.conversation, timezone.now())
        if changed := silent ^ self._silent:
            self._silent = silent
            self._live |= {pk: -1 for pk in changed if pk in self._live}
            yield from self._answers()

    def _doing(self, live: Sequence[Run]) -> SafeString:
        """What goes on: of several live runs, the one that is at work."""
        run = rows.at_work(live)
        showing = self._showing(run.pk) if run else None
        return render.live_frames(run, writing=bool(showing and showing.text))

    def _showing(self, run: uuid.UUID) -> Preview | None:
        return preview_of(run) or self._afar.get(run)

    def _look_afar(self, run: uuid.UUID) -> Preview | None:
        """Return what a live run is saying; where another process works on it, that is what is stored by now."""
        if here := preview_of(run):
            return here
        step = rows.saying(run)
        if step is None:
            self._afar.pop(run, None)
            return None
        showing = self._afar.setdefault(run, Preview(self.conversation, step.run.answer_id))
        showing.become(step.number, step.output.get("text", ""), step.output.get("thought", ""))
        return showing

    def _trace(self) -> Iterator[SafeString]:
        """The steps of the run that the trace shows; where that is gone, those of the newest."""
        if self.run and not self.follows and not Run.objects.filter(pk=self.run).exists():
            self.lose(self._told)
        newest = branches.newest_run(self.conversation) if self.follows else None
        if newest and newest.pk != self.run:
            yield self._show(newest)
        elif newest is None and self.follows and (self.run or self._lost):
            self.run, self._lost = None, False
            yield render.panel_frame(None, ())
        elif self.run:
            yield from self._steps(self.run)
        if self.follows != self._told:
            yield render.follows_frame(self.follows)
            self._told = self.follows

    def _steps(self, pk: uuid.UUID) -> Iterator[SafeString]:
        """The steps that changed; all that are shown where the page has none of them, or too many changed."""
        if self._unseen and (run := Run.objects.filter(pk=pk).first()):
            yield self._show(run)
        elif found := rows.run_since(pk, self.run_since, rows.SHOWN_STEPS):
            run, changed = found
            frame = self._changed(run, changed) if len(changed) <= rows.SHOWN_STEPS else None
            yield self._show(run) if frame is None or _is_long(frame) else frame
            self.run_since = run.revision

    def _changed(self, run: Run, changed: Sequence[Step]) -> SafeString:
        parts: list[SafeString] = []
        whole = trace.scale(run, trace.latest(changed))
        if whole != self._whole:
            old = [step for step in rows.run_steps(run) if step.born <= self.run_since]
            parts.append(render.bar_frames(run, old, whole))
            self._whole = whole
        parts.append(render.step_frames(run, changed, self.run_since, whole))
        return render.joined([*parts, render.panel_head_frames(run)])

    def _show(self, run: Run) -> SafeString:
        """Put a run into the trace, with its last steps."""
        steps = rows.run_steps(run)
        self.run, self.run_since, self._unseen, self._lost = run.pk, run.revision, False, False
        self._whole = trace.scale(run, trace.latest(steps))
        return render.panel_frame(run, steps)

    def _text(self, run: uuid.UUID, showing: Preview) -> SafeString:
        """What is new of what a run is saying."""
        if not showing.number:
            return SafeString("")
        shown = self._texts.get(run)
        reset = shown is None or shown.number != showing.number
        if shown is None or reset:
            shown = self._texts[run] = LiveText(showing.number)
        return shown.frames(showing, reset)


def _is_long(piece: SafeString) -> bool:
    """Say whether more is newer than a page is sent at once: then its end is drawn anew, with less before it."""
    return len(piece.encode()) > LONGEST_PIECE
