"""`python manage.py procrastinate worker`: Procrastinate's own command, whose worker works on runs as a server does."""

from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection
from procrastinate.cli import worker_
from procrastinate.contrib.django.management.commands import procrastinate

from agentsite.listening import listen
from agentsite.migrating import migrate_if_needed
from chat.local import site
from chat.worker.working import work


class Command(procrastinate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        if options["func"] is worker_:
            listener = listen(settings.HOST, settings.WORKER_PORT) if settings.WORKER_PORT else None
            migrate_if_needed()
            connection.close()
            site.start_if_set()
            options["func"] = partial(work, listener=listener)
        super().handle(*args, **options)
