"""Reads an endpoint's list of models: their names, and the sizes of their contexts where the list says them."""

from collections.abc import Mapping

from chat.wire.errors import EndpointError
from chat.wire.redact import Redactor
from chat.wire.stream import LONGEST_NAME
from tools.text import clean

# vLLM; LM Studio as it is loaded, and at most (Mistral, too); OpenRouter; Groq. The first that is there counts.
WINDOWS = ("max_model_len", "loaded_context_length", "max_context_length", "context_length", "context_window")
META_WINDOWS = ("n_ctx", "n_ctx_train")  # llama.cpp: as it runs, and as the model was trained


def read_listing(listed: object, host: str, redactor: Redactor) -> dict[str, int | None]:
    """Return name and context size, in tokens, of each model whose name can be stored, shown and asked for as it is.

    Raises EndpointError where there is no list.
    """
    data = listed.get("data") if isinstance(listed, Mapping) else None
    if not isinstance(data, list):
        raise EndpointError(f"{host} lists no models. Is its address right?", again=False)
    models = [(model.get("id"), _window(model)) for model in data if isinstance(model, Mapping)]
    return {name: window for name, window in models if isinstance(name, str) and _is_name(name, redactor)}


def _is_name(name: str, redactor: Redactor) -> bool:
    return 0 < len(name) <= LONGEST_NAME and name == clean(redactor.hide(name))


def _window(model: Mapping[str, object]) -> int | None:
    meta = model.get("meta")
    said = [model.get(name) for name in WINDOWS]
    said += [meta.get(name) for name in META_WINDOWS] if isinstance(meta, Mapping) else []
    sizes = (size for size in said if isinstance(size, int) and not isinstance(size, bool) and 0 < size < 2**31)
    return next(sizes, None)
