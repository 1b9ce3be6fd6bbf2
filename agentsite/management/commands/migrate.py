"""`python manage.py migrate`: Django's own, which waits for locks as long as it takes.

One that gave up would leave an index invalid that was to be made concurrently, or a data migration half way.
"""

from typing import Any

from django.core.management.commands import migrate

from agentsite.locks import patient


class Command(migrate.Command):
    def handle(self, *arguments: Any, **options: Any) -> None:
        with patient():
            super().handle(*arguments, **options)
