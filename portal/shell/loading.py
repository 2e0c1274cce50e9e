"""A database of a large practice, for measuring: a hundred real requests, each told a thousand times over.

The demo's actions make a small history first. Every row of it that belongs to a request is then copied by the server
itself, with new keys, at other weeks, for other patients, places and people. So whatever columns and tables a request
has, its copies have them too, and every constraint that held for the one holds for all: foreign keys are put aside
while the rows stream in, and checked over all of them at the end.
"""

# ruff: noqa: S608 - every name and number that is put into SQL here is from this module or the catalogue.

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

import psycopg
from psycopg import sql

Connection = psycopg.Connection[tuple[object, ...]]

PATIENTS_A_TASK = 0.2  # 200,000 patients at a million tasks
WEEKS = 104  # what is done lies this far back at most
CHUNK = 20_000  # tasks that are copied in one statement
TEMPLATE = "lakeside"

# What belongs to a request, those first that others point at. Each with SQL that finds the template rows: (key, task).
STORY = {
    "intake_submission": "SELECT c.submission_id, t.id FROM load_story t"
    " JOIN queues_conversation c ON c.id = t.conversation",
    "triage_decision": "SELECT d.id, t.id FROM load_story t JOIN queues_conversation c ON c.id = t.conversation"
    " JOIN triage_decision d ON d.submission_id = c.submission_id",
    "queues_conversation": "SELECT conversation, id FROM load_story",
    "queues_task": "SELECT id, id FROM load_story",
    "queues_leg": "SELECT x.id, t.id FROM load_story t JOIN queues_leg x ON x.task_id = t.id",
    "queues_promisemove": "SELECT x.id, t.id FROM load_story t JOIN queues_promisemove x ON x.task_id = t.id",
    "queues_step": "SELECT x.id, t.id FROM load_story t JOIN queues_step x ON x.task_id = t.id",
    "queues_escalation": "SELECT x.id, t.id FROM load_story t JOIN queues_escalation x ON x.task_id = t.id",
    "queues_message": "SELECT x.id, t.id FROM load_story t JOIN queues_message x ON x.conversation_id = t.conversation",
    "queues_filing": "SELECT x.id, t.id FROM load_story t JOIN queues_filing x ON x.task_id = t.id",
    "queues_assessment": "SELECT x.id, t.id FROM load_story t JOIN queues_assessment x ON x.task_id = t.id",
    "audit_event": "SELECT x.id, t.id FROM load_story t JOIN audit_event x"
    " ON x.entity_type = 'queues.task' AND x.entity_id = t.id::text",
}


@dataclass(frozen=True)
class Loaded:
    tasks: int
    open: int
    rows: int
    seconds: float


@dataclass(frozen=True)
class Size:
    """How large a practice is: how many places it has, and which part of its tasks is still open."""

    facilities: int
    open: float

    @classmethod
    def of(cls, tasks: int) -> Size:
        """160 places and 50,000 open at a million. In a small one enough is open that its lists are full as well."""
        return cls(min(max(tasks // 6_000, 3), 160), max(0.05, min(0.5, 500 / tasks)))


def load(url: str, *, tasks: int, size: Size, seed: int, say: Callable[[str], None]) -> Loaded:
    """Copy the history that is there until there are so many tasks more. `url` is the owner's."""
    began = monotonic()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET work_mem = '128MB'")
        connection.execute("SET maintenance_work_mem = '512MB'")
        with connection.transaction():
            connection.execute("SELECT setseed(%s)", [(seed % 1000) / 1000])
            _pointers(connection)
            _stories(connection)
            _spans(connection)
            _places(connection, size)
            _patients(connection, max(200, round(tasks * PATIENTS_A_TASK)), size)
            _plan(connection, tasks, size)
        say(f"{monotonic() - began:.0f} s: places, people and the plan are there")
        rows = 0
        with _put_aside(connection, say, began):
            for start in range(0, tasks, CHUNK):
                with connection.transaction():
                    for table in STORY:
                        rows += _copy(connection, table, start, start + CHUNK)
                say(f"{monotonic() - began:.0f} s: {min(start + CHUNK, tasks)} of {tasks} tasks")
        say(f"{monotonic() - began:.0f} s: every row is checked; what searches look into next")
        _documents(connection)
        for table in STORY:
            connection.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
            )
        for (table,) in connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'load\\_%'"
        ).fetchall():
            connection.execute(_sql("DROP TABLE {}", table))
        connection.execute("VACUUM ANALYZE")  # as the server does by itself where it lives on
        (waiting,) = connection.execute(
            "SELECT count(*) FROM queues_task WHERE state NOT IN ('resolved', 'withdrawn')"
        ).fetchone() or (0,)
        (there,) = connection.execute("SELECT count(*) FROM queues_task").fetchone() or (0,)
    return Loaded(int(str(there)), int(str(waiting)), rows, monotonic() - began)


# ---- what is copied, and for whom -----------------------------------------------------------------------------------


def _pointers(connection: Connection) -> None:
    """Of each foreign key's column, the table it points at."""
    connection.execute(
        """
        CREATE TABLE load_pointer AS
        SELECT c.conrelid::regclass::text AS source, a.attname::text AS name, c.confrelid::regclass::text AS target
        FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        WHERE c.contype = 'f'
        """
    )


def _stories(connection: Connection) -> None:
    """The template requests: those of one facility, done and open, and where each row of them stands in its story."""
    connection.execute(
        """
        CREATE TABLE load_story AS
        SELECT t.id, t.conversation_id AS conversation, t.state IN ('resolved', 'withdrawn') AS done,
            row_number() OVER (PARTITION BY t.state IN ('resolved', 'withdrawn') ORDER BY t.id) AS number
        FROM queues_task t JOIN queues_conversation c ON c.id = t.conversation_id
        JOIN people_patient p ON p.id = c.patient_id JOIN people_facility f ON f.id = p.facility_id
        WHERE f.code = %s AND t.split_from_id IS NULL AND c.submission_id IS NOT NULL
        """,
        [TEMPLATE],
    )
    for table, found in STORY.items():
        connection.execute(
            f"""
            CREATE TABLE load_{table} AS
            SELECT key, story, row_number() OVER (PARTITION BY story ORDER BY key) - 1 AS place
            FROM ({found}) found (key, story) WHERE key IS NOT NULL;
            ALTER TABLE load_{table} ADD PRIMARY KEY (key)
            """
        )


def _spans(connection: Connection) -> None:
    """How many rows of each table a story has at most, and behind which key the copies begin."""
    connection.execute("CREATE TABLE load_span (name text PRIMARY KEY, most bigint, start bigint)")
    for table in STORY:
        connection.execute(
            f"INSERT INTO load_span SELECT '{table}', (SELECT coalesce(max(place), 0) + 1 FROM load_{table}),"
            f" (SELECT coalesce(max(id), 0) FROM {table})"
        )


def _places(connection: Connection, size: Size) -> None:
    """Facilities like the template's, each with queues of its own and one person for each of the template's staff."""
    connection.execute(
        """
        CREATE TABLE load_site AS SELECT n, 0::bigint AS facility FROM generate_series(1, %s) n;
        """
        % (size.facilities - 2)
    )
    _clone(
        connection,
        "people_facility",
        "code = 'lakeside'",
        {"code": "'site-' || s.n", "name": "'Site ' || s.n"},
    )
    connection.execute(
        "UPDATE load_site s SET facility = k.new FROM load_new_people_facility k WHERE k.n = s.n"
    )
    connection.execute(
        """
        CREATE TABLE load_seat (n bigint, old bigint, new bigint, PRIMARY KEY (n, old));
        CREATE TABLE load_queue (n bigint, old bigint, new bigint, PRIMARY KEY (n, old))
        """
    )
    here = "facility_id = (SELECT id FROM people_facility WHERE code = 'lakeside')"
    _clone(
        connection,
        "people_user",
        f"id IN (SELECT user_id FROM people_staffrole WHERE {here})",
        {
            "email": "'site-' || s.n || '-' || t.email",
            "is_superuser": "false",
            "is_staff": "false",
            "name": "t.name || ' ' || s.n",
        },
    )
    connection.execute("INSERT INTO load_seat SELECT n, old, new FROM load_new_people_user")
    _clone(
        connection,
        "people_staffrole",
        here,
        {
            "facility_id": "s.facility",
            "user_id": "(SELECT new FROM load_seat x WHERE x.n = s.n AND x.old = t.user_id)",
        },
    )
    queues = f"retired_at IS NULL AND {here}"
    _clone(
        connection,
        "auth_group",
        f"id IN (SELECT members_id FROM queues_queue WHERE {queues})",
        {"name": "t.name || ' #' || s.n"},
    )
    group = "(SELECT new FROM load_new_auth_group x WHERE x.n = s.n AND x.old = t.{column})"
    _clone(
        connection,
        "queues_queue",
        queues,
        {"facility_id": "s.facility", "members_id": group.format(column="members_id")},
    )
    connection.execute("INSERT INTO load_queue SELECT n, old, new FROM load_new_queues_queue")
    queue = "(SELECT new FROM load_queue x WHERE x.n = s.n AND x.old = t.{column})"
    mine = "{column} IN (SELECT old FROM load_queue)"
    _clone(
        connection,
        "queues_servicetarget",
        mine.format(column="queue_id"),
        {"queue_id": queue.format(column="queue_id")},
    )
    _clone(
        connection,
        "queues_queuegrouppermission",
        mine.format(column="content_object_id"),
        {
            "content_object_id": queue.format(column="content_object_id"),
            "group_id": group.format(column="group_id"),
        },
    )
    _clone(
        connection,
        "people_user_groups",
        "group_id IN (SELECT old FROM load_new_auth_group) AND user_id IN (SELECT old FROM load_seat)",
        {
            "group_id": group.format(column="group_id"),
            "user_id": "(SELECT new FROM load_seat x WHERE x.n = s.n AND x.old = t.user_id)",
        },
    )
    # Everybody else who works (the central team) works for all.
    connection.execute(
        """
        INSERT INTO load_seat SELECT s.n, u.id, u.id FROM load_site s CROSS JOIN people_user u
        WHERE u.id IN (SELECT user_id FROM people_staffrole) AND u.id NOT IN (SELECT new FROM load_seat)
        ON CONFLICT DO NOTHING
        """
    )


def _clone(connection: Connection, table: str, which: str, changes: dict[str, str]) -> None:
    """One copy of these rows for each site; `load_new_<table>` then tells which came from which."""
    columns = [name for name in _columns(connection, table) if name != "id"]
    told = ", ".join(changes.get(name, f"t.{name}") for name in columns)
    names = ", ".join(columns)
    connection.execute(
        f"""
        CREATE TABLE load_new_{table} AS SELECT s.n, t.id AS old,
            nextval(pg_get_serial_sequence('{table}', 'id')) AS new
        FROM load_site s CROSS JOIN {table} t WHERE {which};
        INSERT INTO {table} (id, {names}) OVERRIDING SYSTEM VALUE
        SELECT k.new, {told} FROM load_new_{table} k JOIN load_site s ON s.n = k.n JOIN {table} t ON t.id = k.old
        """
    )


def _patients(connection: Connection, count: int, size: Size) -> None:
    """People with a log-in each, spread over the sites, larger ones getting more."""
    connection.execute(
        f"""
        CREATE TABLE load_patient AS
        SELECT n, nextval(pg_get_serial_sequence('people_user', 'id')) AS writer,
            nextval(pg_get_serial_sequence('people_patient', 'id')) AS patient,
            1 + floor({size.facilities - 2} * power(random(), 1.4))::bigint AS site, random() < 0.21 AS spanish
        FROM generate_series(1, {count}) n;
        """
    )
    _rows_like(
        connection,
        "people_user",
        "id IN (SELECT user_id FROM people_patient WHERE user_id IS NOT NULL ORDER BY id LIMIT 1)",
        {
            "id": "p.writer",
            "email": "'patient-' || p.n || '@load.example'",
            "password": "'!'",
            "name": _NAME,
            "language": _LANGUAGE,
            "mail_notices": "false",
            "is_superuser": "false",
        },
    )
    _rows_like(
        connection,
        "people_patient",
        "id IN (SELECT id FROM people_patient WHERE user_id IS NOT NULL ORDER BY id LIMIT 1)",
        {
            "id": "p.patient",
            "user_id": "p.writer",
            "record_number": "'L' || (1000000 + p.n)",
            "given_name": "split_part(" + _NAME + ", ' ', 1)",
            "family_name": "split_part(" + _NAME + ", ' ', 2)",
            "birth_date": "date '1935-01-01' + (p.n * 7919 % 31000)::int",
            "language": _LANGUAGE,
            "facility_id": "(SELECT facility FROM load_site s WHERE s.n = p.site)",
        },
    )
    connection.execute("CREATE INDEX ON load_patient (n)")


_GIVEN = "Ana Ben Carla David Elena Felix Grace Hugo Iris Jonas Karen Luis Maria Noah Olga Peter Quinn Rosa Sara Tom"
_FAMILY = "Abbott Brooks Castillo Diaz Evans Flores Garcia Hughes Ibarra Jensen Keller Lopez Moreno Novak Ortiz Perez"
_NAME = (
    f"(string_to_array('{_GIVEN}', ' '))[1 + p.n % 20] || ' ' ||"
    f" (string_to_array('{_FAMILY}', ' '))[1 + (p.n / 20) % 15]"
)
_LANGUAGE = "CASE WHEN p.spanish THEN 'es' ELSE 'en' END"


def _rows_like(connection: Connection, table: str, which: str, changes: dict[str, str]) -> None:
    columns = _columns(connection, table)
    told = ", ".join(changes.get(name, f"t.{name}") for name in columns)
    connection.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) OVERRIDING SYSTEM VALUE"
        f" SELECT {told} FROM load_patient p CROSS JOIN (SELECT * FROM {table} WHERE {which}) t"
    )


def _plan(connection: Connection, tasks: int, size: Size) -> None:
    """Which story each new task tells, of whom, and how long ago. Open ones are of these days."""
    connection.execute(
        f"""
        CREATE TABLE load_plan AS
        SELECT d.n, y.id AS story, p.patient, p.writer, p.site,
            CASE WHEN d.done THEN - floor({WEEKS} * power(d.c, 1.2)) * interval '7 days' ELSE interval '0' END
                - d.e * interval '40 minutes' AS shift
        FROM (SELECT n, random() > {size.open} AS done, random() AS a, random() AS b, random() AS c, random() AS e
              FROM generate_series(1, {tasks}) n) d
        JOIN LATERAL (SELECT count(*) AS many FROM load_story s WHERE s.done = d.done) m ON true
        JOIN load_story y ON y.done = d.done AND y.number = 1 + floor(d.a * m.many)
        JOIN load_patient p ON p.n = 1 + floor(d.b * (SELECT count(*) FROM load_patient));
        CREATE UNIQUE INDEX ON load_plan (n); ANALYZE load_plan
        """
    )


# ---- copying --------------------------------------------------------------------------------------------------------


def _copy(connection: Connection, table: str, first: int, last: int) -> int:
    """The rows of one table for a part of the plan; how many there were."""
    columns = _columns(connection, table)
    points = _points_at(connection, table)
    exprs, joins = [], []
    for name, kind in columns.items():
        column, target = f"t.{name}", points.get(name, "")
        if name == "id":
            exprs.append(_key(connection, table, "k.place"))
        elif name == "draft_key" or name == "key":
            exprs.append("gen_random_uuid()")
        elif name == "patient_ids":
            exprs.append("ARRAY[m.patient]")
        elif name == "entity_id":
            exprs.append(f"({_key(connection, 'queues_task', '0')})::text")
        elif target in STORY:
            joins.append(f"LEFT JOIN load_{target} at_{name} ON at_{name}.key = {column}")
            exprs.append(
                f"CASE WHEN at_{name}.key IS NOT NULL THEN {_key(connection, target, f'at_{name}.place')} END"
            )
        elif target == "people_user":
            joins.append(
                f"LEFT JOIN load_seat at_{name} ON at_{name}.n = m.site AND at_{name}.old = {column}"
            )
            exprs.append(f"CASE WHEN {column} IS NOT NULL THEN coalesce(at_{name}.new, m.writer) END")
        elif target == "queues_queue":
            joins.append(
                f"LEFT JOIN load_queue at_{name} ON at_{name}.n = m.site AND at_{name}.old = {column}"
            )
            exprs.append(f"coalesce(at_{name}.new, {column})")
        elif target == "people_patient":
            exprs.append("m.patient")
        elif kind == "timestamp with time zone":
            exprs.append(f"{column} + m.shift")
        else:
            exprs.append(column)
    done = connection.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) OVERRIDING SYSTEM VALUE SELECT {', '.join(exprs)}"
        f" FROM load_plan m JOIN load_{table} k ON k.story = m.story JOIN {table} t ON t.id = k.key {' '.join(joins)}"
        f" WHERE m.n > {first} AND m.n <= {last}"
    )
    return done.rowcount


def _key(connection: Connection, table: str, place: str) -> str:
    """A new row's key: so many for each task, in the order of the story."""
    row = connection.execute("SELECT most, start FROM load_span WHERE name = %s", [table]).fetchone()
    most, start = row or (1, 0)
    return f"({start} + m.n * {most} + {place})"


def _columns(connection: Connection, table: str) -> dict[str, str]:
    found = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position",
        [table],
    )
    return {str(name): str(kind) for name, kind in found.fetchall()}


def _points_at(connection: Connection, table: str) -> dict[str, str]:
    """By column, the table it points at."""
    found = connection.execute("SELECT name, target FROM load_pointer WHERE source = %s", [table])
    return {str(name): str(target) for name, target in found.fetchall()}


@contextmanager
def _put_aside(connection: Connection, say: Callable[[str], None], began: float) -> Iterator[None]:
    """Without foreign keys, indexes that hold no constraint, and triggers of our own; then with all of them again,
    and every row checked."""
    tables = list(STORY)
    keys = connection.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype = 'f' AND conrelid::regclass::text = ANY(%s)",
        [tables],
    ).fetchall()
    indexes = connection.execute(
        "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i"
        " WHERE i.indrelid::regclass::text = ANY(%s) AND NOT i.indisunique"
        " AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)",
        [tables],
    ).fetchall()
    with connection.transaction():
        for table, name, _definition in keys:
            connection.execute(_sql("ALTER TABLE {} DROP CONSTRAINT {}", table, name))
        for name, _definition in indexes:
            connection.execute(_sql("DROP INDEX {}", name))
        for table in tables:
            connection.execute(_sql("ALTER TABLE {} DISABLE TRIGGER USER", table))
    yield
    say(f"{monotonic() - began:.0f} s: all rows are there; indexes and foreign keys next")
    for _name, definition in indexes:
        connection.execute(str(definition).encode())
    for table, name, definition in keys:
        connection.execute(_sql("ALTER TABLE {} ADD CONSTRAINT {} ", table, name) + sql.SQL(str(definition)))
    for table in tables:
        connection.execute(_sql("ALTER TABLE {} ENABLE TRIGGER USER", table))


def _sql(text: str, *names: object) -> sql.Composed:
    return sql.SQL(text).format(*(sql.Identifier(str(name)) for name in names))


def _documents(connection: Connection) -> None:
    """What searches look into. The words of a story are cut once; names, numbers and queues are each copy's own, as
    the database's own trigger writes them."""
    connection.execute(
        """
        CREATE TABLE load_words AS
        SELECT d.task_id AS story, d.body, d.office_body, queues_stems(d.body) AS words,
            queues_stems(d.office_body) AS office_words
        FROM queues_searchdocument d JOIN load_story s ON s.id = d.task_id
        """
    )
    connection.execute(
        f"""
        INSERT INTO queues_searchdocument (task_id, body, office_body, words, office_words)
        SELECT t.id, d.body, d.office_body, w.who || d.words, w.who || d.office_words
        FROM load_plan m JOIN load_words d ON d.story = m.story
        JOIN queues_task t ON t.id = {_key(connection, "queues_task", "0")}
        JOIN queues_conversation c ON c.id = t.conversation_id JOIN people_patient p ON p.id = c.patient_id
        CROSS JOIN LATERAL (SELECT to_tsvector('pg_catalog.simple', queues_fold(concat_ws(' ', p.given_name,
            p.family_name, replace(p.record_number, '-', ''), 'r' || (10000 + c.id), 10000 + c.id)))
            || queues_search_places(t) AS who) w
        """
    )
