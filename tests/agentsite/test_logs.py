"""A log line is one event, cannot be forged, carries the run's id and none of our secrets."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agentsite.logs import harmless
from tests.serving import ROOT, site_environment

SETUP = """
import logging, structlog
from agentsite import logs, settings
logs.configure(settings.LOGGING)
log = structlog.get_logger("chat.runs")
"""
FORGERY = "hi\n2026-01-01T00:00:00Z ERROR forged\r\x1b[31m\u2028\u202e\x00\x85"
KEY, SECRET = 'sk-canary"\\/+key', "canary-of-the-secret-key-0123456789-0123456789-abcdef"


def logged(folder: Path, code: str, **variables: str) -> list[str]:
    """The lines that a process with the site's settings writes while it runs this code."""
    variables = {"OPENAI_API_KEY": KEY, "SECRET_KEY": SECRET, **variables}
    done = subprocess.run(
        [sys.executable, "-c", SETUP + code],
        cwd=ROOT,
        env=site_environment(folder, **variables),
        capture_output=True,
        timeout=60,
        check=True,
    )
    return done.stderr.decode("utf-8").removesuffix("\n").split("\n")


def test_a_line_for_people_has_time_level_logger_event_and_values(tmp_path: Path) -> None:
    [line] = logged(tmp_path, "log.info('run ended', reason='max turns', turns=3)")

    time, rest = line.split(" ", 1)
    assert time.endswith("Z")
    assert rest == 'INFO     chat.runs run ended reason="max turns" turns=3'


def test_a_line_for_machines_is_one_json_object(tmp_path: Path) -> None:
    [line] = logged(tmp_path, "log.info('run ended', turns=3)", LOG_FORMAT="json")

    found = json.loads(line)
    assert found.pop("timestamp").endswith("Z")
    assert found == {"event": "run ended", "turns": 3, "level": "info", "logger": "chat.runs"}


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_runs_id_is_on_every_line_also_those_of_libraries(tmp_path: Path, form: str) -> None:
    code = (
        "structlog.contextvars.bind_contextvars(run='run-7'); log.info('ours');"
        "logging.getLogger('django.request').warning('Not Found: %s', '/x')"
    )

    lines = logged(tmp_path, code, LOG_FORMAT=form)

    assert len(lines) == 2
    assert all("run-7" in line for line in lines)
    assert "Not Found: /x" in lines[1]


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    "code",
    [
        f"log.info({FORGERY!r})",
        f"log.info('said', text={FORGERY!r})",
        f"log.info('said', text=[{FORGERY!r}])",
        f"log.info('said %s', {FORGERY!r})",
        f"logging.getLogger('django.request').warning('Not Found: %s', {FORGERY!r})",
        f"structlog.contextvars.bind_contextvars(run={FORGERY!r}); log.info('said')",
    ],
)
def test_one_event_stays_one_printable_line_whatever_is_in_it(tmp_path: Path, form: str, code: str) -> None:
    lines = logged(tmp_path, code, LOG_FORMAT=form)

    assert len(lines) == 1
    assert lines[0].isprintable()


def test_the_lines_of_a_traceback_cannot_pass_for_events(tmp_path: Path) -> None:
    code = f"""
try:
    raise ValueError({FORGERY!r})
except ValueError:
    log.exception('tool failed')
"""

    first, *rest = logged(tmp_path, code)
    [machine] = logged(tmp_path, code, LOG_FORMAT="json")

    assert first.endswith("ERROR    chat.runs tool failed")
    assert "Traceback (most recent call last):" in rest[0]
    assert all(line.startswith("    | ") and line.isprintable() for line in rest)
    assert "forged" in json.loads(machine)["exception"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_secret_leaves_as_stars_however_it_got_into_a_line(tmp_path: Path, form: str) -> None:
    code = """
from urllib.parse import quote
for secret in (settings.OPENAI_API_KEY, settings.SECRET_KEY):
    log.info('key ' + secret, key=secret, keys=[secret], url='https://x/?k=' + quote(secret, safe=''))
    logging.getLogger('openai').warning('with %r', {'Authorization': 'Bearer ' + secret})
    try:
        raise ValueError(secret)
    except ValueError:
        log.exception('failed')
"""

    text = "\n".join(logged(tmp_path, code, LOG_FORMAT=form))

    assert "***" in text
    assert "canary" not in text


def test_below_the_level_nothing_is_said_and_talkative_libraries_are_held(tmp_path: Path) -> None:
    code = "log.info('quiet'); log.warning('loud'); logging.getLogger('httpx2').info('GET /')"

    assert [line.split(" ", 1)[1] for line in logged(tmp_path, code, LOG_LEVEL="warning")] == [
        "WARNING  chat.runs loud"
    ]
    assert "GET /" not in "".join(logged(tmp_path, code))


@pytest.mark.parametrize("text", ["plain", "Grüße, 你好 🙂", 'quotes "and" = signs'])
def test_what_can_be_printed_is_left_alone(text: str) -> None:
    assert harmless(text) == text


def test_what_cannot_is_written_as_an_escape() -> None:
    assert harmless("a\nb\x1b[0m\u202ec\ud800") == "a\\nb\\x1b[0m\\u202ec\\ud800"


def test_a_word_that_only_stands_in_a_keys_place_is_read_as_it_is(tmp_path: Path) -> None:
    [line] = logged(tmp_path, "log.info('model call', endpoint='ollama')", OPENAI_API_KEY="ollama")

    assert "ollama" in line
