"""Counts the changes of tables that every request reads, so that processes may keep what they read of them."""

from django.db import migrations

from portal.people.reference import counted

FORWARD = """
CREATE SEQUENCE people_reference_number;
CREATE TABLE people_reference_stamp (
    name text PRIMARY KEY,
    value bigint NOT NULL DEFAULT nextval('people_reference_number')
);
-- As the owner: whoever serves may read the numbers and never set one.
CREATE FUNCTION people_reference_changed() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE people_reference_stamp SET value = nextval('people_reference_number') WHERE name = TG_TABLE_NAME;
    RETURN NULL;
END $$;
"""
BACKWARD = """
DROP FUNCTION people_reference_changed();
DROP TABLE people_reference_stamp;
DROP SEQUENCE people_reference_number;
"""


# Of all rooms, in one place: what is counted is one list.
TABLES = (
    "people_calendar",
    "people_closure",
    "people_facility",
    "people_program",
    "queues_queue",
    "queues_servicetarget",
    "triage_ruleset",
    "triage_answersource",
    "intake_questionnaire",
    "intake_version",
    "intake_requesttype",
)


class Migration(migrations.Migration):
    dependencies = [
        ("shell", "0001_demo_clinic"),
        ("people", "0003_programs"),
        ("queues", "0001_initial"),
        ("triage", "0001_initial"),
        ("intake", "0001_initial"),
    ]
    operations = [migrations.RunSQL(FORWARD, BACKWARD), migrations.RunSQL(*counted(*TABLES))]
