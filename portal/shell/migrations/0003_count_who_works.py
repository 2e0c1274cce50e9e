"""Counts, too, the changes of who works which queue, and of checklists."""

from django.db import migrations

from portal.people.reference import counted

TABLES = (
    "people_staffrole",
    "people_user_groups",
    "queues_queuegrouppermission",
    "queues_protocol",
)
# Of people, only that somebody may come in or not: a log-in writes its time into the same row.
LOCKED_OUT = counted("people_user", events="UPDATE OF is_active OR DELETE OR TRUNCATE")


class Migration(migrations.Migration):
    dependencies = [
        ("shell", "0002_reference_stamp"),
        ("people", "0001_initial"),
        ("queues", "0005_beside_the_task"),
    ]
    operations = [migrations.RunSQL(*counted(*TABLES)), migrations.RunSQL(*LOCKED_OUT)]
