"""App configuration of the frame: what all rooms share."""

from django.apps import AppConfig
from django.core.signals import request_started
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from pmqa_tracker import lookups  # noqa: F401  registers them
from pmqa_tracker.append_only_triggers import install
from pmqa_tracker.kept_connections import close_moved, note_place


class FrameConfig(AppConfig):
    name = "pmqa_tracker"
    verbose_name = _("People and roles")

    def ready(self) -> None:
        """Keep the triggers of append-only tables in place, and look after kept connections."""
        connection_created.connect(note_place)
        request_started.connect(close_moved)
        post_migrate.connect(install, sender=self, dispatch_uid="pmqa_tracker.append_only")
