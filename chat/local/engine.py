"""The process of a local model: serves one GGUF file with llama.cpp on 127.0.0.1, for as long as its parent lives.

`python -m chat.local.engine` reads one line of JSON on standard input, an EngineConfig, loads the model and prints
the address that it serves on. It ends when its standard input does, which happens however its parent ends. Its log is
standard error. Only who knows the key may ask it, and no web page may.
"""

import json
import os
import sys
from typing import Any

import xllamacpp

from chat.local.config import EngineConfig

WARNINGS = 2  # llama.cpp's level of logging that tells of trouble, and nothing of what is asked
KEPT_MEGABYTES = 1024  # of conversations it has read already; llama.cpp itself would keep 8 GB


def main() -> None:
    config = EngineConfig(**json.loads(sys.stdin.readline()))
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints goes to the log
    try:
        server = xllamacpp.Server(parameters(config))
    except RuntimeError as error:
        sys.exit(str(error))
    print(server.listening_address, file=answer, flush=True)
    sys.stdin.read()
    os._exit(0)  # at once: nothing has to be put away, and a reply may be under way


def parameters(config: EngineConfig) -> Any:
    params = xllamacpp.CommonParams()
    params.model.path, params.model_alias = config.file, {config.name}
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.api_keys, params.cors_origins = [config.key], ""
    params.ui, params.offline, params.verbosity = False, True, WARNINGS
    params.endpoint_metrics = True
    params.n_ctx, params.n_predict, params.n_parallel = config.context, config.reply, 1
    params.cache_ram_mib = KEPT_MEGABYTES
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = config.threads
    if config.temperature is not None:
        params.sampling.temp = config.temperature
    return params


if __name__ == "__main__":
    main()
