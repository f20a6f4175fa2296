"""No models: Django imports this file when it starts, which registers the checks of the settings and the chores."""

from operations import summaries  # noqa: F401
from operations.doctor import settings_checks  # noqa: F401
