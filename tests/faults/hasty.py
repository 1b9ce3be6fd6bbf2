"""The site in a hurry: `manage.py` whose second attempts come at once, and which waits as long as a test can.

IDLE_SECONDS is how long an endpoint may say nothing, LONGEST_WAIT how long a pause that one asks for is kept.
"""

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentsite.settings")

import django

django.setup()

from django.core.management import execute_from_command_line  # noqa: E402

from chat import connections  # noqa: E402
from chat.agent import asking  # noqa: E402

asking.FIRST_WAIT = 0.05
asking.LONGEST_WAIT = float(os.environ["LONGEST_WAIT"])
connections.IDLE_SECONDS = float(os.environ["IDLE_SECONDS"])  # type: ignore[attr-defined]

execute_from_command_line(["manage.py", *sys.argv[1:]])
