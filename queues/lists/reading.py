"""One page of a list: the same question for the page itself and for the poll that asks whether it has changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from audit.now import now
from audit.statements import Question
from portal.people.models import User
from queues.lists.choices import Choices
from queues.lists.scope import LIVE_STATES, QUEUES, VISIBLE
from queues.presence import LASTS
from queues.shown import Line, lines

PAGE = 50
LIVE = f"t.state IN {LIVE_STATES}"

# What a page begins with, by kind of list. Both are limited inside, so that a page reads a page's worth of each
# queue by its index, in order; with very many queues it reads one index over all of them instead.
EACH = """
    SELECT t.id, t.due_at FROM place CROSS JOIN LATERAL (
        SELECT t.id, t.due_at FROM queues_task t {joins}
        WHERE t.%s = place.id AND {live} {where} ORDER BY t.due_at, t.id LIMIT %%(limit)s
    ) t
"""
BY_QUEUE = " UNION ".join(EACH % column for column in ("queue_id", "asked_queue_id", "covering_queue_id"))
COVERED = """
    UNION SELECT t.id, t.due_at FROM queues_task t {joins}
    WHERE t.covering_person_id = %(user)s AND {live} {where}
"""
ACROSS = f"""
    SELECT t.id, t.due_at FROM queues_task t {{joins}}
    WHERE {VISIBLE} AND {{live}} {{where}} ORDER BY t.due_at, t.id LIMIT %(limit)s
"""  # noqa: S608 - from constants; every value is a parameter
OWN = f"""
    SELECT t.id, t.due_at FROM queues_task t {{joins}}
    WHERE t.owner_id = %(user)s AND t.state = ANY(%(states)s) AND {VISIBLE} {{where}}
    ORDER BY t.due_at, t.id LIMIT %(limit)s
"""  # noqa: S608 - from constants; every value is a parameter
PATIENT = """
    JOIN queues_conversation c ON c.id = t.conversation_id JOIN people_patient p ON p.id = c.patient_id
"""
FRAME = """
WITH place AS MATERIALIZED (
    SELECT id FROM ({queues}) seen WHERE (%(queue)s::bigint IS NULL OR id = %(queue)s) {door}
),
page AS MATERIALIZED (SELECT id, due_at FROM ({first}) u ORDER BY due_at, id LIMIT %(limit)s)
SELECT {columns} FROM page JOIN queues_task t ON t.id = page.id {full} ORDER BY page.due_at, page.id
"""
LOOKERS = """
    array_to_string(ARRAY(SELECT u.name FROM queues_presence h JOIN people_user u ON u.id = h.user_id
        WHERE h.task_id = t.id AND h.user_id <> %(user)s AND h.seen_at > %(present)s ORDER BY u.name), ', ')
"""
MARK = f"t.id, t.version, t.state <> 'waiting' AND t.due_at < %(now)s, {LOOKERS}"
LINE = f"""
    {MARK}, t.state, t.urgency, t.due_at, t.title, t.plain_title, t.subtitle, t.flags::text, t.screened,
    c.clinical OR jsonb_path_exists(t.summary, '$[*].clinical ? (@ == true)'), c.subject,
    p.id, p.given_name || ' ' || p.family_name, p.birth_date, p.language,
    CASE WHEN c.channel = 'portal' AND c.author_id IS DISTINCT FROM p.user_id THEN (
        SELECT author.name FROM people_user author WHERE author.id = c.author_id
    ) ELSE '' END,
    c.channel, pf.name,
    q.id, q.name, cal.time_zone, t.owner_id, owner.name, owner.title, c.confidential,
    CASE WHEN t.asked_queue_id IS NOT NULL THEN (
        SELECT left(e.question, 200) FROM queues_escalation e WHERE e.task_id = t.id AND e.answered_at IS NULL
    ) END
"""  # noqa: S608 - from constants; every value is a parameter
LINE_JOINS = """
    JOIN queues_conversation c ON c.id = t.conversation_id
    JOIN people_patient p ON p.id = c.patient_id
    JOIN people_facility pf ON pf.id = p.facility_id
    JOIN queues_queue q ON q.id = t.queue_id
    JOIN people_calendar cal ON cal.id = q.calendar_id
    LEFT JOIN people_user owner ON owner.id = t.owner_id
"""
STATES = {"mine": ["claimed", "escalated"], "waiting": ["waiting"]}


@dataclass(frozen=True)
class Asked:
    """Which list somebody looks at, and from where on."""

    kind: str  # queue, all, mine, waiting
    user: int
    queue: int | None = None
    choices: Choices = Choices()
    after: str = ""  # the key of the last row of the page before
    wide: bool = False  # over more queues than are worth asking one by one

    def next_page(self, last: Line) -> Asked:
        return replace(self, after=key_of(last.due_at, last.pk))

    def query(self) -> str:
        """The part of the address that leads here, behind the "?" and with it."""
        base = self.choices.query()
        if not self.after:
            return base
        return f"{base or '?'}{'&' if base else ''}after={self.after}"


# A page's rows, as far as a poll must know them: task, version, late, who looks.
Mark = list[Any]


def key_of(due_at: datetime, pk: int) -> str:
    """Where a row stands in every list, as it is written in an address: when it is due, and its number."""
    return f"{int(due_at.timestamp() * 1_000_000)}-{pk}"


def read_key(text: str) -> tuple[datetime, int] | None:
    moment, _dash, pk = text.partition("-")
    if not (moment.isdecimal() and pk.isdecimal() and len(moment) < 18 and len(pk) < 19):
        return None
    seconds, micro = divmod(int(moment), 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micro), int(pk)


def paging(asked: Asked) -> Question:
    """The question for a page of a list, for who asks something else beside it."""
    return statement(asked, LINE, LINE_JOINS)


def paged(rows: list[tuple[Any, ...]], viewer: User) -> tuple[list[Line], bool]:
    """The rows of a page as this viewer may see them, and whether there are more behind them."""
    return lines(rows[:PAGE], viewer), len(rows) > PAGE


def marks_of(rows: list[Line]) -> list[Mark]:
    return [[each.pk, each.version, each.late, each.lookers] for each in rows]


def statement(asked: Asked, columns: str, joins: str, *, door: str = "") -> tuple[str, dict[str, Any]]:
    """The question as SQL. It is put together from constants; every value is a parameter."""
    where, moment = asked.choices.where(), now()
    values: dict[str, Any] = {
        "user": asked.user,
        "today": moment.date(),
        "now": moment,
        "present": moment - LASTS,
        "queue": asked.queue,
        "limit": PAGE + 1,
        "states": STATES.get(asked.kind, []),
    } | asked.choices.values()
    key = read_key(asked.after)
    if key is not None:
        where += " AND (t.due_at, t.id) > (%(after)s, %(after_id)s)"
        values["after"], values["after_id"] = key
    if asked.kind in STATES:
        first = OWN
    elif asked.kind == "all":
        first = ACROSS if asked.wide else BY_QUEUE + COVERED
    else:
        first = BY_QUEUE
    first = first.format(joins=PATIENT if asked.choices.needs_patient else "", live=LIVE, where=where)
    return FRAME.format(queues=QUEUES, door=door, first=first, columns=columns, full=joins), values
