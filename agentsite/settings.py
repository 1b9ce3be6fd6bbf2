"""Everything the site is set up with: read from the environment once, checked, and loud about nonsense."""

from pathlib import Path
from urllib.parse import urlsplit

from agentsite import env, secret_key
from agentsite.databases import database
from agentsite.origins import LOOPBACK, origins
from agentsite.runner import APPS, PROCRASTINATE, runner

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = env.folder("VAR_DIR", BASE_DIR / "var")

# Where it is reached

DEBUG = env.boolean("DEBUG", default=False)
HOST = env.text("HOST", "127.0.0.1")
PORT = env.integer("PORT", 8000, least=1, most=65535)
WORKER_PORT = env.integer("WORKER_PORT", 0, least=0, most=65535)  # 0: none
DRAIN_SECONDS = env.number("DRAIN_SECONDS", 10, least=0, most=3600)
PUBLIC_URL = env.url("PUBLIC_URL")
BEHIND_HTTPS = PUBLIC_URL.startswith("https://")
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS") or list(LOOPBACK)

if urlsplit(PUBLIC_URL).path:
    raise env.WrongEnvironment("PUBLIC_URL must have no path: the site is served at the root of its host.")
if BEHIND_HTTPS and DEBUG:
    raise env.WrongEnvironment("DEBUG must be off when PUBLIC_URL is https: its error pages show secrets.")
for own_host in (urlsplit(PUBLIC_URL).hostname, HOST):
    if own_host and own_host not in ("0.0.0.0", "::"):  # noqa: S104  These two mean every address and name none.
        ALLOWED_HOSTS.append(f"[{own_host}]" if ":" in own_host else own_host)

ALLOWED_HOSTS = list(dict.fromkeys(ALLOWED_HOSTS))
ORIGINS = origins(ALLOWED_HOSTS, PORT, PUBLIC_URL)
CSRF_TRUSTED_ORIGINS = ORIGINS

# Secrets, sessions, cookies

SECRET_KEY = env.secret("SECRET_KEY") or secret_key.kept_in(VAR_DIR / "secret_key")
if (PUBLIC_URL or HOST not in ("127.0.0.1", "localhost", "::1")) and secret_key.is_weak(SECRET_KEY):
    raise env.WrongEnvironment(
        f"SECRET_KEY is too weak for a public site: take {secret_key.LEAST_LENGTH} random characters or more."
    )

SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_HTTPS
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if BEHIND_HTTPS else 0
# The server itself speaks plain HTTP: behind https there is a proxy before it, which sets this header.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_HTTPS else None
# Other subdomains are not ours to decide for, and sending plain HTTP on to https is the proxy's work.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# The agent

OPENAI_API_KEY = env.secret("OPENAI_API_KEY")
OPENAI_BASE_URL = env.url("OPENAI_BASE_URL", "https://api.openai.com/v1" if OPENAI_API_KEY else "")
AGENT_MODELS = env.names("AGENT_MODELS")
AGENT_SMALL_MODEL = env.text("AGENT_SMALL_MODEL")
AGENT_LOCAL_GGUF = env.file("AGENT_LOCAL_GGUF", begins=b"GGUF")
AGENT_MAX_TURNS = env.integer("AGENT_MAX_TURNS", 15, least=1, most=1000)
AGENT_MAX_TOKENS = env.integer("AGENT_MAX_TOKENS", 50_000, least=1_000, most=10**9)
AGENT_MAX_SECONDS = env.number("AGENT_MAX_SECONDS", 600, least=1, most=86_400)
AGENT_MAX_COST = env.number("AGENT_MAX_COST", 0, least=0, most=1_000)  # 0: no limit
AGENT_CONTEXT_TOKENS = env.integer("AGENT_CONTEXT_TOKENS", 100_000, least=1_000, most=10**8)
AGENT_REQUESTS_PER_MINUTE = env.integer("AGENT_REQUESTS_PER_MINUTE", 60, least=1, most=10**6)
AGENT_MAX_CONCURRENT = env.integer("AGENT_MAX_CONCURRENT", 5, least=1, most=10**4)
AGENT_TOOL_TIMEOUT = env.number("AGENT_TOOL_TIMEOUT", 30, least=0.1, most=3600)
TOOL_MODULES = env.modules("TOOL_MODULES")
WEATHER_SOURCE = env.choice("WEATHER_SOURCE", "auto", ("auto", "live", "sample"))

if AGENT_LOCAL_GGUF:
    set_too = {"OPENAI_API_KEY": OPENAI_API_KEY, "OPENAI_BASE_URL": OPENAI_BASE_URL, "AGENT_MODELS": AGENT_MODELS}
    for name, value in set_too.items():
        if value:
            raise env.WrongEnvironment(f"AGENT_LOCAL_GGUF and {name} are both set; keep one of them.")
    AGENT_MODELS = [AGENT_LOCAL_GGUF.stem]

# Shared between processes

DATABASE = database(VAR_DIR)
REDIS_URL = env.redis_url("REDIS_URL")
AGENT_RUNNER = runner(DATABASE)

# Logs and metrics

LEAST_METRICS_TOKEN = 16  # characters
METRICS_TOKEN = env.secret("METRICS_TOKEN")
if METRICS_TOKEN and len(METRICS_TOKEN) < LEAST_METRICS_TOKEN:
    raise env.WrongEnvironment(f"METRICS_TOKEN is too short: take {LEAST_METRICS_TOKEN} random characters or more.")

LOG_FORMAT = env.choice("LOG_FORMAT", "text", ("text", "json"))
LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))

LOGGING_CONFIG = "agentsite.logs.configure"
LOGGING = {
    "form": LOG_FORMAT,
    "level": LOG_LEVEL,
    "secrets": (
        OPENAI_API_KEY, SECRET_KEY, METRICS_TOKEN, DATABASE.get("PASSWORD", ""), urlsplit(REDIS_URL).password or "",
    ),
}  # fmt: skip

env.refuse_unknown("AGENT_")

# Django

ROOT_URLCONF = "agentsite.urls"
ASGI_APPLICATION = "agentsite.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = "agentsite.locale"
USE_I18N = False

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "django_htmx",
    "agentsite",
    "chat",
    *(APPS if AGENT_RUNNER == PROCRASTINATE else ()),
]

MIDDLEWARE = [
    "agentsite.headers.page_headers",
    "agentsite.metrics.CountRequests",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "agentsite.static_files.StaticFiles",
    "agentsite.nul.without_nul",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "chat.fair.Fair",
    "chat.unavailable.Unavailable",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": DATABASE}

# One process needs none: it tells its viewers by itself. Several tell each other through one group of this layer.
CHANNEL_LAYERS = {}
if REDIS_URL:
    backend = "channels_redis.pubsub.RedisPubSubChannelLayer"
    CHANNEL_LAYERS["default"] = {"BACKEND": backend, "CONFIG": {"hosts": [REDIS_URL], "prefix": "agentsite"}}

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
# While developing, files are served from where they are written; else from where `serve` collected them.
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_ALLOW_ALL_ORIGINS = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
