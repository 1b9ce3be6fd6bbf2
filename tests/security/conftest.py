"""What alice owns, and the site beside an endpoint of the tests' own, for all tests here that need them."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User

from tests.security.hers import Hers, things_of
from tests.security.markup import PIECES
from tests.security.talking import Talking, talking


@pytest.fixture(scope="session")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talking]:
    with talking(tmp_path_factory.mktemp("talking"), models=("m", PIECES[0])) as both:
        yield both


@pytest.fixture
def hers(alice: User) -> Hers:
    return things_of(alice)
