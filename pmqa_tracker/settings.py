"""Settings of the PMQA tracker, read from the environment and from `.env` if it exists.

docs/configuration.md describes each variable.
"""

import os
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from pmqa_tracker import database, environment

BASE_DIR = Path(__file__).resolve().parent.parent
LOOPBACK_HOSTS = ["127.0.0.1", "localhost", "[::1]"]

env = environ.Env()
ENV_FILE = os.environ.get("PMQA_ENV_FILE", str(BASE_DIR / ".env"))
if ENV_FILE and Path(ENV_FILE).is_file():
    env.read_env(ENV_FILE)

DEBUG = env.bool("DEBUG", default=False)
PMQA_DEMO = env.bool("PMQA_DEMO", default=False)
PMQA_DEMO_PASSWORD = environment.secret(env, "PMQA_DEMO_PASSWORD")
PMQA_TODAY = environment.day(env, "PMQA_TODAY")

# The units and containers of deploy/ set it.
if env.bool("PMQA_PRODUCTION", default=False):
    environment.refuse_demonstration(DEBUG=DEBUG, PMQA_DEMO=PMQA_DEMO, PMQA_TODAY=PMQA_TODAY)

IS_ON_THIS_MACHINE = DEBUG or PMQA_DEMO

SECRET_KEY = environment.secret(env, "SECRET_KEY") or ("only-for-debugging-on-this-machine" if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set: put a long random text in the environment or in .env, or use `make run`, which creates "
        "one if .env is missing. / ยังไม่ได้กำหนด SECRET_KEY โปรดกำหนดเป็นข้อความสุ่มที่ยาวเพียงพอ"
        "ในตัวแปรสภาพแวดล้อมหรือในไฟล์ .env หรือใช้คำสั่ง make run ซึ่งจะสร้างให้เมื่อยังไม่มีไฟล์ .env"
    )

# The accounts of a demonstration have a printed password, so it answers on this machine only.
ALLOWED_HOSTS = LOOPBACK_HOSTS if PMQA_DEMO else env.list("ALLOWED_HOSTS", default=LOOPBACK_HOSTS if DEBUG else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

DATA_DIR = environment.folder(env, "DATA_DIR", default=BASE_DIR / "var")
# Port of a demonstration; `make run` passes it and keeps it in a file for other commands.
PORT = environment.port(env, "PORT", kept_in=DATA_DIR / "port")
DATABASES = {"default": database.from_url(env, DATA_DIR / "db.sqlite3")}
# Pages are kept in a cache of their own (pmqa_tracker/page_cache.py). Libraries use the other one: a code of the second
# factor must not depend on a server that may be down.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "pages": environment.cache(env, "CACHE_URL"),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django_tasks",
    "django_tasks_db",
    "pmqa_tracker",
    "audit",
    "spreadsheets",
    "criteria",
    "assignments",
    "accounts",
    "plan",
    "submissions",
    "exchange",
    "worklist",
    "reports",
    "demo",
    "operations",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "django_filters",
    "django_htmx",
    "template_partials",
    "import_export",
    "simple_history",
    "csp",
]

MIDDLEWARE = [
    "pmqa_tracker.request_log.RequestLogMiddleware",
    "pmqa_tracker.headers.HeadersMiddleware",
    "pmqa_tracker.middleware.NulMiddleware",
    "operations.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "pmqa_tracker.compression.CompressionMiddleware",
    "pmqa_tracker.outage.SessionMiddleware",
    "pmqa_tracker.middleware.LanguageMiddleware",
    "pmqa_tracker.too_large.AddressMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "pmqa_tracker.middleware.LoginMiddleware",
    "accounts.sessions.middleware.LastUseMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.first_steps.FirstStepsMiddleware",
    "pmqa_tracker.middleware.OwnerMiddleware",
    "pmqa_tracker.upload_limit.FullDiskMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "plan.lookup.PlanMiddleware",
    "audit.middleware.DownloadMiddleware",
]

ROOT_URLCONF = "pmqa_tracker.urls"
WSGI_APPLICATION = "pmqa_tracker.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    [
                        (
                            "django.template.loaders.cached.Loader",
                            ["pmqa_tracker.template_loader.Loader", "django.template.loaders.app_directories.Loader"],
                        )
                    ],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "pmqa_tracker.context_processors.site",
                "accounts.sessions.context_processors.session",
                "worklist.context_processors.current_plan",
                "assignments.introduction.introduction",
            ],
            # `thai` replaces the `date` filter everywhere, also in the pages of libraries, so that no Thai page shows
            # a year of the Christian era. `page` replaces `csrf_token`, so that each form carries its owner.
            "builtins": [
                "pmqa_tracker.templatetags.thai",
                "pmqa_tracker.templatetags.page",
            ],
        },
    }
]

AUTH_USER_MODEL = "assignments.User"
AUTHENTICATION_BACKENDS = ["accounts.backend.AccountBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"  # fields use templates/django/forms
CSRF_FAILURE_VIEW = "pmqa_tracker.views.csrf_failure"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

# django-allauth. Its rate limits are off: they count in the memory of each process and lock out a whole office.
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_RATE_LIMITS = False
# How long nobody can try a user name from an address after too many wrong passwords (accounts/attempts.py).
PMQA_LOCK_MINUTES = environment.whole_number(env, "PMQA_LOCK_MINUTES", default=15, least=1, most=24 * 60)
ACCOUNT_LOGIN_METHODS = {"username"}  # the form finds the user name of an e-mail address
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*"]  # checked by allauth; nobody signs up
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_AUTHENTICATED_LOGIN_REDIRECTS = False  # the page names the user who is logged in
# Login by an identity provider of the organization (accounts/sign_on.py).
PMQA_OIDC_URL = environment.web_address(env, "PMQA_OIDC_URL")
PMQA_OIDC_NAME = env.str("PMQA_OIDC_NAME", default="Single Sign-On") if PMQA_OIDC_URL else ""
SOCIALACCOUNT_ADAPTER = "accounts.sign_on.SignOnAdapter"
SOCIALACCOUNT_LOGIN_ON_GET = True  # the CSP lets no form lead to another site
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "sso",
                "name": PMQA_OIDC_NAME,
                "client_id": env.str("PMQA_OIDC_CLIENT_ID", default=""),
                "secret": environment.secret(env, "PMQA_OIDC_SECRET"),
                "settings": {"server_url": PMQA_OIDC_URL},
            }
        ]
        if PMQA_OIDC_URL
        else [],
    }
}
# Login by the directory of the organization (accounts/directory.py).
PMQA_LDAP_URL = environment.directory_url(env, "PMQA_LDAP_URL")
if PMQA_LDAP_URL:
    try:
        import ldap
        from django_auth_ldap.config import LDAPSearch
    except ImportError:
        raise ImproperlyConfigured(
            "PMQA_LDAP_URL needs the packages of requirements-ldap.txt: pip install -r requirements-ldap.txt / "
            "PMQA_LDAP_URL ต้องใช้แพ็กเกจใน requirements-ldap.txt โปรดติดตั้งด้วย pip install -r requirements-ldap.txt"
        ) from None
    AUTHENTICATION_BACKENDS.append("accounts.directory.DirectoryBackend")
    AUTH_LDAP_SERVER_URI = PMQA_LDAP_URL
    AUTH_LDAP_START_TLS = env.bool("PMQA_LDAP_START_TLS", default=False)
    AUTH_LDAP_BIND_DN = env.str("PMQA_LDAP_BIND_DN", default="")
    AUTH_LDAP_BIND_PASSWORD = environment.secret(env, "PMQA_LDAP_BIND_PASSWORD")
    AUTH_LDAP_USER_SEARCH = LDAPSearch(
        env.str("PMQA_LDAP_BASE", default=""),
        ldap.SCOPE_SUBTREE,
        env.str("PMQA_LDAP_FILTER", default="(|(uid=%(user)s)(mail=%(user)s))"),
    )
    AUTH_LDAP_NO_NEW_USERS = True
    AUTH_LDAP_CONNECTION_OPTIONS = {ldap.OPT_NETWORK_TIMEOUT: 5, ldap.OPT_TIMEOUT: 5, ldap.OPT_REFERRALS: 0}
ACCOUNT_REAUTHENTICATION_METHODS = ("password",)
MFA_ADAPTER = "accounts.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_TOLERANCE = 1  # periods of 30 seconds that the clock of a phone may be wrong
# Roles that must have a second factor: names of groups, and "administrator".
PMQA_REQUIRE_SECOND_FACTOR = environment.names(
    env, "PMQA_REQUIRE_SECOND_FACTOR", allowed=("staff", "management", "coordinator", "assessor", "administrator")
)

LANGUAGE_CODE = "th"
LANGUAGES = [("th", "ไทย"), ("en", "English")]
# `libraries` adds translations that the libraries lack; it is edited by hand, not by `makemessages`.
LOCALE_PATHS = [BASE_DIR / "locale", BASE_DIR / "locale" / "libraries"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = environment.time_zone(env, "TIME_ZONE", default="Asia/Bangkok")

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Evidence ("default") and files prepared in the background, on the local disk or in an S3-compatible service. No URL
# serves them: MEDIA_URL is not set, and views check who may have a file.
MEDIA_ROOT = DATA_DIR / "evidence"
STORAGES = {
    **environment.storages(env, "STORAGE_URL", folders={"default": MEDIA_ROOT, "prepared": DATA_DIR / "prepared"}),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_ALLOW_ALL_ORIGINS = False  # no other site needs our scripts and fonts

# Where `manage.py backup` puts backups, and how many of the last days, weeks and months it keeps.
PMQA_BACKUP_DIR = Path(env.str("PMQA_BACKUP_DIR", default="") or DATA_DIR / "backups")
PMQA_BACKUPS_KEPT = environment.whole_numbers(env, "PMQA_BACKUPS_KEPT", default="7,5,12", count=3, most=1000)

EMAIL_CONFIG = environment.email(env, "EMAIL_URL")
vars().update(EMAIL_CONFIG)
# Start of the links in mails; a command has no request to take it from.
SITE_URL = environment.site_url(env, "SITE_URL") or (f"http://127.0.0.1:{PORT}" if IS_ON_THIS_MACHINE else "")
# How long the link of an invitation works; its token is one of Django's password reset.
PMQA_INVITATION_DAYS = environment.whole_number(env, "PMQA_INVITATION_DAYS", default=7, least=1, most=90)
PASSWORD_RESET_TIMEOUT = PMQA_INVITATION_DAYS * 24 * 3600
PMQA_RESET_HOURS = environment.whole_number(env, "PMQA_RESET_HOURS", default=4, least=1, most=72)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="pmqa-tracker@localhost")

# Security. A demonstration on this machine uses HTTP; every other installation must use HTTPS.
SECURE_SSL = env.bool("SECURE_SSL", default=not (DEBUG or PMQA_DEMO))
SECURE_SSL_REDIRECT = SECURE_SSL
SESSION_COOKIE_SECURE = SECURE_SSL
CSRF_COOKIE_SECURE = SECURE_SSL
LANGUAGE_COOKIE_SECURE = SECURE_SSL
# Browsers remember HSTS, so a site that may have to go back to HTTP begins with few seconds.
HSTS_SECONDS = environment.whole_number(env, "HSTS_SECONDS", default=31_536_000, least=0, most=63_072_000)
SECURE_HSTS_SECONDS = HSTS_SECONDS if SECURE_SSL else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_SUBDOMAINS", default=True)
SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", default=False)
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W005", "security.W021"]  # HSTS is the administrator's choice
PMQA_BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
if PMQA_BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_HTTPONLY = True
# A login ends after this time without use, and after so many hours in any case (accounts/sessions/).
SESSION_ENGINE = "accounts.sessions.store"
PMQA_IDLE_MINUTES = environment.whole_number(env, "PMQA_IDLE_MINUTES", default=120, least=5, most=24 * 60)
PMQA_LOGIN_HOURS = environment.whole_number(env, "PMQA_LOGIN_HOURS", default=12, least=1, most=24 * 30)
SESSION_COOKIE_AGE = PMQA_LOGIN_HOURS * 3600
# Browsers share cookies between all ports of a host, so sites on one host need different cookie names.
COOKIE_SUFFIX = environment.cookie_suffix(SECRET_KEY, *((DATA_DIR.resolve(), PORT) if IS_ON_THIS_MACHINE else ()))
SESSION_COOKIE_NAME = f"sessionid_{COOKIE_SUFFIX}"
CSRF_COOKIE_NAME = f"csrftoken_{COOKIE_SUFFIX}"
LANGUAGE_COOKIE_NAME = f"language_{COOKIE_SUFFIX}"
COLUMNS_COOKIE_NAME = f"columns_{COOKIE_SUFFIX}"  # the columns of the list of actions, see plan/actions/columns.py
MESSAGE_COOKIE_NAME = f"messages_{COOKIE_SUFFIX}"
MESSAGE_STORAGE = "pmqa_tracker.messages.MessageStorage"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],  # Bootstrap's CSS draws arrows and ticks as data: images
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

IMPORT_EXPORT_USE_TRANSACTIONS = True
IMPORT_EXPORT_SKIP_ADMIN_LOG = False
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True
IMPORT_EXPORT_ESCAPE_ILLEGAL_CHARS_ON_EXPORT = True
SIMPLE_HISTORY_HISTORY_CHANGE_REASON_USE_TEXT_FIELD = True

# Largest file of evidence (plan/evidence/kinds.py); the rest of a larger upload is not stored.
PMQA_EVIDENCE_MB = environment.whole_number(env, "PMQA_EVIDENCE_MB", default=25, least=1, most=1000)
FILE_UPLOAD_HANDLERS = [
    "pmqa_tracker.upload_limit.SmallUploadHandler",
    "pmqa_tracker.upload_limit.CappedUploadHandler",
]
# Only the first files are stored (pmqa_tracker/upload_limit.py), so that the form itself refuses too many.
DATA_UPLOAD_MAX_NUMBER_FILES = 1_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # a long list has a choice for each row

# Long work runs in background tasks (pmqa_tracker/tasks/), and so do the workbooks of a plan with more actions than
# PMQA_LONG_PLAN. Their files, and uploads that wait or have errors, are kept for PMQA_KEPT_HOURS.
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
PMQA_LONG_PLAN = environment.whole_number(env, "PMQA_LONG_PLAN", default=600, least=1, most=1_000_000)
PMQA_KEPT_HOURS = environment.whole_number(env, "PMQA_KEPT_HOURS", default=24, least=1, most=24 * 30)

# The Word template of the meeting pack (docs/meeting-template.md); a relative path starts at the project folder.
PMQA_MEETING_TEMPLATE = BASE_DIR / (env.str("PMQA_MEETING_TEMPLATE", default="") or "reports/meeting/template.docx")

# Seconds between two reloads of a live page.
PMQA_LIVE_SECONDS = environment.whole_number(env, "PMQA_LIVE_SECONDS", default=30, least=5, most=3600)
# Days for which the log of logins is kept, from each event on (audit/). Thai law asks for 90 days at least.
PMQA_LOGIN_LOG_DAYS = environment.whole_number(env, "PMQA_LOGIN_LOG_DAYS", default=180, least=90, most=3650)
# Health of an action (design §4): progress as a share of the progress expected by the day.
PMQA_ON_TRACK = environment.fraction(env, "PMQA_ON_TRACK", default=0.95)
PMQA_SLIPPING = environment.fraction(env, "PMQA_SLIPPING", default=0.85)

# Health (operations/): who sees the details of /readyz, besides this machine; free space that the disks need.
PMQA_HEALTH_TOKEN = environment.secret(env, "PMQA_HEALTH_TOKEN")
PMQA_HEALTH_ADDRESSES = environment.networks(env, "PMQA_HEALTH_ADDRESSES")
PMQA_DISK_FREE_MB = environment.whole_number(env, "PMQA_DISK_FREE_MB", default=500, least=1, most=10_000_000)

LOG_FORMAT = environment.choice(env, "LOG_FORMAT", "json", "text", default="text" if IS_ON_THIS_MACHINE else "json")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request": {"()": "pmqa_tracker.log_format.RequestFilter"}},
    "formatters": {
        "json": {"()": "pmqa_tracker.log_format.JsonFormatter"},
        "text": {"()": "pmqa_tracker.log_format.TextFormatter"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "filters": ["request"], "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        # By default Django only mails errors in production; administrators look in the log first.
        "django.request": {"handlers": ["console"], "level": "ERROR", "propagate": False},
        # A wrong Host header is answered with 400; it is not worth a stack trace.
        "django.security.DisallowedHost": {"handlers": [], "propagate": False},
        # A line for each request; on a terminal it would hide the accounts of the demonstration.
        "pmqa.request": {"level": "INFO" if LOG_FORMAT == "json" else "WARNING"},
        "gunicorn.error": {
            "handlers": ["console"],
            "level": "INFO" if LOG_FORMAT == "json" else "WARNING",
            "propagate": False,
        },
    },
}
