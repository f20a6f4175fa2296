"""No models: Django imports this file when it starts, which registers the checks of the settings."""

from operations.doctor import settings_checks  # noqa: F401
