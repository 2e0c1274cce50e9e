"""The refusal of a task in a retired queue has a name, by which the action knows to look for the queue again."""

from django.db import migrations

FUNCTION = """
CREATE OR REPLACE FUNCTION queues_task_in_live_queue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Only where a task comes into a queue: claims and replies pay nothing.
    IF NEW.state IN ('resolved', 'withdrawn') THEN RETURN NEW; END IF;
    IF TG_OP = 'UPDATE' AND NEW.queue_id = OLD.queue_id AND NEW.asked_queue_id IS NOT DISTINCT FROM OLD.asked_queue_id
        AND OLD.state NOT IN ('resolved', 'withdrawn') THEN RETURN NEW; END IF;
    -- The lock comes first: a retirement that runs at this moment is waited for, and then seen.
    PERFORM 1 FROM queues_queue WHERE id IN (NEW.queue_id, NEW.asked_queue_id) ORDER BY id FOR SHARE;
    IF EXISTS (SELECT 1 FROM queues_queue WHERE id IN (NEW.queue_id, NEW.asked_queue_id) AND retired_at IS NOT NULL) THEN
        RAISE EXCEPTION 'This queue is retired; an open task can''t be in it.'
            USING ERRCODE = 'check_violation'%s;
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("queues", "0005_beside_the_task")]
    operations = [migrations.RunSQL(FUNCTION % ", CONSTRAINT = 'task_in_live_queue'", FUNCTION % "")]
