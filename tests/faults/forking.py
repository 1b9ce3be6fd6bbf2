"""The site of `killing`, in processes forked from one that has imported everything: it starts in a third of the time.

Each line of standard input is "serve", "wait" for the end of that, or "check" for the invariants, meanwhile.
"""

import gc
import os
import sys

from tests.faults import invariants, killing  # isort:skip  They set Django up.

# What of the server can be imported before it has its event loop, which two forks must not share.
import daphne.http_protocol
import daphne.ws_protocol  # noqa: F401
import twisted.internet.asyncioreactor  # noqa: F401

import agentsite.asgi
import agentsite.urls  # noqa: F401
from chat import owners, runs


def main() -> None:
    server = 0
    gc.collect()
    gc.freeze()  # no fork looks through it again
    for line in sys.stdin:
        command, *rest = line.split()
        if command == "wait":
            os.waitpid(server, 0)
            tell("ended")
        elif child := os.fork():
            if command == "serve":
                server = child
                tell(f"began {server}")
            elif os.waitpid(child, 0)[1]:
                tell("failed")
        else:
            runs.PROCESS = str(owners.this_process())
            invariants.main(rest) if command == "check" else killing.main(command)
            return


def tell(line: str) -> None:
    print(line, flush=True)  # noqa: T201


main()
