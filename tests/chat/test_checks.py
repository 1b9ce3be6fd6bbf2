"""What `manage.py check` says of the settings of the agent."""

import pytest
from django.core.checks import run_checks
from pytest_django.fixtures import Settings


@pytest.mark.parametrize(
    ("most", "url", "models", "small", "named"),
    [
        (1, "http://127.0.0.1:8080/v1", ["nobodys-own", "gpt-4o"], "", ["nobodys-own"]),
        (1, "https://api.openai.com/v1", ["gpt-4o"], "nobodys-small", ["nobodys-small"]),
        (1, "https://api.openai.com/v1", ["gpt-4o", "gpt-4o-mini"], "", []),
        (1, "", ["nobodys-file"], "nobodys-file", ["nobodys-file"]),
        (1, "", [], "", []),
        (0, "http://127.0.0.1:8080/v1", ["nobodys-own"], "", []),
    ],
)
def test_a_limit_of_cost_names_each_model_whose_price_nobody_knows(
    settings: Settings, most: float, url: str, models: list[str], small: str, named: list[str]
) -> None:
    settings.AGENT_MAX_COST, settings.OPENAI_BASE_URL = most, url
    settings.AGENT_MODELS, settings.AGENT_SMALL_MODEL = models, small
    found = [said.msg for said in run_checks() if said.id == "chat.W001"]
    assert len(found) == len(named)
    assert all(f"the model {name!r} at " in said for name, said in zip(named, found, strict=True))
