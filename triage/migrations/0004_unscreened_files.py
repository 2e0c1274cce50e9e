"""The promise about photos and files that came beside the one about words."""

from django.db import migrations

NAME = "A photo or file that nobody has looked at is marked"


def add(apps, schema_editor):
    apps.get_model("triage", "Promise").objects.create(
        built_in=True,
        name=NAME,
        whenever={"field": "file.unscreened", "op": "is", "value": True},
        never={"field": "decision.tags", "op": "excludes", "value": ["not-screened"]},
        note="No machine reads photos, so a person must know that one is there.",
    )
    # What the foreign keys still want to check would keep later changes of the table from being made.
    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def remove(apps, schema_editor):
    schema_editor.execute("ALTER TABLE triage_promise DISABLE TRIGGER built_in_promise_stays")
    apps.get_model("triage", "Promise").objects.filter(built_in=True, name=NAME).delete()
    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    schema_editor.execute("ALTER TABLE triage_promise ENABLE TRIGGER built_in_promise_stays")


class Migration(migrations.Migration):
    dependencies = [("triage", "0003_built_in_promises")]
    operations = [migrations.RunPython(add, remove)]
