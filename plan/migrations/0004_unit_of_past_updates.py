"""Whose past updates were: the unit of an author who is a member of one only; of others it stays untold."""

from django.db import migrations
from django.db.models import Count, OuterRef, Subquery


def fill(apps, schema_editor):
    Membership = apps.get_model("assignments", "Membership")
    User = apps.get_model("pmqa_tracker", "User")
    members_of_one = User.objects.annotate(units=Count("memberships")).filter(units=1)
    unit = Membership.objects.filter(user=OuterRef("author")).values("unit")[:1]
    untold = apps.get_model("plan", "ProgressUpdate").objects.filter(unit=None)
    untold.filter(author__in=members_of_one).update(unit=Subquery(unit))


class Migration(migrations.Migration):
    dependencies = [
        ("plan", "0003_staff_work"),
        ("assignments", "0001_initial"),
        ("pmqa_tracker", "0001_initial"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
