"""WSGI entry point; gunicorn serves `pmqa_tracker.wsgi:application`."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pmqa_tracker.settings")

try:
    application = get_wsgi_application()
except ImproperlyConfigured as error:
    sys.stderr.write(f"{error}\n")
    sys.exit(4)  # gunicorn's "application cannot be loaded", at which it stops; after other codes it retries forever
