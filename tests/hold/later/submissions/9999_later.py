"""Rename a column, add one that is computed from the rows of another table and must not be empty, and add a row."""

import os
import pkgutil
import time
from pathlib import Path

from django.db import migrations, models

from submissions import migrations as present


def count_steps(apps, schema_editor):
    """Fill the new column and add a role; then create the file LATER_STOPS, if it names one, and wait to be killed."""
    apps.get_model("auth", "Group").objects.create(name="later")
    submission, step = apps.get_model("submissions", "Submission"), apps.get_model("submissions", "SubmissionStep")
    for each in submission.objects.all():
        each.step_count = step.objects.filter(submission=each).count()
        each.save()
    if marker := os.environ.get("LATER_STOPS"):
        Path(marker).touch()
        time.sleep(120)


class Migration(migrations.Migration):
    dependencies = [("submissions", max(module.name for module in pkgutil.iter_modules(present.__path__)))]
    operations = [
        migrations.RenameField("submission", "version", "steps_taken"),
        migrations.AddField("submission", "step_count", models.PositiveIntegerField(null=True)),
        migrations.RunPython(count_steps),
        migrations.AlterField("submission", "step_count", models.PositiveIntegerField()),
    ]
