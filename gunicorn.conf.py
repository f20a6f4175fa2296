"""gunicorn settings; gunicorn reads this file when it starts in this folder. Command line options override it."""

import gc
import logging.config
import os
import sys
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

worker_class = "pmqa_tracker.server.Worker"
workers = 2
threads = 4
GARBAGE_THRESHOLD = 20_000  # new objects between two searches; Python's default is 700
limit_request_line = 8190  # gunicorn's maximum; the site refuses long URLs itself (pmqa_tracker/too_large.py)


def on_starting(server: Any) -> None:
    """Stop at a wrong setting with its message, before any worker starts: gunicorn would print a traceback for each.

    From then on, gunicorn's own messages have the format of the site's log.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pmqa_tracker.settings")
    try:
        logging.config.dictConfig(settings.LOGGING)
    except ImproperlyConfigured as error:
        sys.exit(str(error))


def post_worker_init(worker: Any) -> None:
    """Keep the files of SQLite's log while the process lives, and look for garbage in new objects only, less often.

    The release is part of the key of kept pages, which servers may share. It is read here: later, an update may have
    put other files there, and a page of this code would be kept for the new one.

    The code and the templates stay for good; searching them for cycles again and again costs a tenth of each page.
    """
    from pmqa_tracker.database import hold_open
    from pmqa_tracker.page_cache import version

    version()
    worker.database = hold_open(settings.DATABASES["default"])
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD, 20, 20)
