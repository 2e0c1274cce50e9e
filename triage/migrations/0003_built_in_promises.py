"""The promises that hold for every ruleset, and the trigger that lets nobody change or remove them."""

from django.db import migrations

EMERGENCY = {
    "any": [
        {"field": "signal.emergency", "op": "is", "value": True},
        {"field": "notice.shown", "op": "is", "value": True},
    ]
}
BUILT_IN = [
    (
        "An emergency goes to clinicians",
        EMERGENCY,
        {"field": "decision.queue", "op": "not_in", "value": ["@clinical"]},
        "Whoever reads it first must be able to judge it.",
    ),
    (
        "An emergency is urgent and stays so",
        EMERGENCY,
        {"field": "decision.floor", "op": "lt", "value": "urgent"},
        "The safety stage sets it, so nothing later can lower it.",
    ),
    (
        "Words that nobody could screen are read soon",
        {"field": "text.unscreened", "op": "is", "value": True},
        {"field": "decision.urgency", "op": "lt", "value": "soon"},
        "A person reads what the machine could not.",
    ),
]

FORWARD = """
CREATE FUNCTION triage_built_in_promise_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A built-in promise can''t be changed or removed.' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER built_in_promise_stays BEFORE UPDATE OR DELETE ON triage_promise
    FOR EACH ROW WHEN (OLD.built_in) EXECUTE FUNCTION triage_built_in_promise_stays();
"""
BACKWARD = """
DROP TRIGGER built_in_promise_stays ON triage_promise;
DROP FUNCTION triage_built_in_promise_stays();
"""


def add(apps, schema_editor):
    Promise = apps.get_model("triage", "Promise")
    for name, whenever, never, note in BUILT_IN:
        Promise.objects.create(built_in=True, name=name, whenever=whenever, never=never, note=note)
    # What the foreign keys still want to check would keep the trigger from being made.
    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def remove(apps, schema_editor):
    apps.get_model("triage", "Promise").objects.filter(built_in=True).delete()
    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Migration(migrations.Migration):
    dependencies = [("triage", "0002_promises_and_proofs")]
    operations = [migrations.RunPython(add, remove), migrations.RunSQL(FORWARD, BACKWARD)]
