from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "operations"

    def ready(self) -> None:
        from operations.doctor import settings_checks  # noqa: F401 - registers the checks
