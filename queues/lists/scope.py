"""Where every list begins: the queues of the person who looks."""

from __future__ import annotations

from queues.states import LIVE, State


def _words(*states: State) -> str:
    return "(" + ", ".join(f"'{state.value}'" for state in states) + ")"


# For SQL that is written out: "t.state IN …".
LIVE_STATES = _words(*LIVE)

# Live queues that a person works (a grant through a group) or leads (as lead of the place, or of the whole practice).
# The same as `Queue.objects.seen_by`, which a test holds it to. (OFFSET 0: the few of a person are looked up each by
# its key; the planner, who can't tell how many they are, would read all of the practice's.)
QUEUES = """
    SELECT id, bool_or(worked) AS worked, facility_id
    FROM (
        SELECT p.content_object_id AS id, true AS worked, q.facility_id FROM people_user_groups g
        JOIN queues_queuegrouppermission p ON p.group_id = g.group_id
        JOIN auth_permission a ON a.id = p.permission_id AND a.codename = 'work_queue'
        CROSS JOIN LATERAL (
            SELECT facility_id FROM queues_queue WHERE id = p.content_object_id AND retired_at IS NULL OFFSET 0
        ) q
        WHERE g.user_id = %(user)s
        UNION ALL
        SELECT q.id, false, q.facility_id FROM people_staffrole r
        JOIN queues_queue q ON r.facility_id IS NULL OR r.facility_id = q.facility_id
        WHERE r.user_id = %(user)s AND r.role = 'lead' AND q.retired_at IS NULL
        AND r.since <= %(today)s AND (r.until IS NULL OR r.until >= %(today)s)
    ) own GROUP BY id, facility_id
"""

# Tasks that the person of `place` may see there, as `Task.objects.visible_to`: in their queues, asked of one,
# covered by one or by themselves, or asked about by themselves.
VISIBLE = """(
    t.queue_id IN (SELECT id FROM place) OR t.asked_queue_id IN (SELECT id FROM place)
    OR t.covering_queue_id IN (SELECT id FROM place) OR t.covering_person_id = %(user)s
    OR t.owner_id = %(user)s AND t.asked_queue_id IS NOT NULL
)"""
