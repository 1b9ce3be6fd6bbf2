"""The numbered cases wait for nothing: a request that failed is sent again at once."""

from collections.abc import Iterator

import pytest

from chat.agent import asking


@pytest.fixture(autouse=True)
def _no_wait_before_asking_again() -> Iterator[None]:
    before, asking.FIRST_WAIT = asking.FIRST_WAIT, 0.0
    yield
    asking.FIRST_WAIT = before
