"""People who did anything stay: the admin deactivates them instead of removing them."""

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models import PROTECT, ProtectedError
from django.urls import reverse

from assignments.models import User
from plan.models import ProgressUpdate
from tests.factories import ProgressUpdateFactory, UserFactory

pytestmark = pytest.mark.django_db

# What belongs to an account and goes with it, instead of telling what the person did. The log of Django's admin has a
# rule of its own, in `assignments.people.removal`.
OF_THE_ACCOUNT = {
    "assignments.Invitation.person", "assignments.Membership.user", "assignments.User_groups.user",
    "assignments.User_user_permissions.user", "worklist.Reminder.user", "admin.LogEntry.user",
}  # fmt: skip
LOGINS = {"account", "accounts", "mfa", "socialaccount"}  # attempts, addresses, second factors, accounts elsewhere


def test_every_relation_to_a_user_protects_them():
    weak = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.concrete_fields
        if field.related_model is User and field.remote_field.on_delete is not PROTECT
        if model._meta.app_label not in LOGINS
    }
    assert weak == OF_THE_ACCOUNT


def test_admin_deactivates_a_person_who_reported(client):
    client.force_login(UserFactory(is_superuser=True, is_staff=True))
    author = ProgressUpdateFactory(author__first_name="สมชาย").author
    page = reverse("admin:assignments_user_delete", args=[author.pk])
    shown = client.get(page).content.decode()
    assert ": 1</li>" in shown
    assert 'name="deactivate"' in shown
    client.post(page, {"post": "yes"})
    assert User.objects.get(pk=author.pk).is_active
    answer = client.post(page, {"deactivate": "1"}, follow=True)
    assert "สมชาย" in answer.content.decode()
    assert not User.objects.get(pk=author.pk).is_active
    assert ProgressUpdate.objects.get().author == author
    assert 'name="deactivate"' not in client.get(page).content.decode()
    chosen = {"action": "delete_selected", "_selected_action": author.pk, "post": "yes"}
    client.post(reverse("admin:assignments_user_changelist"), chosen)
    assert User.objects.filter(pk=author.pk).exists()


def test_a_person_who_only_changed_records_in_the_admin_stays_too():
    person = UserFactory()
    LogEntry.objects.create(user=person, action_flag=1)
    with pytest.raises(ProtectedError), transaction.atomic():
        person.delete()
    fresh = UserFactory(roles=["staff"])
    fresh.delete()
    assert not User.objects.filter(pk=fresh.pk).exists()
