"""Functions that triggers call keep their plans: PostgreSQL planned a written-out query of theirs anew at each call, which
took three times as long as the words of one document, and twice as long as the question who works a queue.

The plan is made for no value in particular, since each is about the few rows of one task.
"""

from django.db import migrations

FORWARD = r"""
-- Where a task is, as words that no text has: its queues, who sees it whatever their queues (who covers it, who asked an
-- open question about it), and its block among all tasks, by which a search finds the newest without looking through all.
CREATE OR REPLACE FUNCTION queues_search_places(t queues_task) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_to_tsvector(array_remove(ARRAY['@' || t.queue_id, '@' || t.asked_queue_id, '@' || t.covering_queue_id,
        '@p' || t.covering_person_id, CASE WHEN t.asked_queue_id IS NOT NULL THEN '@p' || t.owner_id END,
        '@b' || t.id / 2048, '@c' || t.id / 32768], NULL))
$$;

-- Documents of these tasks, anew. Also for loading many at once.
CREATE OR REPLACE FUNCTION queues_search_write(tasks bigint[]) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    INSERT INTO queues_searchdocument (task_id, body, office_body, words, office_words)
    SELECT id, body, office_body,
        who || places || queues_stems(body), who || places || queues_stems(office_body)
    FROM (
        SELECT t.id,
            to_tsvector('pg_catalog.simple', queues_fold(concat_ws(' ', p.given_name, p.family_name,
                replace(p.record_number, '-', ''), 'r' || (10000 + c.id), 10000 + c.id))) AS who,
            queues_search_places(t) AS places,
            concat_ws(E'\n', t.title, c.subject, t.subtitle, answers.whole, said.text) AS body,
            CASE WHEN c.clinical OR answers.clinical OR t.flags <> '[]'
                THEN concat_ws(E'\n', t.plain_title, c.subject, answers.office)
                ELSE concat_ws(E'\n', t.title, c.subject, t.subtitle, answers.whole, said.text) END AS office_body
        FROM queues_task t
        JOIN queues_conversation c ON c.id = t.conversation_id
        JOIN people_patient p ON p.id = c.patient_id
        CROSS JOIN LATERAL (
            SELECT string_agg(each ->> 'value', E'\n') AS whole,
                string_agg(each ->> 'value', E'\n') FILTER (WHERE NOT (each ->> 'clinical')::boolean) AS office,
                coalesce(bool_or((each ->> 'clinical')::boolean), false) AS clinical
            FROM jsonb_array_elements(t.summary) each
        ) answers
        CROSS JOIN LATERAL (
            SELECT string_agg(m.body, E'\n' ORDER BY m.id) AS text FROM queues_message m WHERE m.conversation_id = c.id
        ) said
        WHERE t.id = ANY(tasks)
    ) made
    ON CONFLICT (task_id) DO UPDATE SET body = excluded.body, office_body = excluded.office_body,
        words = excluded.words, office_words = excluded.office_words;
END $$;

CREATE OR REPLACE FUNCTION queues_is_staffed(queue bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        SELECT 1 FROM queues_queue q
        JOIN people_user_groups m ON m.group_id = q.members_id
        JOIN people_user u ON u.id = m.user_id AND u.is_active
        WHERE q.id = queue AND EXISTS (
            SELECT 1 FROM queues_queuegrouppermission g WHERE g.content_object_id = q.id AND g.group_id = q.members_id
        )
    );
END $$;

UPDATE queues_searchdocument d SET words = d.words || queues_search_places(t), office_words = d.office_words || queues_search_places(t)
FROM queues_task t WHERE t.id = d.task_id;
"""


class Migration(migrations.Migration):
    dependencies = [("queues", "0014_marks")]
    # The functions from before find the same; undone, these stay.
    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
