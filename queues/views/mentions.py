"""The notes that name somebody, newest first."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from audit.actions import record_read
from portal.people.models import User
from portal.people.requests import Request
from queues.models import Mention, Task
from queues.views.frame import bench, staff

MOST = 50


@staff
@require_GET
def mentions(request: Request) -> HttpResponse:
    """Notes that name this person, on tasks that they may still see. A note counts as seen once its task was opened."""
    rows = list(
        Mention.objects.filter(
            user=request.user, note__task__in=Task.objects.visible_to(request.user).order_by().values("pk")
        ).select_related(
            "note__author", "note__task__queue", "note__conversation__patient__facility__calendar"
        )[:MOST]
    )
    listed = [_listed(row, request.user) for row in rows]
    if rows:
        patients = {row.note.conversation.patient_id for row in rows}
        record_read("queues.mentions.read", by=request.user, patients=patients)
    return render(request, "queues/mentions.html", {"rows": listed} | bench(request, ("mentions", 0)))


def _listed(row: Mention, viewer: User) -> dict[str, Any]:
    """A mention with as much of its note as the viewer's roles may read."""
    note, hides = row.note, not viewer.is_clinical
    about_health = note.conversation.clinical or bool(note.task.flags)
    return {
        "note": note,
        "seen_at": row.seen_at,
        "body": "" if hides and note.clinical and about_health else note.body,
        "title": note.task.plain_title if hides else note.task.title,
    }
