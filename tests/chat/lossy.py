"""A connection to PostgreSQL that breaks at a commit: before the server hears of it, or before it has answered."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


class Lossy:
    """Passes on what goes between clients and a server, and cuts each commit that `cuts` holds, by its number.

    `cuts` says of each whether the server still hears of it.
    """

    def __init__(self, server: tuple[str, int], cuts: dict[int, bool]) -> None:
        self.server, self.cuts = server, cuts
        self.commits = 0
        self.listener = socket.create_server(("127.0.0.1", 0))

    def serve(self) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, socket.create_connection(self.server) as server:
            deaf = threading.Event()
            threading.Thread(target=self._answer, args=(server, client, deaf), daemon=True).start()
            with suppress(OSError):
                while said := client.recv(65536):
                    if b"COMMIT" in said:
                        self.commits += 1
                        heard = self.cuts.get(self.commits)
                        if heard is False:
                            break
                        if heard:
                            deaf.set()
                    server.sendall(said)
            _end(server)
            _end(client)

    def _answer(self, server: socket.socket, client: socket.socket, deaf: threading.Event) -> None:
        with suppress(OSError):
            while (said := server.recv(65536)) and not deaf.is_set():
                client.sendall(said)
        _end(client)


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def lossy(url: str, cuts: dict[int, bool]) -> Iterator[str]:
    """Give the address of a server, by way of one that cuts."""
    parts = urlsplit(url)
    passing = Lossy((parts.hostname or "127.0.0.1", parts.port or 5432), cuts)
    threading.Thread(target=passing.serve, daemon=True).start()
    host = f"127.0.0.1:{passing.listener.getsockname()[1]}"
    who = parts.netloc.rpartition("@")[0]
    try:
        yield parts._replace(netloc=f"{who}@{host}" if who else host, query="sslmode=disable").geturl()
    finally:
        passing.listener.close()
