"""Says who works on runs: the processes that serve, or workers that Procrastinate hands them to."""

from importlib.util import find_spec
from typing import Any

from django.conf import settings

from agentsite import env

NAME = "AGENT_RUNNER"
INPROCESS, PROCRASTINATE = "inprocess", "procrastinate"
# The command of ours comes before the one of the same name that it extends.
APPS = ("chat.worker", "procrastinate.contrib.django")


def hands_on() -> bool:
    """Say whether runs are handed to workers, and not worked on where they are stored."""
    return bool(settings.AGENT_RUNNER == PROCRASTINATE)


def runner(database: dict[str, Any]) -> str:
    """Return who works on runs; workers need PostgreSQL, where their jobs are, and a package of their own."""
    said = env.choice(NAME, INPROCESS, (INPROCESS, PROCRASTINATE))
    if said == PROCRASTINATE:
        if not database["ENGINE"].endswith("postgresql"):
            raise env.WrongEnvironment(f"{NAME} is {said}, which needs PostgreSQL: set DATABASE_URL.")
        if find_spec("procrastinate") is None:
            raise env.WrongEnvironment(f"{NAME} is {said}, and its package is missing. Install the extra [scale].")
    return said
