"""The standing work of the workers: counting for the figures what changed."""

from django.db import migrations

from portal.people.standing import standing


class Migration(migrations.Migration):
    dependencies = [
        ("triage", "0004_unscreened_files"),
        ("queues", "0014_marks"),
        ("django_q", "0018_task_success_index"),
    ]
    operations = [standing("triage: count what changed", "triage.tasks.count_changes")]
