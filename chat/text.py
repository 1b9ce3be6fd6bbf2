"""Text that every database, socket and encoder takes."""

import re

_REFUSED = re.compile("[\x00\ud800-\udfff]")


def clean(text: str) -> str:
    """Replace NUL and lone surrogates by U+FFFD; the two halves of one character become that character again."""
    if not _REFUSED.search(text):
        return text
    # Endpoints cut their JSON anywhere, also between the two halves of an emoji.
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\x00", "\N{REPLACEMENT CHARACTER}")
