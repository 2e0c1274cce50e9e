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
    SELECT q.id, granted.id IS NOT NULL AS worked, q.facility_id
    FROM queues_queue q
    LEFT JOIN (
        SELECT DISTINCT p.content_object_id AS id FROM queues_queuegrouppermission p
        JOIN people_user_groups g ON g.group_id = p.group_id AND g.user_id = %(user)s
        JOIN auth_permission a ON a.id = p.permission_id AND a.codename = 'work_queue'
    ) granted ON granted.id = q.id
    WHERE q.retired_at IS NULL AND (
        granted.id IS NOT NULL OR EXISTS (
            SELECT 1 FROM people_staffrole r
            WHERE r.user_id = %(user)s AND r.role = 'lead' AND (r.facility_id IS NULL OR r.facility_id = q.facility_id)
            AND r.since <= %(today)s AND (r.until IS NULL OR r.until >= %(today)s)
        )
    )
"""

# Tasks that the person of `place` may see there, as `Task.objects.visible_to`: in their queues, asked of one, or
# covered by one or by themselves.
VISIBLE = """(
    t.queue_id IN (SELECT id FROM place) OR t.asked_queue_id IN (SELECT id FROM place)
    OR t.covering_queue_id IN (SELECT id FROM place) OR t.covering_person_id = %(user)s
)"""
