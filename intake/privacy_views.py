"""Privacy pages: who can act for whom, ending it, who opened or changed a record, and the quick way out."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from audit.actions import record_read
from intake import privacy
from intake.grants import kinds_of
from portal.people import actions as people
from portal.people import persons
from portal.people.models import Facility, Invitation, Patient, Proxy
from portal.people.policies import Refused, check_ends_grant
from portal.people.requests import Request, key_of


@require_GET
def access(request: Request) -> HttpResponse:
    """Who can act for me, and for whom I act; with a way to end each."""
    patient = persons.current(request)
    rows = list(
        _grants(request).select_related("user", "patient__facility__calendar").order_by("-since", "-pk")
    )
    own = [_told(row, request) for row in rows if row.patient.user_id == request.user.pk]
    mine = [_told(row, request) for row in rows if row.user_id == request.user.pk]
    me = Patient.objects.filter(user=request.user).select_related("facility__calendar").first()
    asks_me = Invitation.objects.open().filter(user=request.user).select_related("patient__facility")
    if not (rows or me or asks_me):
        raise Http404
    shown = {row.patient_id for row in rows} | ({me.pk} if me else set())
    record_read("intake.access.read", by=request.user, patients=sorted(shown))
    return render(
        request,
        "intake/access.html",
        {
            "me": me,
            "asks_me": asks_me,
            "asked": [(row, kinds_of(row)) for row in me.invitations.open().order_by("-pk")] if me else [],
            "patient": patient,
            "for_me": own,
            "by_me": mine,
        },
    )


@require_http_methods(["GET", "POST"])
def end_access(request: Request, pk: int) -> HttpResponse:
    """Asks once, then ends it at once."""
    proxy = get_object_or_404(_grants(request).filter(ended_at__isnull=True), pk=pk)
    patient = persons.current(request)
    try:
        check_ends_grant(proxy, request.user)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("access")
    if request.method == "POST":
        people.end_proxy(proxy=proxy, by=request.user)
        messages.success(request, _("It is ended. Both of you get a mail that says so."))
        return redirect("access")
    record_read("intake.access.read", by=request.user, patients=[proxy.patient_id])
    return render(
        request, "intake/access_end.html", {"patient": patient, "proxy": proxy, "told": _told(proxy, request)}
    )


@require_GET
def access_log(request: Request) -> HttpResponse:
    """Who opened or changed the record, when, in plain words, a page at a time."""
    patient = persons.current(request)
    if patient is None:
        raise Http404
    before = key_of(request.GET.get("before", ""))
    log = privacy.log(patient, request.user, before=before)
    record_read("intake.access.log", by=request.user, patients=[patient.pk])
    return render(
        request,
        "intake/access_log.html",
        {
            "patient": patient,
            "lines": log.lines,
            "earlier": log.earlier,
            "later": before is not None,
            "whole": patient.user_id == request.user.pk,
        },
    )


@login_not_required
@never_cache
@require_GET
def away(request: Request) -> HttpResponse:
    """The quick way out: a page that says nothing of what was open, and a log-in that is over, so that “back” in the
    browser shows nothing either. What was typed is kept in the draft."""
    # A page of somebody else's must not log people out.
    if request.user.is_authenticated and request.headers.get("Sec-Fetch-Site", "same-origin") != "cross-site":
        logout(request)
    response = render(request, "intake/away.html", {"places": Facility.objects.order_by("name")})
    response["Clear-Site-Data"] = '"cache"'
    return response


def _grants(request: Request) -> QuerySet[Proxy]:
    """Grants on this person, and those this person holds."""
    return Proxy.objects.filter(
        Q(patient__user=request.user)
        | Q(user=request.user, pk__in=Proxy.objects.open_to(request.user).values("pk"))
        | Q(user=request.user, ended_at__isnull=False)
    )


def _told(row: Proxy, request: Request) -> dict[str, object]:
    open_now = Proxy.objects.open().filter(pk=row.pk).exists()
    try:
        check_ends_grant(row, request.user)
        can_end = open_now
    except Refused:
        can_end = False
    return {
        "row": row,
        "open": open_now,
        "can_end": can_end,
        "kinds": kinds_of(row),
        "ends_of_age": row.relationship in (Proxy.Relationship.PARENT, Proxy.Relationship.GUARDIAN)
        and row.until is None,
    }
