"""Every open task is in a live queue that has somebody to work it: none goes into another, and the last one stays.

Whose role ends with a day is no change of a row: the nightly check reports it. Tasks from before get a clock of their leg.
"""

from django.db import migrations

from portal.people.standing import standing

STAFFED = """
CREATE FUNCTION queues_is_staffed(queue bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM queues_queue q
        JOIN people_user_groups m ON m.group_id = q.members_id
        JOIN people_user u ON u.id = m.user_id AND u.is_active
        WHERE q.id = queue AND EXISTS (
            SELECT 1 FROM queues_queuegrouppermission g WHERE g.content_object_id = q.id AND g.group_id = q.members_id
        )
    )
$$;

CREATE OR REPLACE FUNCTION queues_task_in_live_queue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Only where a task comes into a queue: claims and replies pay nothing.
    IF NEW.state IN ('resolved', 'withdrawn') THEN RETURN NEW; END IF;
    IF TG_OP = 'UPDATE' AND NEW.queue_id = OLD.queue_id AND NEW.asked_queue_id IS NOT DISTINCT FROM OLD.asked_queue_id
        AND OLD.state NOT IN ('resolved', 'withdrawn') THEN RETURN NEW; END IF;
    -- The lock comes first: a retirement, or a last member's leaving, that runs at this moment is waited for, and then
    -- seen.
    PERFORM 1 FROM queues_queue WHERE id IN (NEW.queue_id, NEW.asked_queue_id) ORDER BY id FOR SHARE;
    IF EXISTS (SELECT 1 FROM queues_queue WHERE id IN (NEW.queue_id, NEW.asked_queue_id) AND retired_at IS NOT NULL) THEN
        RAISE EXCEPTION 'This queue is retired; an open task can''t be in it.' USING ERRCODE = 'check_violation', CONSTRAINT = 'task_in_live_queue';
    END IF;
    -- Asked only where the task comes in: one whose other queue has lost its people must still be able to leave it.
    IF (TG_OP = 'INSERT' OR NEW.queue_id <> OLD.queue_id OR OLD.state IN ('resolved', 'withdrawn'))
        AND NOT queues_is_staffed(NEW.queue_id) THEN
        RAISE EXCEPTION 'Nobody works this queue; an open task can''t go into it.' USING ERRCODE = 'check_violation', CONSTRAINT = 'task_in_live_queue';
    END IF;
    IF NEW.asked_queue_id IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.asked_queue_id IS DISTINCT FROM OLD.asked_queue_id)
        AND NOT queues_is_staffed(NEW.asked_queue_id) THEN
        RAISE EXCEPTION 'Nobody works this queue; a question can''t go into it.' USING ERRCODE = 'check_violation', CONSTRAINT = 'task_in_live_queue';
    END IF;
    RETURN NEW;
END $$;
"""
# Deferred to the end of the transaction: a change of members first takes all away and then puts them back.
WATCHED = {
    "people_user_groups": ("DELETE OR UPDATE", "q.members_id = OLD.group_id", ""),
    "queues_queuegrouppermission": ("DELETE OR UPDATE", "q.id = OLD.content_object_id", ""),
    "people_user": (
        "UPDATE OF is_active",
        "q.members_id IN (SELECT m.group_id FROM people_user_groups m WHERE m.user_id = OLD.id)",
        "WHEN (OLD.is_active AND NOT NEW.is_active)",
    ),
}


def _leaving(table: str, events: str, which: str, condition: str) -> str:
    function = f"queues_still_staffed_{table}"
    return f"""
CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    queue bigint;
BEGIN
    FOR queue IN SELECT q.id FROM queues_queue q WHERE q.retired_at IS NULL AND {which} ORDER BY q.id LOOP
        PERFORM 1 FROM queues_queue WHERE id = queue FOR UPDATE;
        IF NOT queues_is_staffed(queue) AND EXISTS (
            SELECT 1 FROM queues_task
            WHERE (queue_id = queue OR asked_queue_id = queue) AND state NOT IN ('resolved', 'withdrawn')
        ) THEN
            RAISE EXCEPTION 'This queue holds open tasks, and its last member can''t leave.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'queue_still_staffed';
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER still_staffed AFTER {events} ON {table} DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW {condition} EXECUTE FUNCTION {function}();
"""  # noqa: S608  (our own table names)


EARLIER = """
INSERT INTO queues_leg (task_id, queue_id, entered_at, respond_due, resolve_due)
    SELECT id, queue_id, entered_queue_at, respond_due, resolve_due FROM queues_task
    WHERE state NOT IN ('resolved', 'withdrawn');
UPDATE queues_task SET promised_at = opened_at,
    next_step_at = CASE WHEN state IN ('resolved', 'withdrawn') THEN NULL ELSE now() END;
"""
BACKWARD = """
DROP TRIGGER still_staffed ON people_user_groups;
DROP TRIGGER still_staffed ON queues_queuegrouppermission;
DROP TRIGGER still_staffed ON people_user;
DROP FUNCTION queues_still_staffed_people_user_groups();
DROP FUNCTION queues_still_staffed_queues_queuegrouppermission();
DROP FUNCTION queues_still_staffed_people_user();
CREATE OR REPLACE FUNCTION queues_task_in_live_queue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state IN ('resolved', 'withdrawn') THEN RETURN NEW; END IF;
    PERFORM 1 FROM queues_queue WHERE id IN (NEW.queue_id, NEW.asked_queue_id) ORDER BY id FOR SHARE;
    IF EXISTS (SELECT 1 FROM queues_queue WHERE id IN (NEW.queue_id, NEW.asked_queue_id) AND retired_at IS NOT NULL) THEN
        RAISE EXCEPTION 'This queue is retired; an open task can''t be in it.' USING ERRCODE = 'check_violation', CONSTRAINT = 'task_in_live_queue';
    END IF;
    RETURN NEW;
END $$;
DROP FUNCTION queues_is_staffed(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("queues", "0007_clocks_and_coverage"),
        ("people", "0006_holidays"),
        ("django_q", "0018_task_success_index"),
    ]
    operations = [
        migrations.RunSQL(
            STAFFED + "".join(_leaving(table, *row) for table, row in WATCHED.items()), BACKWARD
        ),
        migrations.RunSQL(EARLIER, migrations.RunSQL.noop),
        standing("queues: look at due tasks", "queues.tasks.sweep"),
        standing("queues: send alerts", "queues.tasks.send_alerts"),
        standing("queues: send digests", "queues.tasks.send_digests", minutes=15),
        standing("queues: check every night", "queues.tasks.check_nightly", nightly=True),
    ]
