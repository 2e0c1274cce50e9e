"""All queues of a person by place: the way to the one that the frame has no room for."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from portal.people.requests import Request, key_of
from queues.lists.directory import directory, sites
from queues.views.frame import bench, staff

MOST = 60  # of more queues the places are shown first


@staff
@require_GET
def places(request: Request) -> HttpResponse:
    """Names of queues and places in the address, and of nobody."""
    words, late = request.GET.get("q", "")[:80], bool(request.GET.get("late"))
    site = key_of(request.GET.get("place", ""))
    rows, every = directory(request.user, words=words, late=late, site=site)
    page = {
        "rows": rows,
        "sites": sites(rows) if len(rows) > MOST else [],
        "every": every,
        "asked": words,
        "late": late,
        "site": rows[0] if site is not None and rows else None,
    }
    return render(request, "queues/places.html", page | bench(request, ("places", 0)))
