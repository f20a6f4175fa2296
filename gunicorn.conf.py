"""gunicorn settings; gunicorn reads this file when it starts in this folder. Command line options override it."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

worker_class = "pmqa_tracker.server.Worker"
workers = 2
threads = 4
limit_request_line = 8190  # gunicorn's maximum; the site refuses long URLs itself (pmqa_tracker/too_large.py)


def on_starting(server: Any) -> None:
    """Stop at a wrong setting with its message, before any worker starts: gunicorn would print a traceback for each."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pmqa_tracker.settings")
    try:
        settings.INSTALLED_APPS  # noqa: B018 - reads the settings
    except ImproperlyConfigured as error:
        sys.exit(str(error))
