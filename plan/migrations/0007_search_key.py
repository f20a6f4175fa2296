"""Actions are searched by a key that folds more spellings: each gets its new one."""

from django.db import migrations

from pmqa_tracker import thai


def fill(apps, schema_editor):
    actions = apps.get_model("plan", "ActionItem").objects
    for pk, ref, text in actions.values_list("pk", "ref", "text"):
        actions.filter(pk=pk).update(search_text=thai.search_key(f"{ref} {text}"))


class Migration(migrations.Migration):
    dependencies = [("plan", "0006_workbook_import")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
