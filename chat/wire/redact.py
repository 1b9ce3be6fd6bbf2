"""Takes an endpoint's key out of what the endpoint sends back: some echo it, and it may come in pieces."""

SHORTEST = 6  # what is shorter is no secret, and stands in too many words
HIDDEN = "***"
# What the handbooks of endpoints without keys say to write in a key's place.
PLACEHOLDERS = frozenset(
    {"ollama", "lm-studio", "not-needed", "no-key-needed", "no-key-required", "sk-no-key-required", "sk-1234"}
)


def is_secret(text: str) -> bool:
    """Say whether a text is long enough, and not one of the words that only stand in a key's place."""
    return len(text) >= SHORTEST and text.lower() not in PLACEHOLDERS


class Redactor:
    """Hides one secret. Text that comes in pieces is held back where it may be the beginning of it."""

    def __init__(self, secret: str = "") -> None:
        self._secret = secret if is_secret(secret) else ""
        self.held = ""  # the end of the text so far, which may be the secret's beginning

    def another(self) -> "Redactor":
        """Return one that hides the same in another text."""
        return Redactor(self._secret)

    def hide(self, text: str) -> str:
        """Return a whole text without the secret."""
        return text.replace(self._secret, HIDDEN) if self._secret else text

    def feed(self, piece: str) -> str:
        """Take the next piece of a text; return what of it is certain to be no secret."""
        text = self.hide(self.held + piece)
        longest = min(len(text), max(len(self._secret) - 1, 0))
        held = next((n for n in range(longest, 0, -1) if self._secret.startswith(text[-n:])), 0)
        self.held = text[len(text) - held :]
        return text[: len(text) - held]
