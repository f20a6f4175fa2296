"""WSGI entry point of the floor; DJANGO_SETTINGS_MODULE names its settings."""

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
