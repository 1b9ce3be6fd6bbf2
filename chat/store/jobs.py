"""Hands runs that wait to workers: each has a job of Procrastinate's, stored in the transaction that stores the run.

A job only says that there is something to do. Who works on the run is said by its lease alone, so a job that is
there twice, or late, does no harm. Jobs of one conversation have one lock, and are done one after the other.
"""

import uuid

from django.db import OperationalError, connection

from agentsite.runner import hands_on

TASK, QUEUE = "work_on", "runs"

WITHOUT_JOB = """
    SELECT run.id, run.conversation_id FROM chat_run run WHERE run.status = 'queued' AND NOT EXISTS (
        SELECT FROM procrastinate_jobs job WHERE job.lock = run.conversation_id::text
        AND job.status IN ('todo', 'doing') AND job.args->>'run' = run.id::text
    ) ORDER BY run.answer_id
"""


def enqueue(run: uuid.UUID, conversation: uuid.UUID) -> None:
    """Make the job of a run that waits, if there are workers."""
    if not hands_on():
        return
    from procrastinate import exceptions, jobs, manager  # it comes with an extra
    from procrastinate.contrib.django.django_connector import DjangoConnector

    job = jobs.Job(
        id=None, queue=QUEUE, lock=str(conversation), queueing_lock=None, task_name=TASK, task_kwargs={"run": str(run)}
    )
    try:
        manager.JobManager(DjangoConnector()).defer_job(job)
    except exceptions.ConnectorException as error:  # what is done about a lost connection is told by Django's errors
        raise OperationalError(str(error)) from error.__cause__


def enqueue_forgotten() -> None:
    """Make the jobs of runs that wait and have none: from before there were workers, or because theirs failed."""
    with connection.cursor() as cursor:
        cursor.execute(WITHOUT_JOB)
        found = cursor.fetchall()
    for run, conversation in found:
        enqueue(run, conversation)
