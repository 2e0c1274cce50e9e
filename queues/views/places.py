"""All queues of a person by place: the way to the one that the frame has no room for."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from portal.people.requests import Request
from queues.lists.directory import directory
from queues.views.frame import bench, staff


@staff
@require_GET
def places(request: Request) -> HttpResponse:
    """Names of queues and places in the address, and of nobody."""
    words, late = request.GET.get("q", "")[:80], bool(request.GET.get("late"))
    rows, every = directory(request.user, words=words, late=late)
    page = {"rows": rows, "every": every, "asked": words, "late": late}
    return render(request, "queues/places.html", page | bench(request, ("places", 0)))
