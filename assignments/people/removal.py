"""People who did anything are never removed: they are deactivated, and their names stay at what they did."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.db.models import PROTECT, ProtectedError
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from assignments.models import User
from assignments.people.record import recorded_people
from pmqa_tracker.transactions import write_transaction


@receiver(pre_delete, sender=User, dispatch_uid="assignments.people.removal")
def _keep_log_of_admin(instance: User, **kwargs: Any) -> None:
    """Refuse to remove a user whose changes Django's admin has logged: its own rule removes the log with the user.

    Raises:
        ProtectedError: there is such a change.
    """
    if entries := list(LogEntry.objects.filter(user=instance)[:1]):
        raise ProtectedError("A user who changed records stays.", set(entries))


def acts_of(people: Iterable[User]) -> list[str]:
    """Return what names these people as its author, such as "Progress updates: 12"; empty if nothing does."""
    keys = [person.pk for person in people]
    relations = [each for each in User._meta.get_fields(include_hidden=True) if each.auto_created and each.one_to_many]
    found: dict[str, int] = {}
    for relation in relations:
        model = relation.related_model
        if relation.on_delete is PROTECT or model is LogEntry:
            count = model._base_manager.filter(**{f"{relation.field.name}__in": keys}).count()
            name = str(capfirst(model._meta.verbose_name_plural))
            found[name] = found.get(name, 0) + count
    return [f"{name}: {count}" for name, count in found.items() if count]


class DeactivatesPeople:
    """An admin of people that offers to deactivate those who cannot be removed."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        """Return what a removal takes with it; for people who acted what stands against it, counted."""
        if acts := acts_of(objs):
            return [], {}, set(), acts
        return super().get_deleted_objects(objs, request)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask before removing a person, remove them, or deactivate them instead."""
        if request.method == "POST" and "deactivate" in request.POST:
            person = self.get_object(request, unquote(object_id))
            if person and self.has_change_permission(request, person):
                return self._deactivate(request, person)
        return super().delete_view(request, object_id, extra_context)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        with recorded_people([obj.pk]):
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        with write_transaction(), recorded_people(queryset.values_list("pk", flat=True)):
            super().delete_queryset(request, queryset)

    def _deactivate(self, request: HttpRequest, person: User) -> HttpResponse:
        if person == request.user:
            messages.error(request, _("You cannot deactivate your own account."))
        else:
            with write_transaction(), recorded_people([person.pk]):
                person.is_active = False
                person.save(update_fields=["is_active"])
                self.log_change(request, person, [{"changed": {"fields": ["is_active"]}}])
            text = _("%(person)s is deactivated: the account cannot log in, and what it recorded stays under its name.")
            messages.success(request, text % {"person": person})
        return redirect("admin:assignments_user_changelist")
