"""The standing work of the workers: counting for the figures what changed."""

from django.db import migrations

STANDING = {"triage: count what changed": "triage.tasks.count_changes"}


def add(apps, schema_editor):
    Schedule = apps.get_model("django_q", "Schedule")
    for name, func in STANDING.items():
        Schedule.objects.update_or_create(
            name=name, defaults={"func": func, "schedule_type": "I", "minutes": 1}
        )


def remove(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.filter(name__in=STANDING).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("triage", "0004_unscreened_files"),
        ("queues", "0014_marks"),
        ("django_q", "0018_task_success_index"),
    ]
    operations = [migrations.RunPython(add, remove)]
