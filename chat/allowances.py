"""How much a person may use, has used, and has left: runs at the same time, runs an hour, tokens and cost a day."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from chat.models import Allowance, Conversation, Run, SpentRun
from chat.words import dollars

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WARN_AT = Decimal("0.8")

NAMES = {
    "live_runs": "Runs at the same time",
    "runs_an_hour": "Runs in the last hour",
    "tokens_a_day": "Tokens in the last 24 hours",
    "cost_a_day": "Cost in the last 24 hours",
}
LEFT = {
    "live_runs": "{left} of {most} runs at the same time left",
    "runs_an_hour": "{left} of {most} runs left this hour",
    "tokens_a_day": "{left} of {most} tokens left today",
    "cost_a_day": "{left} of {most} left today",
}
# From the live runs of everybody, which are few and have an index, to their answers; the other way round would go
# through all that a person ever got as an answer. CROSS keeps SQLite from that, and the values stand in the text
# because it takes a partial index for no others.
LIVE_RUNS = """
    SELECT COUNT(*) FROM chat_run run CROSS JOIN chat_message answer
    WHERE run.status IN ('queued', 'running', 'waiting') AND answer.id = run.answer_id AND answer.owner_id = %s
"""
TOKENS = Coalesce("input_tokens", 0) + Coalesce("output_tokens", 0)


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of a person: `used` of `most`, in runs, tokens or dollars. `most` is None where there is none."""

    kind: str
    used: Decimal | int
    most: Decimal | int | None

    @property
    def left(self) -> Decimal | int | None:
        return None if self.most is None else max(self.most - self.used, 0)

    @property
    def reached(self) -> bool:
        return self.most is not None and self.used >= self.most

    @property
    def share(self) -> Decimal:
        """How much of it is used, from 0 to 1; 0 where there is no limit."""
        if self.most is None:
            return Decimal(0)
        return min(Decimal(self.used) / self.most, Decimal(1)) if self.most else Decimal(1)

    @property
    def name(self) -> str:
        return NAMES[self.kind]

    @property
    def figures(self) -> str:
        used = self.amount(self.used)
        return f"{used}, no limit" if self.most is None else f"{used} of {self.amount(self.most)}"

    def amount(self, amount: Decimal | int | None) -> str:
        """Return runs, tokens or dollars as people read them."""
        return dollars(Decimal(amount or 0)) if self.kind == "cost_a_day" else f"{amount:,}"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a person stands: each limit, and what is used of it."""

    limits: Sequence[Limit]

    @property
    def reached(self) -> Limit | None:
        """The first limit that lets no further run begin."""
        return next((limit for limit in self.limits if limit.reached), None)

    @property
    def warning(self) -> str:
        """One line on the limit that is nearest to its end; "" while a fifth of each is left."""
        nearest = max(self.limits, key=lambda limit: limit.share)
        if nearest.share < WARN_AT:
            return ""
        return LEFT[nearest.kind].format(left=nearest.amount(nearest.left), most=nearest.amount(nearest.most))


def standing(user: int, at: datetime) -> Standing:
    """Return what a person has used of their limits, in four queries. Live runs count with what they have so far."""
    most = limits_of(user)
    hour, day = Count("pk", filter=Q(answer__created__gt=at - HOUR)), at - DAY
    runs = runs_since(user, day).aggregate(runs=hour, tokens=Sum(TOKENS), cost=Sum("cost"))
    spent = SpentRun.objects.filter(user=user, at__gt=day).aggregate(
        runs=Count("pk", filter=Q(at__gt=at - HOUR)), tokens=Sum("tokens"), cost=Sum("cost")
    )
    used = {
        "live_runs": live_runs(user),
        "runs_an_hour": runs["runs"] + spent["runs"],
        "tokens_a_day": (runs["tokens"] or 0) + (spent["tokens"] or 0),
        "cost_a_day": (runs["cost"] or Decimal(0)) + (spent["cost"] or Decimal(0)),
    }
    return Standing([Limit(kind, used[kind], most[kind]) for kind in NAMES])


def limits_of(user: int) -> dict[str, Decimal | int | None]:
    """Return each limit of a person: their own, else the default."""
    most: dict[str, Decimal | int | None] = dict.fromkeys(NAMES)
    rows = Allowance.objects.filter(Q(user=user) | Q(user=None))
    for row in sorted(rows, key=lambda row: row.user_id or 0):  # the default first, then what replaces it
        most |= {kind: value for kind in NAMES if (value := getattr(row, kind)) is not None}
    return most


def runs_since(user: int, since: datetime) -> QuerySet[Run]:
    """Return a person's runs made after a moment. A run's answer is made with it, and has the index."""
    return Run.objects.filter(answer__owner=user, answer__created__gt=since, copied=False)


def live_runs(user: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(LIVE_RUNS, [user])
        return int(cursor.fetchone()[0])


def warning(user: int, at: datetime) -> str:
    """Return the line that says what is left, once little is; one query for somebody without limits."""
    if all(most is None for most in limits_of(user).values()):
        return ""
    return standing(user, at).warning


def warning_in(conversation: uuid.UUID, at: datetime) -> str:
    """Return the line for whom a conversation belongs to."""
    owner = Conversation.objects.filter(pk=conversation).values_list("owner", flat=True).first()
    return warning(owner, at) if owner else ""
