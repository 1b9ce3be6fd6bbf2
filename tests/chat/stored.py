"""Endpoints as an administrator sets them up, with scripts that answer at their base URLs."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from chat import connections
from chat.models import Endpoint, EndpointModel
from tests.scripted import Body, Chunk, Scripted

Answers = Callable[..., Scripted]


@contextmanager
def scripts() -> Iterator[Answers]:
    """`answers(base_url, reply, …)` puts a script there; in the end each reply must have been asked for."""
    made: dict[str, Scripted] = {}

    def answers(base_url: str, *replies: Sequence[Chunk] | Body) -> Scripted:
        made[base_url] = Scripted(*replies)
        connections.on_this_machine[base_url] = connections.OnThisMachine(made[base_url])
        return made[base_url]

    try:
        yield answers
        for script in made.values():
            script.done()
    finally:
        for base_url in made:
            del connections.on_this_machine[base_url]


def stored(name: str, base_url: str, key: str = "", *models: str, **fields: Any) -> Endpoint:
    """An endpoint with its models, in their order."""
    endpoint = Endpoint(name=name, base_url=base_url, **fields)
    endpoint.set_key(key)
    endpoint.save()
    for position, model in enumerate(models):
        EndpointModel.objects.create(endpoint=endpoint, name=model, position=position)
    return endpoint
