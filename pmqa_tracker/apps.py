"""App configuration of the frame: what all rooms share."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FrameConfig(AppConfig):
    name = "pmqa_tracker"
    verbose_name = _("People and roles")
