"""compose.yaml says nothing that the site, the Dockerfile or docs/nginx.conf does not know."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from agentsite import env, settings
from tests.deployment.recipe import instructions
from tests.serving import ROOT, site_environment

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "agentsite"}
# What a person writes into .env.
SAID = {"POSTGRES_PASSWORD": "0123456789abcdef", "SECRET_KEY": "0123456789" * 6}


def filled(value: str) -> str:
    """A value as compose fills it in from .env."""

    def said(found: re.Match[str]) -> str:
        name, required, default = found[1], found[2], found[3]
        assert name in SAID or not required, name
        return SAID.get(name, default or "")

    return re.sub(r"\$\{(\w+)(?::(?:(\?)[^}]*|-([^}]*)))?\}", said, str(value))


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_one_that_the_settings_ask_for(name: str) -> None:
    assert settings.BASE_DIR == ROOT
    assert set(OURS[name]["environment"]) <= env.asked_for()


@pytest.mark.parametrize("name", OURS)
def test_the_settings_take_what_it_says(name: str, tmp_path: Path) -> None:
    variables = {variable: filled(value) for variable, value in OURS[name]["environment"].items()}
    done = subprocess.run(
        [sys.executable, "-c", "import agentsite.settings"],
        cwd=ROOT,
        env=site_environment(tmp_path, **variables, HOST="0.0.0.0"),  # noqa: S104  as the Dockerfile has it
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_password_of_the_database_is_the_same_on_both_sides() -> None:
    postgres = {name: filled(value) for name, value in SERVICES["postgres"]["environment"].items()}
    for service in OURS.values():
        assert filled(service["environment"]["DATABASE_URL"]) == (
            "postgresql://{POSTGRES_USER}:{POSTGRES_PASSWORD}@postgres:5432/{POSTGRES_DB}".format(**postgres)
        )


def test_services_wait_for_what_they_need_to_be_well() -> None:
    for name, service in SERVICES.items():
        for needed, how in service.get("depends_on", {}).items():
            checked_inside = needed in OURS and "HEALTHCHECK" in dict(instructions())
            assert "healthcheck" in SERVICES[needed] or checked_inside, f"{name} waits for {needed}"
            assert how == {"condition": "service_healthy"}


def test_a_process_may_drain_before_it_is_killed_and_has_a_host_name_of_its_own() -> None:
    for service in OURS.values():
        assert int(filled(service["stop_grace_period"]).removesuffix("s")) >= settings.DRAIN_SECONDS + 10
        assert not {"hostname", "network_mode", "pid"} & set(service)


def test_named_volumes_are_declared_and_files_are_there() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", ()):
            source = str(volume).rsplit(":", 2)[0] if volume.endswith(":ro") else volume.partition(":")[0]
            assert source in COMPOSE["volumes"] or source.startswith("${") or (ROOT / source).exists(), volume
    [place] = [rest for word, rest in instructions() if word == "VOLUME"]
    assert all(f"var:{place}" in service["volumes"] for service in OURS.values())


def test_nginx_is_told_where_the_site_is() -> None:
    command = SERVICES["nginx"]["command"][-1]
    [old, new] = re.findall(r"sed s/([^/]*)/([^/]*)/", command)[0]
    assert old in (ROOT / "docs/nginx.conf").read_text()
    service, _, port = new.partition(":")
    assert service in OURS
    assert int(port) == settings.PORT
