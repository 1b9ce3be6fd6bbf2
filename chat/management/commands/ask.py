"""`python manage.py ask "question"`: one run in the terminal, with the engine and the rows of the browser's."""

import asyncio
import json
import re
import sys
import uuid
from argparse import ArgumentParser
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from chat import endpoints, hints, process, rows, runs, store, trace
from chat.db import read, write
from chat.draining import drain
from chat.local import site
from chat.models import Conversation, Run, RunStatus, Step, StepStatus
from chat.sweep import sweep
from chat.words import figures_line, how_it_ended
from tools.text import clean

POLL_SECONDS = 1.0
GONE = "The question was taken back, or its conversation was deleted, so there is no answer."
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Command(BaseCommand):
    help = "Asks the agent one question and shows its steps as they happen. Exits with 0 only if it answered."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("question")
        parser.add_argument("--user", help="who asks; the first superuser unless named")
        parser.add_argument("--conversation", type=uuid.UUID, help="the id of the conversation to go on with")
        parser.add_argument("--model", default="", help="the default model unless named")
        parser.add_argument("--json", action="store_true", help="one JSON object a line, for programs")

    def handle(self, **options: Any) -> None:
        user = _user(options["user"])
        conversation = _conversation(user, options["conversation"])
        question = clean(options["question"]).strip()
        if not question:
            raise CommandError("Ask something.")
        site.start_if_set()
        try:
            run = asyncio.run(self._ask(user, question, options["model"], conversation, options["json"]))
        except (store.Refused, endpoints.NoModel) as refusal:
            raise CommandError(str(refusal)) from refusal
        if run.status != RunStatus.DONE:
            sys.exit(1)

    async def _ask(
        self, user: User, question: str, model: str, conversation: Conversation | None, as_json: bool
    ) -> Run:
        process.start(serving=False)
        if conversation:  # else the question would wait behind a run that nobody works on
            await sweep(conversation.pk)
        model = model or (conversation.model if conversation else "")
        pk = conversation.pk if conversation else None
        sending = asyncio.create_task(runs.send(user.pk, question, str(uuid.uuid4()), model, pk, here=True))
        try:
            sent = await asyncio.shield(sending)
            async for run, steps in _changes(sent):
                for step in steps:
                    self._show(step, run, as_json)
        except asyncio.CancelledError:  # Ctrl-C, which may come while the question is being stored
            await _withdraw(await sending)
            raise
        await drain(0)  # what waited behind this run, and began here, goes on in the server
        run = await read(Run.objects.select_related("answer").get, pk=sent.run)
        self._show_end(run, as_json)
        return run

    def _show(self, step: Step, run: Run, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(_described(step), ensure_ascii=False))
        elif step.status != StepStatus.RUNNING:
            row = trace.row(step, run, 1)
            indent = "  " if row.nested else ""
            self.stdout.write(plain(f"{indent}{row.title}  {row.label}  {row.duration}"))

    def _show_end(self, run: Run, as_json: bool) -> None:
        if as_json:
            ended = {"type": "run", "run": str(run.pk), "conversation": str(run.conversation_id), "status": run.status}
            told = {"stop_reason": run.stop_reason, "answer": run.answer.text, "error": run.error}
            self.stdout.write(json.dumps(ended | told, ensure_ascii=False))
            return
        said = (run.answer.text, how_it_ended(run), figures_line(run))
        self.stdout.write(plain("\n" + "\n\n".join(part for part in said if part)))


def plain(text: str) -> str:
    """Take out what a terminal would obey instead of show: text of models and tools is hostile."""
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


async def _withdraw(sent: store.Sent) -> None:
    """Stop the run of a question, or take the question back where it waits; what others asked is left alone."""
    if work := runs.live.get(sent.run):
        runs.drop(sent.run)
        await asyncio.wait({work.task}, timeout=POLL_SECONDS)
        return
    try:
        await write(store.unqueue, sent.conversation, sent.message)
        await runs.hint(sent.conversation)
    except store.Refused:  # it does not wait any more: another process works on it, or it is over
        if await read(rows.conversation_of_live, sent.run):
            await runs.stop(sent.conversation, only=sent.run)


async def _changes(sent: store.Sent) -> AsyncIterator[tuple[Run, list[Step]]]:
    """Give a run and its steps each time that they changed, until it has ended. Raises CommandError if it is gone."""
    since, live, newer = 0, True, asyncio.Event()
    hints.watch(sent.conversation, newer.set)
    while live:
        newer.clear()
        if found := await read(rows.run_since, sent.run, since):
            run, steps = found
            since, live = run.revision, run.live
            yield run, steps
        elif not await read(rows.is_there, sent.run):
            raise CommandError(GONE)
        if live:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(newer.wait(), POLL_SECONDS)


def _described(step: Step) -> dict[str, Any]:
    about = {"type": "step", "number": step.number, "kind": step.kind, "name": step.name, "status": step.status}
    return about | {"seconds": step.seconds, "input": step.input, "output": step.output, "error": step.error}


def _user(name: str | None) -> User:
    if name:
        user = User.objects.filter(username=name, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no user named {name}.")
        return user
    user = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    if user is None:
        raise CommandError("There is no account yet. Follow the link that `make run` prints, or run createsuperuser.")
    return user


def _conversation(user: User, pk: uuid.UUID | None) -> Conversation | None:
    if pk is None:
        return None
    conversation = Conversation.objects.filter(owner=user, pk=pk).first()
    if conversation is None:
        raise CommandError(f"{user.get_username()} has no conversation {pk}.")
    return conversation
