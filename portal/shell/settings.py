"""Django's settings. Each comes from an environment variable; docs/settings.md lists them."""

import os
from pathlib import Path
from typing import Any

from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

from portal.shell.environment import Environment, given_or_running_demo

# Reading a text for red flags is a few small matrices: on several threads they wait for each other, ten times as long.
# Read by numpy when it is first imported, which is later than this.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

BASE_DIR = Path(__file__).resolve().parents[2]

VAR = Path(given_or_running_demo(BASE_DIR / "var").get("PORTER_VAR") or BASE_DIR / "var")
given = Environment(given_or_running_demo(VAR))

# The demo holds invented people and listens on this computer only; the tests have no listener at all.
# Everything else is production, and production is what an empty environment gets.
MODE = given.choice("PORTER_MODE", "production", among=("production", "demo", "test"))
PRODUCTION = MODE == "production"

# Never on: its error pages and query log would show patients' answers.
DEBUG = False

if PRODUCTION:
    SECRET_KEY = given.text(
        "PORTER_SECRET_KEY", needed="it signs sessions and needs 50 random characters or more"
    )
    if SECRET_KEY and len(SECRET_KEY) < 50:
        given.problems.append(
            f"PORTER_SECRET_KEY has {len(SECRET_KEY)} characters, but needs 50 random ones or more."
        )
    ALLOWED_HOSTS = given.names(
        "PORTER_HOSTS", needed="it lists the host names Porter answers to, with commas"
    )
    if "*" in ALLOWED_HOSTS:
        given.problems.append(
            "PORTER_HOSTS must not be “*”: a forged host name would end up in password mails."
        )
    SITE_URL = given.site_url(
        "PORTER_SITE_URL", "", schemes=("https",), needed="links in mails begin with it"
    )
else:
    SECRET_KEY = given.text("PORTER_SECRET_KEY", "only-for-tests-and-the-demo-" + "x" * 40)
    ALLOWED_HOSTS = given.names("PORTER_HOSTS", "localhost,127.0.0.1,[::1],testserver")
    SITE_URL = given.site_url("PORTER_SITE_URL", "http://localhost:8000", schemes=("http", "https"))

# How many proxies stand in front and add to X-Forwarded-For. With 0 that header is not believed.
PROXIES = given.number("PORTER_PROXIES", 0, least=0, most=9)

INSTALLED_APPS = [
    "portal.shell",  # first: its qcluster command goes before django-q's
    "portal.shell.apps.PorterAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "guardian",
    "django_htmx",
    "django_q",
    "csp",
    "intake",
    "triage",
    "queues",
    "portal.people",
    "portal.records",
    "audit",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Most requests of a working day ask whether a list has changed, and it hasn't.
    "queues.views.unchanged.Unchanged",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "portal.shell.sessions.LoggedIn",
    "portal.shell.language.OwnLanguage",
    # Every view needs a log-in unless it says otherwise; allauth's own public pages say so themselves.
    # Messages come first: it tells people that what they typed was kept.
    "django.contrib.messages.middleware.MessageMiddleware",
    "portal.shell.log_in.LoginRequired",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "portal.shell.urls"
WSGI_APPLICATION = "portal.shell.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,  # and, because DEBUG is off, each template is compiled once and kept
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "portal.shell.demo.context.demo",
            ],
        },
    },
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "NAME": "compiled",
        "DIRS": [BASE_DIR / "templates" / "compiled"],
        "OPTIONS": {"environment": "portal.shell.compiled.environment"},
    },
]

# ---------------------------------------------------------------------------------------------- database

# The app's role serves and owns nothing. The owner's address is read by the migrate command alone.
DATABASE_OWNER = given.database("DATABASE_OWNER_URL")
_no_database: dict[str, Any] = {"ENGINE": "django.db.backends.postgresql", "NAME": "not-yet-chosen"}
if MODE == "test":
    # The tests point this at their own copy of the template database.
    _serving = given.database("DATABASE_URL") or _no_database
else:
    _serving = (
        given.database("DATABASE_URL", needed="it is the address of the app's role on PostgreSQL")
        or _no_database
    )
DATABASES = {
    "default": _serving
    | {
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        # One view that waits for ever must not hold its locks for ever.
        # And a page's short question must not wait for helpers to be started: that took 30 ms for an answer of 1 ms.
        # A plan that is kept is for all values: for some of them, one of their own looks cheaper by less than what
        # planning each time costs.
        "OPTIONS": {
            "options": "-c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
            " -c max_parallel_workers_per_gather=0 -c jit=off -c plan_cache_mode=force_generic_plan"
        }
        | _serving.get("OPTIONS", {}),
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Log-in guards and rate limits are counted here, so that every process counts the same attempts.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "porter_cache",
        # The default of 300 would throw away a log-in guard as soon as 300 others were counted.
        "OPTIONS": {"MAX_ENTRIES": 20_000, "CULL_FREQUENCY": 10},
    },
    # Parts of a page that are the same for everybody, kept in each process.
    "template_fragments": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}

# ---------------------------------------------------------------------------- work after the response

Q_CLUSTER = {
    "name": "porter",
    "orm": "default",
    "workers": given.number("PORTER_WORKERS", 2, least=1, most=64),
    # A task that runs too long is stopped at 60 s, and only then handed out again.
    "timeout": 60,
    "retry": 90,
    "max_attempts": 5,
    "ack_failures": True,
    "poll": 0.5,
    "guard_cycle": 1,
    "catch_up": False,
    "bulk": 1,
    "save_limit": 200,
    "label": "Background work",
}

# ---------------------------------------------------------------------------------- people and log-in

AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = [
    "portal.people.backends.Backend",
    "guardian.backends.ObjectPermissionBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "account_login"

# Nobody is allowed anything without being somebody.
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False
GUARDIAN_MONKEY_PATCH_GROUP = False

ACCOUNT_ADAPTER = "portal.shell.accounts.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # a mail to a stranger would be ours to answer for
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
ACCOUNT_SESSION_REMEMBER = False  # phones and clinic computers are shared: the session ends with the browser
ACCOUNT_DEFAULT_HTTP_PROTOCOL = SITE_URL.partition(":")[0] or "https"
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/300s/key",
    "reset_password": "20/m/ip,5/m/key",
    "reauthenticate": "10/m/user",
}
ALLAUTH_TRUSTED_PROXY_COUNT = PROXIES

MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Porter"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION  # passkeys on http://localhost, for the demo
USERSESSIONS_TRACK_ACTIVITY = False  # one more write for each request, and each poll, would buy little

# ---------------------------------------------------------------------------------------------- mail

DEFAULT_FROM_EMAIL = given.text("PORTER_FROM_EMAIL", "Porter <porter@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
_mail = given.mail("EMAIL_URL", needed="mail is how people hear of an answer" if PRODUCTION else "")
if MODE == "test":
    EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
elif _mail is None:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = VAR / "mail"
else:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    globals().update(_mail)

# Where urgent alerts are posted as well, such as a pager's webhook. They hold no patient data.
ALERT_URL = given.text("PORTER_ALERT_URL")
if ALERT_URL and not ALERT_URL.startswith("https://" if PRODUCTION else ("https://", "http://")):
    given.problems.append("PORTER_ALERT_URL must be an address that begins with https://.")

# ---------------------------------------------------------------------------------- language and time

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("es", _("Spanish"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"  # people see their facility's time; the database and the logs keep this one

# ---------------------------------------------------------------------------------------------- static files

STATIC_URL = "static/"
# How long what staff sent can be taken back. Mail, filing and the patient's page wait for it.
UNDO_SECONDS = given.number("PORTER_UNDO_SECONDS", 10, least=0, most=60)

STATIC_ROOT = Path(given.text("PORTER_STATIC", str(VAR / "static")))
STATICFILES_DIRS = [path for path in [BASE_DIR / "static"] if path.is_dir()]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if MODE == "test"
            else "portal.shell.statics.Statics"
        )
    },
}
WHITENOISE_USE_FINDERS = MODE == "test"
MEDIA_ROOT = VAR / "media"

# A form with many questions stays below this; uploads are streamed to disk above 2.5 MB.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000

# Photos and PDFs that patients add. The first handler lets go of what is too large while it arrives.
ATTACHMENT_MOST_MB = given.number("PORTER_UPLOAD_MB", 10, least=1, most=50)
ATTACHMENT_MOST_FILES = 10
FILE_UPLOAD_HANDLERS = [
    "intake.attachments.uploads.LimitedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
# host:port or the path of the socket of ClamAV's daemon. Where it is set, nothing is kept without its word.
PORTER_CLAMAV = given.text("PORTER_CLAMAV")

# ---------------------------------------------------------------------------------------------- security

# The demo and the tests speak plain http to this computer; what needs TLS is off for them and nothing else
# is.
_over_tls = PRODUCTION
SECURE_SSL_REDIRECT = _over_tls
SECURE_REDIRECT_EXEMPT = [r"^health(/ready)?$"]  # a probe inside the cluster speaks plain http
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PROXIES else None
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _over_tls else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _over_tls
SECURE_HSTS_PRELOAD = _over_tls
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# The prefix binds the cookie to this very host; a browser accepts it over TLS only.
SESSION_COOKIE_NAME = "__Host-session" if _over_tls else "porter-session"
SESSION_COOKIE_SECURE = _over_tls
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_ENGINE = "portal.shell.sessions"
CSRF_FAILURE_VIEW = "portal.shell.log_in.csrf_failure"
CSRF_COOKIE_NAME = "__Host-csrf" if _over_tls else "porter-csrf"
CSRF_COOKIE_SECURE = _over_tls
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [SITE_URL] if SITE_URL else []
LANGUAGE_COOKIE_SECURE = _over_tls
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-src": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
        "base-uri": [NONE],
    },
}

# ---------------------------------------------------------------------------------------------- logs

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "portal.shell.logs.LineFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        # Django's own handlers would mail error reports with the request in them; ours take their place.
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        "django.request": {"level": "WARNING"},
        # Says who asked for what at INFO, with addresses.
        "allauth": {"level": "WARNING"},
        "fido2": {"level": "WARNING"},
        "django-q": {"level": "WARNING" if MODE == "test" else "INFO"},
    },
}

if PRODUCTION and not given.values.get("PORTER_MODE") and not given.values.get("DATABASE_URL"):
    given.problems.append(
        "No demo is running here either: `make demo` starts one, and commands beside it use its settings."
    )
given.stop_if_broken()
