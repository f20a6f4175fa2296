from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from exchange.seeding import add_roles


class ExchangeConfig(AppConfig):
    name = "exchange"
    verbose_name = _("Workbooks")

    def ready(self) -> None:
        """Add the roles after `migrate`, once the permissions of every app exist."""
        last = [config for config in apps.get_app_configs() if config.models_module][-1]
        post_migrate.connect(add_roles, sender=last, dispatch_uid="exchange.roles")
