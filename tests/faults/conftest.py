"""A site with an account and a conversation, made once and copied for each test, which saves half of a start."""

import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from tests import databases
from tests.conftest import PASSWORD
from tests.faults import logged
from tests.faults.sites import killable
from tests.serving import ROOT, Site
from tests.sockets import begin


@dataclass(frozen=True)
class Known:
    """A folder of a site, the session of alice in it, and a conversation of hers with one answer."""

    folder: Path
    session: str
    conversation: str

    def client(self, site: Site) -> "closing[httpx2.Client]":
        """Return a browser with that session, to be closed."""
        return closing(httpx2.Client(base_url=site.url, cookies={"sessionid": self.session}, trust_env=False))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Known:
    return make(tmp_path_factory.mktemp("made"))


def make(folder: Path, root: str = str(ROOT)) -> Known:
    """Make a site with the code that stands in `root`."""
    with killable(folder, root=root) as site:
        if root == str(ROOT):  # else there may be a migration that makes the table anew
            with databases.opened(site.environment) as rows:
                logged.install(rows)
        site.add_user("alice", PASSWORD)
        with closing(site.sign_in("alice", PASSWORD)) as client:
            return Known(folder, client.cookies["sessionid"], begin(client, "Look and note 0"))


@pytest.fixture
def known(made: Known, tmp_path: Path) -> Known:
    folder = tmp_path / "site"
    shutil.copytree(made.folder, folder)
    databases.copy(made.folder, folder)
    return Known(folder, made.session, made.conversation)
