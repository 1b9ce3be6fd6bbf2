"""The environment is read once; what makes no sense in it stops the start with one sentence."""

import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.serving import ROOT, site_environment

SHOW = "import json, agentsite.settings as s; print(json.dumps({k: getattr(s, k) for k in %r}, default=str))"
PUBLIC = {"PUBLIC_URL": "https://chat.example.com"}
NO_REDIS_URL = (
    "REDIS_URL must be redis:// or rediss:// with a host, and at most a port, a password and a database's number."
)
NO_DATABASE_URL = "DATABASE_URL must be postgresql://user:password@host:port/name or sqlite:///path."
NO_DATABASE_FILE = "DATABASE_URL must name a file in a folder that is there and can be written to."
STRONG = "a-key-of-fifty-characters-or-more-0123456789-abcdefghij"


def start(folder: Path, *command: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = site_environment(folder, **variables)
    for name in {"DATABASE_URL", "REDIS_URL"} - variables.keys():  # what the suite itself runs on
        environment.pop(name, None)
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def settings(folder: Path, *names: str, **variables: str) -> dict[str, Any]:
    done = start(folder, "-c", SHOW % (names,), **variables)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"AGENT_MAX_TURNS": "many"}, "AGENT_MAX_TURNS must be a whole number from 1 to 1000, not 'many'."),
        ({"AGENT_MAX_TURNS": "0"}, "AGENT_MAX_TURNS must be a whole number from 1 to 1000, not '0'."),
        ({"AGENT_TOOL_TIMEOUT": "nan"}, "AGENT_TOOL_TIMEOUT must be a number from 0.1 to 3600, not 'nan'."),
        ({"AGENT_MAX_TURN": "3"}, "AGENT_MAX_TURN is not a variable of this site. Is AGENT_MAX_TURNS meant?"),
        ({"AGENT_XYZZY": "3"}, "AGENT_XYZZY is not a variable of this site."),
        ({"WEATHER_SOURCE": "sky"}, "WEATHER_SOURCE must be one of auto, live, sample, not 'sky'."),
        ({"AGENT_RUNNER": "celery"}, "AGENT_RUNNER must be one of inprocess, procrastinate, not 'celery'."),
        (
            {"AGENT_RUNNER": "procrastinate"},
            "AGENT_RUNNER is procrastinate, which needs PostgreSQL: set DATABASE_URL.",
        ),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT must be one of text, json, not 'xml'."),
        (
            {"LOG_LEVEL": "loud"},
            "LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL, not 'loud'.",
        ),
        ({"DEBUG": "maybe"}, "DEBUG must be true or false, not 'maybe'."),
        ({"DRAIN_SECONDS": "-1"}, "DRAIN_SECONDS must be a number from 0 to 3600, not '-1'."),
        ({"PORT": "65536"}, "PORT must be a whole number from 1 to 65535, not '65536'."),
        (
            {"TOOL_MODULES": "json,no_such"},
            "TOOL_MODULES names 'no_such', and Python finds no module of that name.",
        ),
        (
            {"TOOL_MODULES": "no.such"},
            "TOOL_MODULES names 'no.such', and Python finds no module of that name.",
        ),
        (
            {"OPENAI_BASE_URL": "localhost:11434"},
            "OPENAI_BASE_URL must be an http:// or https:// address without password, query or fragment.",
        ),
        (
            {"OPENAI_BASE_URL": "https://me:secret@models.example/v1"},
            "OPENAI_BASE_URL must be an http:// or https:// address without password, query or fragment.",
        ),
        (
            {"PUBLIC_URL": "https://example.com/chat"},
            "PUBLIC_URL must have no path: the site is served at the root of its host.",
        ),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS must name each host of the site in full, without '*'."),
        (
            {**PUBLIC, "ALLOWED_HOSTS": "*"},
            "ALLOWED_HOSTS must name each host of the site in full, without '*'.",
        ),
        (
            {"ALLOWED_HOSTS": ".example.com"},
            "ALLOWED_HOSTS must name each host of the site in full, without '.example.com'.",
        ),
        (
            {"ALLOWED_HOSTS": "http://example.com"},
            "ALLOWED_HOSTS must list plain host names without scheme or port, not 'http://example.com'.",
        ),
        (
            {**PUBLIC, "SECRET_KEY": "changeme"},
            "SECRET_KEY is too weak for a public site: take 50 random characters or more.",
        ),
        (
            {**PUBLIC, "SECRET_KEY": "django-insecure-" + STRONG},
            "SECRET_KEY is too weak for a public site: take 50 random characters or more.",
        ),
        (
            {**PUBLIC, "DEBUG": "1"},
            "DEBUG must be off when PUBLIC_URL is https: its error pages show secrets.",
        ),
        (
            {"OPENAI_API_KEY": "a", "OPENAI_API_KEY_FILE": "b"},
            "OPENAI_API_KEY and OPENAI_API_KEY_FILE are both set; keep one of them.",
        ),
        ({"SECRET_KEY_FILE": "/no/such"}, "SECRET_KEY_FILE is '/no/such', which cannot be read as text."),
        ({"SECRET_KEY_FILE": "/dev/null"}, "SECRET_KEY_FILE is '/dev/null', which is empty."),
        ({"OPENAI_API_KEY": "two\nlines"}, "OPENAI_API_KEY must be one line of plain ASCII characters."),
        ({"REDIS_URL": "http://127.0.0.1:6379"}, NO_REDIS_URL),
        ({"REDIS_URL": "redis://"}, NO_REDIS_URL),
        ({"REDIS_URL": "redis://:hidden@127.0.0.1:6379/zero"}, NO_REDIS_URL),
        ({"DATABASE_URL": "mysql://me:hidden@db/chat"}, NO_DATABASE_URL),
        ({"DATABASE_URL": "postgresql://me:hidden@db:5432/"}, NO_DATABASE_URL),
        ({"DATABASE_URL": "postgresql://me:hidden@db:port/chat?nonsense=1"}, NO_DATABASE_URL),
        ({"DATABASE_URL": "sqlite:///"}, NO_DATABASE_FILE),
        ({"DATABASE_URL": "sqlite:////no/such/folder/db.sqlite3"}, NO_DATABASE_FILE),
        (
            {"DATABASE_URL": "sqlite:///db.sqlite3", "DATABASE_URL_FILE": "/dev/null"},
            "DATABASE_URL and DATABASE_URL_FILE are both set; keep one of them.",
        ),
        ({"WORKER_PORT": "70000"}, "WORKER_PORT must be a whole number from 0 to 65535, not '70000'."),
        ({"METRICS_TOKEN": "short"}, "METRICS_TOKEN is too short: take 16 random characters or more."),
        ({"VAR_DIR": "/dev/null/var"}, "VAR_DIR cannot be the folder '/dev/null/var': Not a directory."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_nonsense_stops_the_start_with_one_sentence(tmp_path: Path, variables: dict[str, str], sentence: str) -> None:
    done = start(tmp_path, "-c", "import agentsite.settings", **variables)

    assert (done.returncode, done.stdout, done.stderr) == (1, "", sentence + "\n")


@pytest.mark.parametrize("door", [("manage.py", "check"), ("manage.py", "serve"), ("-c", "import agentsite.asgi")])
def test_every_door_says_it_alike(tmp_path: Path, door: tuple[str, str]) -> None:
    done = start(tmp_path, *door, AGENT_MAX_TURNS="-1")

    assert done.returncode == 1
    assert done.stderr == "AGENT_MAX_TURNS must be a whole number from 1 to 1000, not '-1'.\n"


def test_with_nothing_set_the_demo_model_answers_on_this_machine_only(tmp_path: Path) -> None:
    found = settings(
        tmp_path, "OPENAI_BASE_URL", "AGENT_MODELS", "AGENT_SMALL_MODEL", "AGENT_MAX_TURNS", "AGENT_TOOL_TIMEOUT",
        "TOOL_MODULES", "HOST", "DEBUG", "ALLOWED_HOSTS", "SESSION_COOKIE_SECURE", "SECURE_HSTS_SECONDS",
        PORT="8000",
    )  # fmt: skip

    assert found == {
        "OPENAI_BASE_URL": "",
        "AGENT_MODELS": [],
        "AGENT_SMALL_MODEL": "",
        "AGENT_MAX_TURNS": 15,
        "AGENT_TOOL_TIMEOUT": 30,
        "TOOL_MODULES": [],
        "HOST": "127.0.0.1",
        "DEBUG": False,
        "ALLOWED_HOSTS": ["127.0.0.1", "localhost", "[::1]"],
        "SESSION_COOKIE_SECURE": False,
        "SECURE_HSTS_SECONDS": 0,
    }


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    empty = {"OPENAI_API_KEY": "", "OPENAI_BASE_URL": " ", "AGENT_MAX_TURNS": ""}
    found = settings(tmp_path, "OPENAI_BASE_URL", "AGENT_MAX_TURNS", **empty)

    assert found == {"OPENAI_BASE_URL": "", "AGENT_MAX_TURNS": 15}


def test_a_key_alone_means_openai(tmp_path: Path) -> None:
    found = settings(tmp_path, "OPENAI_BASE_URL", OPENAI_API_KEY="sk-test")

    assert found == {"OPENAI_BASE_URL": "https://api.openai.com/v1"}


def test_an_address_alone_means_an_endpoint_without_key(tmp_path: Path) -> None:
    found = settings(tmp_path, "OPENAI_BASE_URL", OPENAI_BASE_URL="http://127.0.0.1:11434/v1/")

    assert found == {"OPENAI_BASE_URL": "http://127.0.0.1:11434/v1"}


def test_lists_are_taken_apart_at_commas(tmp_path: Path) -> None:
    found = settings(tmp_path, "AGENT_MODELS", "TOOL_MODULES", AGENT_MODELS=" a, b,,a ", TOOL_MODULES="json,os.path")

    assert found == {"AGENT_MODELS": ["a", "b"], "TOOL_MODULES": ["json", "os.path"]}


def test_every_secret_can_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-from-a-file\n")
    (tmp_path / "secret").write_text(STRONG)
    (tmp_path / "redis").write_text("rediss://:password@cache.example:6380/2")

    found = settings(
        tmp_path,
        "OPENAI_API_KEY",
        "SECRET_KEY",
        "REDIS_URL",
        OPENAI_API_KEY_FILE=str(tmp_path / "key"),
        REDIS_URL_FILE=str(tmp_path / "redis"),
        SECRET_KEY_FILE=str(tmp_path / "secret"),
    )

    assert found == {
        "OPENAI_API_KEY": "sk-from-a-file",
        "SECRET_KEY": STRONG,
        "REDIS_URL": "rediss://:password@cache.example:6380/2",
    }


def test_a_database_on_a_server_is_named_by_its_address(tmp_path: Path) -> None:
    url = "postgres://me:p%40ss@db.example:6432/chat?sslmode=require"
    found = settings(tmp_path, "DATABASES", DATABASE_URL=url)["DATABASES"]["default"]

    named = {name: found[name] for name in ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT", "CONN_MAX_AGE")}
    assert named == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "chat",
        "USER": "me",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": "6432",
        "CONN_MAX_AGE": 0,
    }
    assert found["OPTIONS"]["sslmode"] == "require"
    assert found["OPTIONS"]["pool"]["max_size"] == 16


def test_what_an_address_says_of_its_sessions_is_added_to_ours(tmp_path: Path) -> None:
    url = "postgresql://db.example/chat?options=-c%20search_path%3Dours"
    found = settings(tmp_path, "DATABASES", DATABASE_URL=url)["DATABASES"]["default"]

    assert found["OPTIONS"]["options"] == "-c lock_timeout=10s -c search_path=ours"


def test_a_database_in_a_file_can_be_elsewhere(tmp_path: Path) -> None:
    found = settings(tmp_path, "DATABASES", DATABASE_URL=f"sqlite:///{tmp_path}/else%20where.sqlite3")

    assert found["DATABASES"]["default"]["NAME"] == f"{tmp_path}/else where.sqlite3"


def test_the_password_of_the_database_is_kept_out_of_the_log(tmp_path: Path) -> None:
    log = "import logging, django; django.setup(); logging.error('it was hidden-for-good')"
    done = start(
        tmp_path,
        "-c",
        log,
        DATABASE_URL="postgresql://me:hidden-for-good@db.example/chat",
        DJANGO_SETTINGS_MODULE="agentsite.settings",
    )

    assert "hidden-for-good" not in done.stderr
    assert "***" in done.stderr


def test_redis_makes_the_layer_between_processes(tmp_path: Path) -> None:
    assert settings(tmp_path, "CHANNEL_LAYERS") == {"CHANNEL_LAYERS": {}}

    layer = settings(tmp_path, "CHANNEL_LAYERS", REDIS_URL="redis://127.0.0.1:6379/1")["CHANNEL_LAYERS"]["default"]

    assert layer["BACKEND"] == "channels_redis.pubsub.RedisPubSubChannelLayer"
    assert layer["CONFIG"]["hosts"] == ["redis://127.0.0.1:6379/1"]


def test_a_package_that_is_missing_is_named_by_its_extra(tmp_path: Path) -> None:
    """As where [scale] is not installed: an import system that does not find these."""
    without = (
        "import sys; from importlib.machinery import PathFinder; find = PathFinder.find_spec; "
        "hide = ('psycopg', 'redis') if '--' not in sys.argv else ('procrastinate',); "
        "sys.meta_path[:] = [f for f in sys.meta_path if f is not PathFinder]; "
        "sys.meta_path.append(type('Some', (), {'find_spec': staticmethod("
        "lambda name, path=None, target=None: None if name.startswith(hide) else find(name, path, target))})); "
        "import agentsite.settings"
    )
    for name, url in (("DATABASE_URL", "postgresql://me:hidden@db/chat"), ("REDIS_URL", "redis://:hidden@cache")):
        done = start(tmp_path, "-c", without, **{name: url})
        sentence = f"{name} is set, and the packages for it are missing. Install the extra [scale].\n"
        assert (done.returncode, done.stderr) == (1, sentence)
    workers = {"AGENT_RUNNER": "procrastinate", "DATABASE_URL": "postgresql://me:hidden@db/chat"}
    done = start(tmp_path, "-c", without, "--", **workers)
    sentence = "AGENT_RUNNER is procrastinate, and its package is missing. Install the extra [scale].\n"
    assert (done.returncode, done.stderr) == (1, sentence)


def test_a_public_site_has_secure_cookies_and_one_origin(tmp_path: Path) -> None:
    found = settings(
        tmp_path, "ALLOWED_HOSTS", "ORIGINS", "CSRF_TRUSTED_ORIGINS", "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS", **PUBLIC,
    )  # fmt: skip

    assert found == {
        "ALLOWED_HOSTS": ["127.0.0.1", "localhost", "[::1]", "chat.example.com"],
        "ORIGINS": ["https://chat.example.com"],
        "CSRF_TRUSTED_ORIGINS": ["https://chat.example.com"],
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SECURE_HSTS_SECONDS": 31536000,
    }


def test_the_address_that_is_listened_on_is_an_allowed_host(tmp_path: Path) -> None:
    assert settings(tmp_path, "ALLOWED_HOSTS", HOST="192.0.2.5")["ALLOWED_HOSTS"][-1] == "192.0.2.5"
    assert settings(tmp_path, "ALLOWED_HOSTS", HOST="::")["ALLOWED_HOSTS"][-1] == "[::1]"


def test_a_secret_key_is_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    first, second = (settings(tmp_path, "SECRET_KEY")["SECRET_KEY"] for _ in range(2))

    assert first == second
    assert len(first) >= 50
    assert stat.S_IMODE(os.stat(tmp_path / "secret_key").st_mode) == 0o600


def test_processes_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        keys = set(pool.map(lambda _: settings(tmp_path, "SECRET_KEY")["SECRET_KEY"], range(4)))

    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_a_site_behind_https_passes_djangos_own_deployment_check(tmp_path: Path) -> None:
    done = start(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING", **PUBLIC)

    assert done.returncode == 0, done.stderr
