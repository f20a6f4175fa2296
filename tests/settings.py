"""Settings of the tests: the site's own, on a throw-away database and folder, with nothing read from `.env`."""

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
}
for name in ("DEBUG", "PMQA_DEMO", "PMQA_DEMO_PASSWORD", "PMQA_TODAY", "TIME_ZONE", "BEHIND_PROXY", "PORT"):
    os.environ.pop(name, None)

from pmqa_tracker.settings import *  # noqa: E402, F403
from pmqa_tracker.settings import DATABASES, STORAGES  # noqa: E402

# A file, not memory: threads and the browser's server see the same database, as in life.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": str(folder / "test.sqlite3")}
DATABASES["default"]["CONN_MAX_AGE"] = 0
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
STATIC_ROOT = folder  # nothing is collected for tests
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LANGUAGE_COOKIE_NAME = "django_language"  # a test chooses the language by it
PMQA_TASKS_IN_BACKGROUND = False  # a test sees what was done; those of the background turn it on
