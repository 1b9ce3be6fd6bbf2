"""Brings the database up to date before the site is served, also where several processes start at the same time."""

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from agentsite.locks import Lock, held, patient


def migrate_if_needed() -> None:
    """Asking what there is to do takes a tenth of the time that doing nothing takes."""
    if connection.vendor == "postgresql":
        _reach()
    with patient(), held(Lock.MIGRATING):  # others wait here, and then find nothing to do
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", interactive=False, verbosity=0)


def _reach() -> None:
    """Connect once past the pool, which tries for long and does not say what is wrong."""
    from psycopg import Error, connect  # its client comes with an extra

    try:
        connect(**connection.get_connection_params()).close()
    except Error as error:
        raise SystemExit(f"The database cannot be reached: {str(error).partition(chr(10))[0].strip()}") from None
