"""A task's page that is open says so, and learns who else has it open."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST

from portal.people.requests import Request
from queues import presence
from queues.models import Task
from queues.views.frame import staff


@staff
@require_POST
def here(request: Request, pk: int) -> HttpResponse:
    """Asked when the page has loaded and every `presence.EVERY` seconds; names colleagues, and no patient."""
    row = get_object_or_404(Task.objects.visible_to(request.user).only("pk"), pk=pk)
    presence.arrive(task=row, by=request.user)
    others = presence.others([row.pk], than=request.user).get(row.pk, [])
    return render(request, "queues/_others.html", {"others": others})
