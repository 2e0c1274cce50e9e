"""The standing work of the workers: sending what the outbox holds, whatever a crash left in it."""

from django.db import migrations

from portal.people.standing import standing


class Migration(migrations.Migration):
    dependencies = [("people", "0001_initial"), ("django_q", "0018_task_success_index")]
    operations = [standing("send due mail", "portal.people.tasks.sweep_mail")]
