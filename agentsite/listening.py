"""Takes the port of a process that is watched or served."""

import socket


def listen(host: str, port: int) -> socket.socket:
    """Takes the port before anything else: whoever comes too early waits a moment and is served then."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]
        raise SystemExit(f"Cannot listen on {host} port {port}: {reason}.") from None
