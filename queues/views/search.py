"""The search: posted, so that no name or complaint is ever part of an address, and kept in the session for the way
back."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from audit.actions import record_read
from portal.people.requests import Request
from queues.lists.counts import counts
from queues.lists.search import Wanted, find
from queues.views.frame import bench, staff
from queues.views.pieces import compiled

KEY = "search"


@staff
@require_http_methods(["GET", "POST"])
def search(request: Request) -> HttpResponse:
    """Find tasks by patient, reference or text, in the person's own queues, finished ones too."""
    if request.method == "POST":
        request.session[KEY] = Wanted.read(request.POST.get("q", "")).text
        return redirect("search")
    wanted = Wanted.read(request.session.get(KEY, ""))
    counted = counts(request.user)
    found, more = find(wanted, request.user)
    if found:
        record_read(
            "queues.search.read",
            by=request.user,
            patients=[each.line.patient_pk for each in found],
            detail={"tasks": [each.line.pk for each in found]},
        )
    context = {"found": found, "more": more, "heading": _("Search")}
    context["table"] = compiled("queues/found.html", **context, viewer=request.user.pk) if found else ""
    frame = bench(request, ("search", 0), counted=counted, words=wanted.text)
    return render(request, "queues/search.html", context | frame)
