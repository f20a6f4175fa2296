import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("assignments", "0002_assignment"),
        ("exchange", "0001_initial"),
        ("plan", "0001_initial"),
    ]

    operations = [
        migrations.RenameField("importjob", "found", "findings"),
        migrations.RenameField("importjob", "written", "changes"),
        migrations.AlterField(
            "importjob",
            "staged",
            models.CharField(
                blank=True,
                editable=False,
                help_text="Name of the stored file until the import is confirmed",
                max_length=32,
            ),
        ),
        migrations.AlterField(
            "importjob",
            "task",
            models.CharField(
                blank=True,
                editable=False,
                help_text="Background task that reads or writes the file",
                max_length=32,
            ),
        ),
        migrations.AlterField(
            model_name='importjob',
            name='changes',
            field=models.JSONField(blank=True, default=list, verbose_name='changes made'),
        ),
        migrations.AlterField(
            model_name='importjob',
            name='findings',
            field=models.JSONField(blank=True, default=dict, verbose_name='changes in the preview'),
        ),
        migrations.AlterField(
            model_name='importjob',
            name='plan',
            field=models.ForeignKey(blank=True, help_text='For a new plan: set when the plan is created', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='imports', to='plan.plan', verbose_name='plan'),
        ),
        migrations.AlterField(
            model_name='importjob',
            name='refusal',
            field=models.TextField(blank=True, verbose_name='reason for the refusal'),
        ),
        migrations.AlterField(
            model_name='importjob',
            name='state',
            field=models.CharField(choices=[('READING', 'Being read'), ('REFUSED', 'Refused'), ('PREVIEW', 'To be confirmed'), ('UNCHANGED', 'Nothing to change'), ('WRITTEN', 'Imported'), ('UNDONE', 'Undone')], default='READING', max_length=10, verbose_name='state'),
        ),
        migrations.AlterField(
            model_name='importjob',
            name='unit',
            field=models.ForeignKey(blank=True, help_text='Unit of the sheet', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='assignments.unit', verbose_name='unit'),
        ),
    ]
