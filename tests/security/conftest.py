"""What alice owns and has talked of, and the site beside an endpoint of the tests' own."""

from collections.abc import Iterator

import httpx2
import pytest
from django.contrib.auth.models import User

from tests.security.hers import Hers, things_of
from tests.security.markup import PIECES
from tests.security.talking import Talking, talking
from tests.sockets import begin


@pytest.fixture(scope="session")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talking]:
    with talking(tmp_path_factory.mktemp("talking"), models=("m", PIECES[0])) as both:
        yield both


@pytest.fixture
def hers(alice: User) -> Hers:
    return things_of(alice)


@pytest.fixture(scope="module")
def talked(alice_at: httpx2.Client) -> str:
    """A conversation of alice's, for sockets that ask nothing of a model."""
    return begin(alice_at, "Hello")
