"""`manage.py serve`: one link, the whole site behind it, and a plain word when it cannot start."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx2
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from agentsite.management.commands.serve import link
from agentsite.welcome import welcome_path
from tests import databases
from tests.conftest import PASSWORD
from tests.serving import ROOT, Site, free_port, hidden, served, site_environment


def test_the_first_start_leads_from_one_link_to_a_signed_in_owner(tmp_path: Path) -> None:
    with served(tmp_path) as site, httpx2.Client(base_url=site.url, trust_env=False) as client:
        path = site.link.removeprefix(site.url)
        assert path.startswith("/welcome/")

        answer = client.post(path, data={**hidden(client, path), "username": "ada", "password": PASSWORD})

        assert (answer.status_code, answer.headers["location"]) == (302, "/")
        assert client.get("/admin/").status_code == 200
        assert client.get(path).status_code == 404

    with served(tmp_path) as site:
        assert site.link == site.url + "/"
        site.sign_in("ada", PASSWORD).close()


def test_it_ends_when_it_is_told_to(tmp_path: Path) -> None:
    with served(tmp_path) as site:
        process = site.process

    assert process.returncode == 0


def test_a_port_in_use_is_said_in_one_sentence(site: Site, tmp_path: Path) -> None:
    port = site.url.rpartition(":")[2]

    done = subprocess.run(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env=site_environment(tmp_path, PORT=port),
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Cannot listen on 127.0.0.1 port {port}: Address already in use.\n"


def test_a_database_that_cannot_be_reached_is_said_in_one_sentence(tmp_path: Path) -> None:
    url = f"postgresql://me:hidden@127.0.0.1:{free_port()}/chat"
    done = subprocess.run(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env=site_environment(tmp_path, PORT=str(free_port()), DATABASE_URL=url),
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"The database cannot be reached: .*Connection refused\n", done.stderr)


def test_processes_that_start_at_once_bring_the_database_up_to_date_once(postgres: None, tmp_path: Path) -> None:
    with served(tmp_path) as site:  # makes the database of this folder, and stops
        pass
    with databases.opened(site.environment) as rows:
        rows.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")

    with ThreadPoolExecutor(3) as pool, ExitStack() as running:
        folders = [tmp_path / str(number) for number in range(3)]
        for folder in folders:
            folder.mkdir()
        same = databases.url_of(tmp_path)
        sites = list(pool.map(lambda folder: running.enter_context(served(folder, **same)), folders))

    assert len({site.url for site in sites}) == 3


def test_the_link_of_a_public_site_is_public(db: None, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://chat.example.com"

    assert link() == "https://chat.example.com" + welcome_path()


def test_the_link_names_an_address_that_can_be_opened(alice: User, settings: Settings) -> None:
    settings.PORT = 8000
    settings.HOST = "::"
    assert link() == "http://127.0.0.1:8000/"

    settings.HOST = "::1"
    assert link() == "http://[::1]:8000/"


def test_a_word_to_the_log_for_every_request_would_be_noise(site: Site) -> None:
    before = site.log

    httpx2.get(site.url + "/accounts/login/", trust_env=False)

    assert site.log == before
