"""Whatever an endpoint lists as its models, a person is offered names that can be asked for, or none."""

from typing import Any

import pytest

from chat.wire.endpoint import Endpoint
from chat.wire.errors import EndpointError
from tests.security.endpoint import AUTHORIZATION, answering
from tests.security.talking import KEY


@pytest.mark.parametrize(
    ("listed", "names"),
    [
        ({"data": [{"id": "a"}, {"id": "b"}]}, ["a", "b"]),
        ({"data": []}, []),
        ({"data": None}, []),  # Ollama without a model
        ({}, []),
        ([], []),
        ("no object", []),
        (None, []),
        ({"data": "abc"}, []),
        (b'{"data": ' + b"[" * 100_000, []),
        (b'{"data": ' + b"[" * 5000 + b"]" * 5000 + b"}", []),
        (b"<html>", []),
        (b"", []),
        (b"\xff\x00", []),
        ({"data": [{"id": f"model-{AUTHORIZATION}"}, {"id": "a"}]}, ["a"]),  # may not be shown
        ({"data": [{"id": None}, {"id": 7}, {"id": ""}, {"id": []}, {"id": "a"}]}, ["a"]),
        ({"data": [None, 1, "x", []]}, []),
        ({"data": [{"id": "a\x00b\ud800c"}, {"id": "b"}]}, ["b"]),  # could not be asked for by that name
        ({"data": [{"id": "m" * 201}, {"id": "b"}]}, ["b"]),  # no column holds it
    ],
)  # fmt: skip
async def test_whatever_an_endpoint_lists_is_a_list_of_names(listed: Any, names: list[str]) -> None:
    with answering() as served:
        served.models = listed
        endpoint = Endpoint(served.url, KEY)
        try:
            found = await endpoint.models()
        except EndpointError:
            found = []
        await endpoint.close()

    assert found == names
