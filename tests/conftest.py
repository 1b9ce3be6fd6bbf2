"""What every test stands on: its own environment and database, people, a served site, and no network."""

import os
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from typing import Any

import django
import httpx2
import pytest
import redis

# Settings are read once, as Django is set up, so the environment of the tests is made before that.
# DATABASE_URL and REDIS_URL stay: the suite runs on what they name.
OURS = (
    "ALLOWED_HOSTS", "DATABASE_URL_FILE", "HOST", "PORT", "PUBLIC_URL", "REDIS_URL_FILE", "SECRET_KEY",
    "SECRET_KEY_FILE", "TOOL_MODULES",
)  # fmt: skip
FOLDER = tempfile.TemporaryDirectory(prefix="agentsite-tests-")
for name in list(os.environ):
    if name in OURS or name.startswith(("AGENT_", "LOG_", "METRICS_", "OPENAI_")):
        del os.environ[name]
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "agentsite.settings",
    "VAR_DIR": FOLDER.name,
    "WEATHER_SOURCE": "sample",
    # Static files are then read from where they are written; pytest-django turns the rest of it off again.
    "DEBUG": "true",
}
django.setup()

from django.conf import settings as django_settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.db import connections  # noqa: E402
from django.test import Client  # noqa: E402

from agentsite import login  # noqa: E402
from chat import endpoints, metrics  # noqa: E402
from tests import browsers, databases, network  # noqa: E402
from tests.clocks import Clock  # noqa: E402
from tests.serving import Site, served  # noqa: E402

# Real hashing takes a third of a second for every account and every sign-in.
django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
PASSWORD = "correct horse battery staple"


def pytest_configure(config: pytest.Config) -> None:
    config.add_cleanup(FOLDER.cleanup)
    config.add_cleanup(databases.drop_all)
    network.forbid()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser's tests come last: its driver keeps an event loop running, and no other can run then."""
    items.sort(key=lambda item: "playwright" in getattr(item, "fixturenames", ()))


@pytest.fixture(autouse=True)
def _each_test_stands_alone() -> Iterator[None]:
    """No attempts, endpoints and models known of another test, and no call to the outside that this one hid."""
    login.of_account.clear()
    login.of_address.clear()
    network.tried.clear()
    endpoints.use(None)
    metrics.known_models.clear()
    yield
    assert not network.tried, f"The test tried to reach outside: {network.tried}"


# People. Each page and each frame is asked as its owner, as another, as staff, and as nobody (`client`).


@pytest.fixture
def alice(db: None) -> User:
    """Owns what the test is about."""
    return User.objects.create_user("alice", password=PASSWORD)


@pytest.fixture
def bob(db: None) -> User:
    """Another user, to whom nothing of alice's exists."""
    return User.objects.create_user("bob", password=PASSWORD)


@pytest.fixture
def staff(db: None) -> User:
    """An administrator."""
    return User.objects.create_superuser("staff", password=PASSWORD)


@pytest.fixture
def alice_client(alice: User) -> Client:
    return _signed_in(alice)


@pytest.fixture
def bob_client(bob: User) -> Client:
    return _signed_in(bob)


@pytest.fixture
def staff_client(staff: User) -> Client:
    return _signed_in(staff)


def _signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Two processes that run tests side by side take different databases."""
    connections["default"].settings_dict["TEST"]["NAME"] = databases.suite_name()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """The threads of chat.db keep their connections, and a database that is in use cannot be dropped."""
    yield
    databases.end_connections()


@pytest.fixture
def clock() -> Clock:
    return Clock()


# Real servers and a real browser.


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Site]]:
    """`server()` starts a site on a database of its own; `server(AGENT_MAX_TURNS="2")` one with that set."""
    with ExitStack() as running:

        def start(**variables: str) -> Site:
            return running.enter_context(served(tmp_path_factory.mktemp("site"), **variables))

        yield start


@pytest.fixture(scope="session")
def site(server: Callable[..., Site]) -> Site:
    """The site that tests share when they only look at pages of their own people: alice, bob and staff."""
    shared = server()
    shared.add_user("staff", PASSWORD, staff=True)
    shared.add_user("alice", PASSWORD)
    shared.add_user("bob", PASSWORD)
    return shared


@pytest.fixture(scope="module")
def alice_at(site: Site) -> Iterator[httpx2.Client]:
    with closing(site.sign_in("alice", PASSWORD)) as client:
        yield client


@pytest.fixture(scope="module")
def bob_at(site: Site) -> Iterator[httpx2.Client]:
    with closing(site.sign_in("bob", PASSWORD)) as client:
        yield client


@pytest.fixture(scope="module")
def staff_at(site: Site) -> Iterator[httpx2.Client]:
    with closing(site.sign_in("staff", PASSWORD)) as client:
        yield client


@pytest.fixture(scope="session")
def postgres() -> None:
    """What no connection to a file can show. The suite's second run is on PostgreSQL, and there nothing is skipped."""
    if not databases.POSTGRES:
        pytest.skip("Only on PostgreSQL: make test DATABASE_URL=…")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where all parts have to be there, a test that misses one has failed."""
    report = yield
    if report.skipped and os.environ.get("CI") and databases.POSTGRES:
        report.outcome = "failed"
    return report


@pytest.fixture(scope="session")
def redis_url() -> str:
    """A real Redis: the one of REDIS_URL, else one on this machine. Without it tests skip, and in CI they fail."""
    url = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")
    try:
        with redis.Redis.from_url(url, socket_timeout=5) as client:
            client.ping()
    except redis.RedisError:
        missing = f"No Redis answers at {url}."
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return url


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """pytest-playwright starts the system's Chromium. Without one its tests skip, and in CI they fail."""
    path = browsers.chromium()
    if path is None:
        missing = "No Chromium found: install it (Debian: apt-get install chromium) or set CHROMIUM to its path."
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return {"executable_path": path, "args": browsers.launch_arguments()}
