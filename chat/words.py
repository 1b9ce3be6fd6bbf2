"""Numbers and states in the words that people read: durations, counts, what a run used, how it ended."""

from decimal import Decimal

from django.utils import timezone

from agentsite.runner import hands_on
from chat.models import Run, RunStatus, StopReason

FOR_ITS_TURN, FOR_A_WORKER = "Waiting for its turn", "Waiting for a worker"
STOPPING = "Stopping…"
SILENT = "The server that worked on this does not answer; another one goes on soon"

TIMES = {1: "once", 2: "twice"}
ORDINALS = {2: "second", 3: "third", 4: "fourth", 5: "fifth"}

# Unicode's characters that turn the direction of writing, and what ends each of them.
PDF, PDI = "\u202c", "\u2069"
_TURNED_UNTIL = dict.fromkeys("\u202a\u202b\u202d\u202e", PDF) | dict.fromkeys("\u2066\u2067\u2068", PDI)

ENDINGS = {
    StopReason.MAX_TURNS: "The limit of turns was reached. This is what was found so far.",
    StopReason.BUDGET: "The budget of this run was used up. This is what was found so far.",
    StopReason.TIMEOUT: "The time for this run was up. This is what was found so far.",
    StopReason.LENGTH: "The reply was cut off at the limit of its length.",
    StopReason.STOPPED: "Stopped.",
    # Of those that failed, where the run says nothing more exact of itself.
    StopReason.REFUSAL: "The model refused to answer.",
    StopReason.CONTENT_FILTER: "The endpoint's content filter stopped the reply.",
    StopReason.EMPTY: "The model's reply was empty.",
    StopReason.CONTEXT: "The conversation is too long for the model.",
    StopReason.LOOP: "The model asked for the same again and again.",
    StopReason.RATE_LIMITED: "The endpoint takes no more requests for now.",
    StopReason.CRASHED: "The server stopped while this run was at work.",
    StopReason.ERROR: "Something went wrong.",
}

# How it stands with a run, in a word or two: by its reason once it is over, before that by its status.
STATES: dict[str, str] = {
    RunStatus.QUEUED: "waiting",
    RunStatus.RUNNING: "at work",
    RunStatus.WAITING: "waiting",
    StopReason.DONE: "done",
    StopReason.MAX_TURNS: "out of turns",
    StopReason.BUDGET: "out of budget",
    StopReason.TIMEOUT: "out of time",
    StopReason.LENGTH: "cut off",
    StopReason.STOPPED: "stopped",
    StopReason.REFUSAL: "refused",
    StopReason.CONTENT_FILTER: "filtered",
    StopReason.EMPTY: "no answer",
    StopReason.CONTEXT: "too long",
    StopReason.LOOP: "in circles",
    StopReason.RATE_LIMITED: "rate limited",
    StopReason.CRASHED: "crashed",
    StopReason.ERROR: "failed",
}


def duration(seconds: float | None) -> str:
    """Return seconds as "3 ms", "2.41 s" or "3 min 05 s"; "" for None."""
    if seconds is None:
        return ""
    if seconds < 0.9995:
        return f"{max(0, seconds) * 1000:.0f} ms"
    if seconds < 99.995:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def dollars(amount: Decimal | None) -> str:
    """Return an amount as "$0.0004"; "–" where no price is known."""
    if amount is None:
        return "–"
    return f"${amount:,.4f}" if amount < 1 else f"${amount:,.2f}"


def about(number: int | None, estimated: bool) -> str:
    """Return a count, marked where it is a guess."""
    return f"≈{count(number)}" if estimated and number is not None else count(number)


def plural(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def closed(text: str) -> str:
    """Return a text that turns the direction of nothing that comes after it in its line."""
    open_: list[str] = []
    for character in text if not text.isascii() else "":
        if character in _TURNED_UNTIL:
            open_.append(_TURNED_UNTIL[character])
        elif character == PDF and open_[-1:] == [PDF]:
            open_.pop()
        elif character == PDI and PDI in open_:
            while open_.pop() != PDI:
                pass
    return text + "".join(reversed(open_))


def attempt(number: int) -> str:
    """Return "the second attempt", or "attempt 7" of the later ones."""
    return f"the {ORDINALS[number]} attempt" if number in ORDINALS else f"attempt {number}"


def count(number: int | None) -> str:
    return "–" if number is None else f"{number:,}"


def summary_line(run: Run, is_next: bool = False) -> str:
    """Say what a run did with its tools, or what it is at while it is live; of one that waits, if it `is_next`."""
    if run.status == RunStatus.QUEUED:
        return FOR_A_WORKER if is_next and hands_on() else FOR_ITS_TURN
    if run.live and run.stopping:
        return STOPPING
    if run.live:
        return SILENT if run.unanswered(timezone.now()) else run.doing or "Thinking"
    used = [f"{closed(name)} {TIMES.get(times, f'{times} times')}" for name, times in run.tools.items()]
    if not used and run.status == RunStatus.FAILED:
        return "No answer"
    return f"Used {', '.join(used)}" if used else "No tools used"


def figures_line(run: Run) -> str:
    """Return "3 turns · 2.41 s · 1,312 tokens", with what is known."""
    parts = [plural(run.turns, "turn") if run.turns else ""]
    parts.append(duration(run.seconds))
    parts.append("" if run.tokens is None else f"{about(run.tokens, run.estimated)} tokens")
    return " · ".join(part for part in parts if part)


def how_it_ended(run: Run) -> str:
    """Say how a run ended, unless it simply answered."""
    if run.live or run.stop_reason == StopReason.DONE:
        return ""
    said = ENDINGS.get(StopReason(run.stop_reason), "")
    return said if run.status == RunStatus.DONE else run.error or said


def state(run: Run) -> str:
    """Say in a word or two how it stands with a run."""
    said = run.stop_reason or run.status
    return STATES.get(said, said)
