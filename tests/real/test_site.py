"""The whole site with a real engine: as any endpoint, and as the local model that the site starts itself."""

import json
import os
import re
import signal
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from chat.local.process import Engine
from tests.conftest import PASSWORD
from tests.serving import Site
from tests.sockets import begin, opened

SPEAKING = r'#m-\d+-open"><[^/]'
ENDED = r'#m-\d+-head"><span hidden data-mirror="status" data-value="(done|error|stopped)"'
NEW = (
    "from django.utils.timezone import now as n; from django.contrib.auth.models import User as U;"
    f"alice = U.objects.create_user('alice', password={PASSWORD!r});"
    "print(alice.conversations.create(title='Colours', created=n(), updated=n()).pk)"
)
STEPS = (
    "import json; from chat.models import Step as S;"
    "print(json.dumps(list(S.objects.filter(kind='model').order_by('pk').values('name', 'status', 'error',"
    " 'input_tokens', 'cache_read_tokens', 'output_tokens', 'run__answer__text'))))"
)


def test_a_run_with_a_real_engine_is_stored_with_the_tokens_it_reported(
    server: Callable[..., Site], engine: Engine
) -> None:
    site = server(OPENAI_BASE_URL=engine.base_url, OPENAI_API_KEY=engine.key)
    site.add_user("alice", PASSWORD)
    with closing(site.sign_in("alice", PASSWORD)) as alice:
        begin(alice, "Name a colour.")
    (step,) = model_steps(site)
    assert (step["name"], step["status"]) == (engine.name, "done")
    assert step["run__answer__text"]
    assert step["input_tokens"] + (step["cache_read_tokens"] or 0) > 100  # the site's own instructions alone
    assert step["output_tokens"] > 0


def test_a_local_model_answers_and_when_its_process_dies_the_run_and_the_log_say_so(
    server: Callable[..., Site], gguf: Path
) -> None:
    site = server(AGENT_LOCAL_GGUF=str(gguf))
    conversation = shell(site, NEW)
    with closing(site.sign_in("alice", PASSWORD)) as alice, opened(site, alice, conversation) as page:
        page.ask("Name a colour.")
        page.until(f"{SPEAKING}|{ENDED}")
        if not re.search(ENDED, page.seen):
            page.say(action="stop")
            page.until(ENDED)

        os.kill(process_of_the_model(site), signal.SIGKILL)
        page.ask("Name another colour.")
        page.until(r"The server of the local model has ended \(SIGKILL\)")
    answered, *_, failed = model_steps(site)
    assert answered["name"] == failed["name"] == gguf.stem
    assert answered["run__answer__text"]
    assert failed["error"] == "The server of the local model has ended (SIGKILL). The site must be started again."
    assert "local model ended" in site.log


def process_of_the_model(site: Site) -> int:
    found = re.search(r"local model started .*pid=(\d+)", site.log)
    assert found, site.log
    return int(found[1])


def model_steps(site: Site) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = json.loads(shell(site, STEPS))
    return steps


def shell(site: Site, command: str) -> str:
    """What a command prints in the site's own Python."""
    beside = Site(site.url, site.link, {**site.environment, "AGENT_LOCAL_GGUF": ""}, site.process, site.log_file)
    return beside.shell(command).strip()
