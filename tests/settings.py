"""Settings for tests: those of the site, with a temporary database and data folder, without `.env`."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from django.core.management.utils import get_random_secret_key

folder = Path(tempfile.mkdtemp(prefix="pmqa-tests-"))
atexit.register(shutil.rmtree, folder, ignore_errors=True)
os.environ |= {
    "PMQA_ENV_FILE": "",
    "SECRET_KEY": get_random_secret_key(),
    "DATA_DIR": str(folder),
    "DATABASE_URL": os.environ.get("TEST_DATABASE_URL", f"sqlite:///{folder}/db.sqlite3"),
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "SECURE_SSL": "False",
    "EMAIL_URL": "memorymail://",
    "LOG_FORMAT": "text",
    # Playwright's event loop runs in the thread of the tests, where Django would refuse every query. Set for all
    # tests, so that none depends on whether a browser is open in its worker.
    "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
}
for name in ("DEBUG", "PMQA_DEMO", "PMQA_DEMO_PASSWORD", "PMQA_TODAY", "TIME_ZONE", "BEHIND_PROXY", "PORT"):
    os.environ.pop(name, None)

from pmqa_tracker.settings import *  # noqa: E402, F403
from pmqa_tracker.settings import DATABASES, SILENCED_SYSTEM_CHECKS, STORAGES  # noqa: E402

# A file, not memory, so that threads and the live server see the same database, as in production.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": str(folder / "test.sqlite3")}
    DATABASES["default"]["OPTIONS"]["init_command"] += " PRAGMA synchronous=OFF;"  # nothing is kept
DATABASES["default"]["CONN_MAX_AGE"] = 0
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
STATIC_ROOT = folder  # tests collect no static files
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LANGUAGE_COOKIE_NAME = "django_language"  # tests set the language with it
# Tests see the finished work; tests of background tasks queue it.
TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}
SILENCED_SYSTEM_CHECKS = [*SILENCED_SYSTEM_CHECKS, "async.E001"]  # DJANGO_ALLOW_ASYNC_UNSAFE is set above
