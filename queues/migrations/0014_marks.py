"""Whatever changes what a task counts for leaves a mark in the same transaction, whoever wrote it and how."""

from django.db import migrations

# ruff: noqa: S608 - every name that is put into SQL here is from this module.

# By table: on which statements, and which tasks the new rows touch.
MARKED = {
    "queues_step": ("INSERT", "SELECT task_id FROM fresh"),
    "queues_assessment": ("INSERT", "SELECT task_id FROM fresh"),
    "queues_formerrouting": (
        "INSERT",
        "SELECT t.id FROM fresh JOIN queues_task t ON t.decision_id = fresh.decision_id",
    ),
    # Who moves to another place, or reads another language, takes their requests along.
    "people_patient": (
        "UPDATE",
        """SELECT t.id FROM fresh JOIN stale ON stale.id = fresh.id
            AND (stale.facility_id, stale.language) IS DISTINCT FROM (fresh.facility_id, fresh.language)
            JOIN queues_conversation c ON c.patient_id = fresh.id JOIN queues_task t ON t.conversation_id = c.id""",
    ),
}


def _forward() -> str:
    parts = []
    for table, (event, touched) in MARKED.items():
        old = "OLD TABLE AS stale " if event == "UPDATE" else ""
        parts.append(
            f"""
CREATE FUNCTION queues_mark_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO queues_measuremark (task_id) SELECT DISTINCT found.task FROM ({touched}) found (task);
    RETURN NULL;
END $$;
CREATE TRIGGER mark_measures AFTER {event} ON {table}
    REFERENCING {old}NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION queues_mark_{table}();
"""
        )
    return "".join(parts)


def _backward() -> str:
    return "".join(
        f"DROP TRIGGER mark_measures ON {table}; DROP FUNCTION queues_mark_{table}();" for table in MARKED
    )


def mark_all(apps, schema_editor):
    """What is there from before is counted by the worker, bit by bit."""
    schema_editor.execute("INSERT INTO queues_measuremark (task_id) SELECT id FROM queues_task ORDER BY id")


class Migration(migrations.Migration):
    dependencies = [
        ("queues", "0013_measures"),
        ("people", "0010_guidance"),
    ]
    operations = [
        migrations.RunSQL(_forward(), _backward()),
        migrations.RunPython(mark_all, migrations.RunPython.noop),
    ]
