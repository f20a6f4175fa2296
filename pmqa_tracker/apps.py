"""App configuration of the frame: what all rooms share."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from pmqa_tracker.append_only_triggers import install


class FrameConfig(AppConfig):
    name = "pmqa_tracker"
    verbose_name = _("People and roles")

    def ready(self) -> None:
        """Keep the triggers of append-only tables in place."""
        post_migrate.connect(install, sender=self, dispatch_uid="pmqa_tracker.append_only")
