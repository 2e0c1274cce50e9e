"""Documents no longer name their small block: a search looks at the newest documents themselves."""

from django.db import migrations

# Where a task is, as words that no text has: its queues, who sees it whatever their queues (who covers it, who asked an
# open question about it), and its block among all tasks, by which a search finds the newer ones without looking
# through all. A document from before keeps its small block until it is written anew; nobody asks for it.
FUNCTION = """
CREATE OR REPLACE FUNCTION queues_search_places(t queues_task) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_to_tsvector(array_remove(ARRAY['@' || t.queue_id, '@' || t.asked_queue_id, '@' || t.covering_queue_id,
        '@p' || t.covering_person_id, CASE WHEN t.asked_queue_id IS NOT NULL THEN '@p' || t.owner_id END,
        {blocks}], NULL))
$$;
"""

# The search of before goes by the small blocks of all documents.
ANEW = """
UPDATE queues_searchdocument d SET words = d.words || queues_search_places(t),
    office_words = d.office_words || queues_search_places(t)
FROM queues_task t WHERE t.id = d.task_id;
"""


class Migration(migrations.Migration):
    dependencies = [("queues", "0016_indexed_once")]
    operations = [
        migrations.RunSQL(
            FUNCTION.format(blocks="'@c' || t.id / 32768"),
            FUNCTION.format(blocks="'@b' || t.id / 2048, '@c' || t.id / 32768") + ANEW,
        )
    ]
