"""Where every list begins: the queues of the person who looks."""

from __future__ import annotations

from queues.states import LIVE, State


def _words(*states: State) -> str:
    return "(" + ", ".join(f"'{state.value}'" for state in states) + ")"


# For SQL that is written out: "t.state IN …".
LIVE_STATES = _words(*LIVE)

# Live queues that a person works (a grant through a group) or leads (as lead of the place, or of the whole practice).
# The same as `Queue.objects.seen_by`, which a test holds it to.
QUEUES = """
    SELECT q.id, own.worked, q.facility_id
    FROM (
        SELECT id, bool_or(worked) AS worked FROM (
            SELECT p.content_object_id AS id, true AS worked FROM people_user_groups g
            JOIN queues_queuegrouppermission p ON p.group_id = g.group_id
            JOIN auth_permission a ON a.id = p.permission_id AND a.codename = 'work_queue'
            WHERE g.user_id = %(user)s
            UNION ALL
            SELECT l.id, false FROM people_staffrole r
            JOIN queues_queue l ON r.facility_id IS NULL OR r.facility_id = l.facility_id
            WHERE r.user_id = %(user)s AND r.role = 'lead'
            AND r.since <= %(today)s AND (r.until IS NULL OR r.until >= %(today)s)
        ) either GROUP BY id
    ) own JOIN queues_queue q ON q.id = own.id
    WHERE q.retired_at IS NULL
"""

# Tasks that the person of `place` may see there, as `Task.objects.visible_to`: in their queues, asked of one,
# covered by one or by themselves, or asked about by themselves.
VISIBLE = """(
    t.queue_id IN (SELECT id FROM place) OR t.asked_queue_id IN (SELECT id FROM place)
    OR t.covering_queue_id IN (SELECT id FROM place) OR t.covering_person_id = %(user)s
    OR t.owner_id = %(user)s AND t.asked_queue_id IS NOT NULL
)"""
