"""How a text becomes words that are searched, and the triggers that keep a document for each task."""

from django.db import migrations

# Accents are folded before a text is cut into words, by Unicode's own decomposition: "Núñez" is found by "nunez".
# English and Spanish stems stand beside each other, since either language may be in any message.
FORWARD = r"""
CREATE OR REPLACE FUNCTION queues_fold(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT lower(regexp_replace(normalize($1, NFKD), '[\u0300-\u036f]', '', 'g'))
$$;

CREATE OR REPLACE FUNCTION queues_stems(text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('pg_catalog.english', queues_fold($1)) || to_tsvector('pg_catalog.spanish', queues_fold($1))
$$;

-- Words as somebody types them: the beginning of a word, or another form of it; each phrase as it stands.
CREATE OR REPLACE FUNCTION queues_search_query(words text[], phrases text[]) RETURNS tsquery
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    given text;
    english tsquery;
    spanish tsquery;
    one tsquery;
    found tsquery;
BEGIN
    FOREACH given IN ARRAY words LOOP
        given := queues_fold(given);
        english := plainto_tsquery('pg_catalog.english', given);
        spanish := plainto_tsquery('pg_catalog.spanish', given);
        -- A word that carries nothing in either language ("a", "no") is in no document.
        CONTINUE WHEN numnode(english) = 0 AND numnode(spanish) = 0 AND array_length(words, 1) > 1;
        one := to_tsquery('pg_catalog.simple', quote_literal(given) || CASE WHEN length(given) > 1 THEN ':*' ELSE '' END);
        IF numnode(english) > 0 THEN one := one || english; END IF;
        IF numnode(spanish) > 0 THEN one := one || spanish; END IF;
        found := CASE WHEN found IS NULL THEN one ELSE found && one END;
    END LOOP;
    FOREACH given IN ARRAY phrases LOOP
        given := queues_fold(given);
        one := phraseto_tsquery('pg_catalog.english', given) || phraseto_tsquery('pg_catalog.spanish', given);
        CONTINUE WHEN numnode(one) = 0;
        found := CASE WHEN found IS NULL THEN one ELSE found && one END;
    END LOOP;
    RETURN coalesce(found, ''::tsquery);
END $$;

-- Documents of these tasks, anew. Also for loading many at once.
CREATE OR REPLACE FUNCTION queues_search_write(tasks bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO queues_searchdocument (task_id, body, office_body, words, office_words)
    SELECT id, body, office_body,
        who || array_to_tsvector(places) || queues_stems(body),
        who || array_to_tsvector(places) || queues_stems(office_body)
    FROM (
        SELECT t.id,
            to_tsvector('pg_catalog.simple', queues_fold(concat_ws(' ', p.given_name, p.family_name,
                replace(p.record_number, '-', ''), 'r' || (10000 + c.id), 10000 + c.id))) AS who,
            array_remove(ARRAY['@' || t.queue_id, '@' || t.asked_queue_id, '@' || t.covering_queue_id,
                '@p' || t.covering_person_id], NULL) AS places,
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
        words = excluded.words, office_words = excluded.office_words
$$;

CREATE OR REPLACE FUNCTION queues_search_of_task() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM queues_search_write(ARRAY[NEW.id]);
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION queues_search_of_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM queues_search_write(ARRAY(SELECT id FROM queues_task WHERE conversation_id = NEW.conversation_id));
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION queues_search_of_patient() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM queues_search_write(ARRAY(SELECT t.id FROM queues_task t
        JOIN queues_conversation c ON c.id = t.conversation_id WHERE c.patient_id = NEW.id));
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER task_is_found AFTER INSERT ON queues_task
    FOR EACH ROW EXECUTE FUNCTION queues_search_of_task();
-- Claims and replies change nothing that is searched, and pay nothing.
CREATE OR REPLACE TRIGGER task_is_found_again
    AFTER UPDATE OF title, plain_title, subtitle, summary, flags, queue_id, asked_queue_id, covering_queue_id,
        covering_person_id ON queues_task
    FOR EACH ROW WHEN (
        (OLD.title, OLD.plain_title, OLD.subtitle, OLD.summary, OLD.flags, OLD.queue_id, OLD.asked_queue_id,
            OLD.covering_queue_id, OLD.covering_person_id)
        IS DISTINCT FROM
        (NEW.title, NEW.plain_title, NEW.subtitle, NEW.summary, NEW.flags, NEW.queue_id, NEW.asked_queue_id,
            NEW.covering_queue_id, NEW.covering_person_id)
    ) EXECUTE FUNCTION queues_search_of_task();
CREATE OR REPLACE TRIGGER message_is_found AFTER INSERT ON queues_message
    FOR EACH ROW EXECUTE FUNCTION queues_search_of_message();
CREATE OR REPLACE TRIGGER patient_is_found
    AFTER UPDATE OF given_name, family_name, record_number ON people_patient
    FOR EACH ROW EXECUTE FUNCTION queues_search_of_patient();

SELECT queues_search_write(ARRAY(SELECT id FROM queues_task));
"""

BACKWARD = """
DROP TRIGGER patient_is_found ON people_patient;
DROP TRIGGER message_is_found ON queues_message;
DROP TRIGGER task_is_found_again ON queues_task;
DROP TRIGGER task_is_found ON queues_task;
DROP FUNCTION queues_search_of_patient();
DROP FUNCTION queues_search_of_message();
DROP FUNCTION queues_search_of_task();
DROP FUNCTION queues_search_write(bigint[]);
DROP FUNCTION queues_search_query(text[], text[]);
DROP FUNCTION queues_stems(text);
DROP FUNCTION queues_fold(text);
"""


class Migration(migrations.Migration):
    dependencies = [("people", "0001_initial"), ("queues", "0009_search")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
