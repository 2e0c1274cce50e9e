"""Every open task is in a live queue: no task goes into a retired one, and none is retired while it holds some."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION queues_task_in_live_queue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Only where a task comes into a queue: claims and replies pay nothing.
    IF NEW.state IN ('resolved', 'withdrawn') THEN RETURN NEW; END IF;
    IF TG_OP = 'UPDATE' AND NEW.queue_id = OLD.queue_id AND NEW.asked_queue_id IS NOT DISTINCT FROM OLD.asked_queue_id
        AND OLD.state NOT IN ('resolved', 'withdrawn') THEN RETURN NEW; END IF;
    -- The lock comes first: a retirement that runs at this moment is waited for, and then seen.
    PERFORM 1 FROM queues_queue WHERE id IN (NEW.queue_id, NEW.asked_queue_id) ORDER BY id FOR SHARE;
    IF EXISTS (SELECT 1 FROM queues_queue WHERE id IN (NEW.queue_id, NEW.asked_queue_id) AND retired_at IS NOT NULL) THEN
        RAISE EXCEPTION 'This queue is retired; an open task can''t be in it.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER task_in_live_queue BEFORE INSERT OR UPDATE OF queue_id, asked_queue_id, state ON queues_task
    FOR EACH ROW EXECUTE FUNCTION queues_task_in_live_queue();

CREATE FUNCTION queues_queue_retired_empty() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.retired_at IS NOT NULL AND EXISTS (
        SELECT 1 FROM queues_task
        WHERE (queue_id = NEW.id OR asked_queue_id = NEW.id) AND state NOT IN ('resolved', 'withdrawn')
    ) THEN
        RAISE EXCEPTION 'This queue still holds open tasks.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER queue_retired_empty BEFORE UPDATE OF retired_at ON queues_queue
    FOR EACH ROW EXECUTE FUNCTION queues_queue_retired_empty();
"""
BACKWARD = """
DROP TRIGGER queue_retired_empty ON queues_queue;
DROP FUNCTION queues_queue_retired_empty();
DROP TRIGGER task_in_live_queue ON queues_task;
DROP FUNCTION queues_task_in_live_queue();
"""


class Migration(migrations.Migration):
    dependencies = [("queues", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
