"""Refuses a run that goes beyond what a person may use, and keeps count of what they delete."""

import math
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import connection

from chat.allowances import DAY, HOUR, TOKENS, Limit, limits_of, runs_since, standing
from chat.branches import key
from chat.models import Conversation, SpentRun
from chat.store.counters import Refused
from chat.words import plural

SPENT = """
    INSERT INTO chat_spentrun (user_id, at, tokens, cost)
    SELECT answer.owner_id, answer.created, COALESCE(run.input_tokens, 0) + COALESCE(run.output_tokens, 0),
        COALESCE(run.cost, 0)
    FROM chat_run run JOIN chat_message answer ON answer.id = run.answer_id
    WHERE run.conversation_id = %s AND NOT run.copied AND answer.created > %s
"""
WORDS = {
    "live_runs": "You may have {runs} at the same time, and {used} are not over yet.",
    "runs_an_hour": "You may start {runs} an hour, and started {used} in the last hour.",
    "tokens_a_day": "You may use {most} tokens a day, and used {used} in the last 24 hours.",
    "cost_a_day": "You may spend {most} a day, and spent {used} in the last 24 hours.",
}


def check_allowance(user: int, at: datetime) -> None:
    """Raise Refused, in words for a person, if one more run of theirs may not begin now.

    Called in the transaction that makes the run, before it writes anything. The person's row is locked until that
    commits, so that requests that come at once are counted one after the other (SQLite has one writer anyway); its key
    is not, which every row of theirs that is written elsewhere refers to. A run
    that began may go past a limit of tokens or cost: it has limits of its own.
    """
    if all(most is None for most in limits_of(user).values()):
        return
    list(User.objects.select_for_update(no_key=True).filter(pk=user).values_list("pk"))
    if reached := standing(user, at).reached:
        said = WORDS[reached.kind].format(
            runs=plural(int(reached.most or 0), "run"),
            most=reached.amount(reached.most),
            used=reached.amount(reached.used),
        )
        raise Refused(f"{said} {_way_out(reached, user, at)}")


def keep_spent(conversations: Collection[uuid.UUID], at: datetime) -> None:
    """Keep what the runs of the last day used, of conversations that are about to be deleted."""
    SpentRun.objects.filter(at__lte=at - DAY).delete()
    since = connection.ops.adapt_datetimefield_value(at - DAY)
    with connection.cursor() as cursor:
        for conversation in conversations:
            cursor.execute(SPENT, [key(Conversation, conversation), since])


def _way_out(limit: Limit, user: int, at: datetime) -> str:
    if not limit.most:
        return "Only an administrator can change that."
    if limit.kind == "live_runs":
        return "Wait for one to end, or stop one."
    return f"You can go on in {_wait(_frees_up(limit, user, at) - at)}."


def _frees_up(limit: Limit, user: int, at: datetime) -> datetime:
    """Return when enough of what was used is too long ago to count that a run may begin."""
    window = HOUR if limit.kind == "runs_an_hour" else DAY
    used: list[tuple[datetime, int, Decimal | None]] = [
        *runs_since(user, at - window).values_list("answer__created", TOKENS, "cost"),
        *SpentRun.objects.filter(user=user, at__gt=at - window).values_list("at", "tokens", "cost"),
    ]
    left, most = Decimal(limit.used), limit.most or 0
    for made, tokens, cost in sorted(used, key=lambda one: one[0]):
        counts = {"runs_an_hour": Decimal(1), "tokens_a_day": Decimal(tokens), "cost_a_day": cost or Decimal(0)}
        left -= counts[limit.kind]
        if left < most:
            return made + window
    return at + window


def _wait(left: timedelta) -> str:
    """Return how long something takes yet, as "5 minutes" or "3 hours", rounded up."""
    minutes = max(1, math.ceil(left.total_seconds() / 60))
    return plural(minutes, "minute") if minutes < 120 else plural(math.ceil(minutes / 60), "hour")
