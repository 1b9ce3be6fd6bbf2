"""`python manage.py procrastinate worker`: Procrastinate's own command, whose worker works on runs as a server does."""

from typing import Any

from procrastinate.cli import worker_
from procrastinate.contrib.django.management.commands import procrastinate

from agentsite.migrating import migrate_if_needed
from chat.local import site
from chat.worker.working import work


class Command(procrastinate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        if options["func"] is worker_:
            migrate_if_needed()
            site.start_if_set()
            options["func"] = work
        super().handle(*args, **options)
