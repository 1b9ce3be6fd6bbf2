"""Splits the bytes of a server-sent event stream into the data of its events."""


class EventSplitter:
    """Feed it bytes as they come, cut anywhere; it gives the data of each event that is whole."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, received: bytes) -> list[str]:
        """Return the data of the events that `received` completes. Comments and other fields are skipped."""
        *lines, self._rest = (self._rest + received).split(b"\n")
        return [event for line in lines if (event := self._line(line.rstrip(b"\r"))) is not None]

    def end(self) -> list[str]:
        """Return what the last event holds if the stream ended without its blank line."""
        return [event for event in (*self.feed(b"\n"), *self.feed(b"\n")) if event]

    def _line(self, line: bytes) -> str | None:
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
        elif not line and self._data:
            data, self._data = b"\n".join(self._data), []
            return data.decode("utf-8", "replace")
        return None
