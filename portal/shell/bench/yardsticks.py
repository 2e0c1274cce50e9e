"""The least that the work can cost: bare signed-in views, on tables of their own with no more than the work needs.

They exist for a benchmark alone; no address of Porter leads here.
"""

from __future__ import annotations

import json

import psycopg
from django.contrib.auth.decorators import login_required
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET, require_POST

QUEUES = 10

TABLES = """
DROP TABLE IF EXISTS yardstick_task, yardstick_submission, yardstick_event;
CREATE TABLE yardstick_submission (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, author bigint NOT NULL, answers jsonb NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE yardstick_task (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, submission bigint REFERENCES yardstick_submission,
    queue int NOT NULL, state text NOT NULL, title text NOT NULL, owner bigint, due_at timestamptz NOT NULL
);
CREATE INDEX ON yardstick_task (queue, state, due_at, id) INCLUDE (title, owner);
CREATE INDEX ON yardstick_task (due_at, id) WHERE state = 'open';
CREATE TABLE yardstick_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, agent bigint NOT NULL, action text NOT NULL,
    entity bigint NOT NULL, recorded_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE ON yardstick_submission, yardstick_task, yardstick_event TO PUBLIC;
"""
ROWS = f"""
INSERT INTO yardstick_task (queue, state, title, due_at)
SELECT n %% {QUEUES}, 'open', 'Request ' || n, now() + n * interval '1 second' FROM generate_series(1, %s) n
"""  # noqa: S608 - a constant


def lay_out(owner: str, *, open_tasks: int) -> None:
    """The yardsticks' tables, with so many open tasks. `owner` is the address of the database's owner."""
    with psycopg.connect(owner, autocommit=True) as made:
        made.execute(TABLES)
        made.execute(ROWS, [open_tasks])
        made.execute("VACUUM ANALYZE yardstick_task")


@require_POST
@login_required
def submit(request: HttpRequest) -> HttpResponse:
    """A submission, a task and an audit row in one transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO yardstick_submission (author, answers) VALUES (%s, %s) RETURNING id",
            [request.user.pk, json.dumps(request.POST.dict())],
        )
        (submission,) = cursor.fetchone()
        cursor.execute(
            "INSERT INTO yardstick_task (submission, queue, state, title, due_at)"
            " VALUES (%s, 1, 'open', 'A request', now() + interval '1 day') RETURNING id",
            [submission],
        )
        (task,) = cursor.fetchone()
        cursor.execute(
            "INSERT INTO yardstick_event (agent, action, entity) VALUES (%s, 'send', %s)",
            [request.user.pk, task],
        )
    return JsonResponse({"task": task}, status=201)


@require_POST
@login_required
def claim(request: HttpRequest) -> HttpResponse:
    """The first open task, by one statement that passes over what others are claiming."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE yardstick_task SET state = 'claimed', owner = %s WHERE id = (
                SELECT id FROM yardstick_task WHERE state = 'open' ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
            ) RETURNING id
            """,
            [request.user.pk],
        )
        found = cursor.fetchone()
    return JsonResponse({"task": found[0] if found else None})


@require_GET
@login_required
def listed(request: HttpRequest) -> HttpResponse:
    """Fifty rows by a covering index."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT due_at, id, title, owner FROM yardstick_task WHERE queue = 1 AND state = 'open'"
            " ORDER BY due_at, id LIMIT 50"
        )
        return JsonResponse({"rows": cursor.fetchall()})
