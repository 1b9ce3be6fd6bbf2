"""Reads the environment, one small function a kind of value; nonsense stops the start in one sentence."""

import difflib
import math
import os
import re
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

_asked_for: set[str] = set()


class WrongEnvironment(SystemExit):
    """A variable makes no sense. Uncaught it prints its sentence on stderr and exits with 1, no traceback."""


def text(name: str, default: str = "") -> str:
    """The variable's value without surrounding blanks; an empty one counts as not set."""
    _asked_for.add(name)
    return os.environ.get(name, "").strip() or default


def boolean(name: str, default: bool) -> bool:
    said = text(name).lower()
    if said in ("1", "true", "yes", "on"):
        return True
    if said in ("0", "false", "no", "off"):
        return False
    if said:
        raise WrongEnvironment(f"{name} must be true or false, not {said!r}.")
    return default


def integer(name: str, default: int, *, least: int, most: int) -> int:
    said = text(name, str(default))
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", said) or not least <= int(said) <= most:
        raise WrongEnvironment(f"{name} must be a whole number from {least} to {most}, not {said!r}.")
    return int(said)


def number(name: str, default: float, *, least: float, most: float) -> float:
    said = text(name, str(default))
    try:
        value = float(said)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise WrongEnvironment(f"{name} must be a number from {least:g} to {most:g}, not {said!r}.")
    return value


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """One of `allowed`, whichever way its letters are written."""
    said = text(name, default)
    for value in allowed:
        if said.lower() == value.lower():
            return value
    raise WrongEnvironment(f"{name} must be one of {', '.join(allowed)}, not {said!r}.")


def names(name: str) -> list[str]:
    """A comma separated list, without empty and repeated entries."""
    return list(dict.fromkeys(entry.strip() for entry in text(name).split(",") if entry.strip()))


def hosts(name: str) -> list[str]:
    """A list of exact host names as a Host header has them, without port."""
    listed = [host.lower() for host in names(name)]
    for host in listed:
        if host.startswith((".", "*")):
            raise WrongEnvironment(f"{name} must name each host of the site in full, without {host!r}.")
        if not re.fullmatch(r"\[[0-9a-f:.]+\]|[a-z0-9_-]+(\.[a-z0-9_-]+)*", host):
            raise WrongEnvironment(f"{name} must list plain host names without scheme or port, not {host!r}.")
    return listed


def modules(name: str) -> list[str]:
    """A list of Python modules that can be found; they are not imported here."""
    listed = names(name)
    for module in listed:
        try:
            found = find_spec(module) if not module.startswith(".") else None
        except (ImportError, ValueError):
            found = None
        if found is None:
            raise WrongEnvironment(f"{name} names {module!r}, and Python finds no module of that name.")
    return listed


def url(name: str, default: str = "") -> str:
    """An http or https address without its trailing slash, or `default`."""
    said = text(name, default).rstrip("/")
    if said and not is_plain_url(said):
        raise WrongEnvironment(f"{name} must be an http:// or https:// address without password, query or fragment.")
    return said


def is_plain_url(said: str) -> bool:
    """Whether this is an http or https address without user, password, query or fragment."""
    return "@" not in said and _address(said, "http", "https") is not None


def redis_url(name: str) -> str:
    """The address of a Redis server, or empty; it may hold a password, and so is never said again."""
    said = secret(name)
    if said and not _is_redis_url(said):
        raise WrongEnvironment(
            f"{name} must be redis:// or rediss:// with a host, and at most a port, a password and a database's number."
        )
    if said and (find_spec("redis") is None or find_spec("channels_redis") is None):
        raise WrongEnvironment(f"{name} is set, and the packages for it are missing. Install the extra [scale].")
    return said


def _is_redis_url(said: str) -> bool:
    parts = _address(said, "redis", "rediss")
    return parts is not None and bool(re.fullmatch(r"(/[0-9]{0,4})?", parts.path))


def _address(said: str, *schemes: str) -> SplitResult | None:
    """The parts of an address with one of the schemes and a host, and with no query, fragment or blank; else None."""
    try:
        parts = urlsplit(said)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return None
    clean = said.isprintable() and not re.search(r"[\s\\?#]", said)
    return parts if clean and port_is_fine and parts.scheme in schemes and parts.hostname else None


def folder(name: str, default: Path) -> Path:
    """A folder that exists when this returns, made for its owner alone where it did not."""
    path = Path(text(name, str(default))).expanduser().absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise WrongEnvironment(f"{name} cannot be the folder {str(path)!r}: {error.strerror}.") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise WrongEnvironment(f"{name} is {str(path)!r}, which cannot be written to.")
    return path


def file(name: str, *, begins: bytes) -> Path | None:
    """A file that can be read and begins as its kind does; None where it is not set."""
    said = text(name)
    if not said:
        return None
    path = Path(said).expanduser().absolute()
    try:
        with path.open("rb") as opened:
            found = opened.read(len(begins))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", "") or str(error)
        raise WrongEnvironment(f"{name} is {said!r}, which cannot be read: {reason}.") from None
    if found != begins:
        raise WrongEnvironment(f"{name} is {said!r}, which is no {begins.decode()} file.")
    return path


def secret(name: str) -> str:
    """The value of NAME, or the content of the file that NAME_FILE names; empty where neither is set."""
    value, file = text(name), text(f"{name}_FILE")
    if value and file:
        raise WrongEnvironment(f"{name} and {name}_FILE are both set; keep one of them.")
    if file:
        try:
            value = Path(file).expanduser().read_text("utf-8").strip()
        except (OSError, UnicodeError):
            raise WrongEnvironment(f"{name}_FILE is {file!r}, which cannot be read as text.") from None
        if not value:
            raise WrongEnvironment(f"{name}_FILE is {file!r}, which is empty.")
    # It ends up in HTTP headers, and never in a message of ours.
    if not (value.isascii() and value.isprintable()):
        raise WrongEnvironment(f"{name} must be one line of plain ASCII characters.")
    return value


def asked_for() -> frozenset[str]:
    """The names of all variables that were read so far, set or not."""
    return frozenset(_asked_for)


def refuse_unknown(prefix: str) -> None:
    """Stops at a variable with our prefix that nobody asked for: most likely a slip of the keyboard."""
    for name in sorted(os.environ):
        if name.startswith(prefix) and name not in _asked_for:
            near = difflib.get_close_matches(name, sorted(_asked_for), n=1)
            hint = f" Is {near[0]} meant?" if near else ""
            raise WrongEnvironment(f"{name} is not a variable of this site.{hint}")
