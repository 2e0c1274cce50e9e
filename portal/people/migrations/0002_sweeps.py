"""The standing work of the workers: sending what the outbox holds, whatever a crash left in it."""

from django.db import migrations

SWEEPS = {"send due mail": "portal.people.tasks.sweep_mail"}


def add(apps, schema_editor):
    Schedule = apps.get_model("django_q", "Schedule")
    for name, func in SWEEPS.items():
        Schedule.objects.update_or_create(
            name=name, defaults={"func": func, "schedule_type": "I", "minutes": 1}
        )


def remove(apps, schema_editor):
    apps.get_model("django_q", "Schedule").objects.filter(name__in=SWEEPS).delete()


class Migration(migrations.Migration):
    dependencies = [("people", "0001_initial"), ("django_q", "0018_task_success_index")]
    operations = [migrations.RunPython(add, remove)]
