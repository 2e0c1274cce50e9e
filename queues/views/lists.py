"""Lists of tasks: a queue, all of them, what is mine, what waits; and the next one to claim."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.contrib import messages
from django.db import connection
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from audit.actions import record_read
from audit.now import now
from audit.statements import found
from portal.people import prepared
from portal.people.models import Facility, User
from portal.people.policies import Refused
from portal.people.prepared import kept_statements
from portal.people.requests import Request
from queues import actions
from queues.lists import seen
from queues.lists.choices import Choices, options
from queues.lists.counts import Counts, Place, counting, counts, counts_of
from queues.lists.reading import Asked, Mark, marks_of, paged, paging, read_key
from queues.lists.scope import LIVE_STATES, QUEUES
from queues.models import Queue
from queues.shown import Line
from queues.views.frame import bench, staff
from queues.views.pieces import compiled, framed, written

TITLES = {
    "all": gettext_lazy("All my queues"),
    "mine": gettext_lazy("Claimed by me"),
    "waiting": gettext_lazy("Waiting for patient"),
}


@staff
@require_GET
def work(request: Request) -> HttpResponse:
    """The first page of the day: the person's own tasks, or else their first queue."""
    counted = counts(request.user)
    if counted.claimed:
        return redirect("mine")
    worked = [place for place in counted.places if place.worked]
    if len(worked) > 1 or (counted.places and not worked):
        return redirect("all")
    if worked:
        return redirect("queue", worked[0].pk)
    return render(request, "queues/none.html", bench(request, counted=counted))


@staff
@require_GET
def queue(request: Request, pk: int) -> HttpResponse:
    """One queue, what is due first on top."""
    return _list(request, "queue", pk)


@staff
@require_GET
def all_queues(request: Request) -> HttpResponse:
    """Everything in the person's queues in one list."""
    return _list(request, "all")


@staff
@require_GET
def mine(request: Request) -> HttpResponse:
    """Everything this person has claimed."""
    return _list(request, "mine")


@staff
@require_GET
def waiting(request: Request) -> HttpResponse:
    """What this person asked patients about and waits for."""
    return _list(request, "waiting")


@staff
@require_GET
def changes(request: Request) -> HttpResponse:
    """The list on a screen once it has changed; while it hasn't, `Unchanged` answers before anybody is looked up."""
    brought = seen.read(request)
    if brought is None or brought[0].user != request.user.pk:
        # Another person, or a page from before: the browser asks for the whole page again.
        response = HttpResponse(status=204)
        response["HX-Refresh"] = "true"
        return response
    asked, before = brought
    return _answer(
        request,
        asked,
        counts(request.user, here=asked.queue or 0, whole=asked.kind == "all"),
        before=before,
    )


@staff
@require_POST
def claim_next(request: Request) -> HttpResponse:
    """Take the task that should be worked now, from the queue on the page or from all of the person's queues."""
    row = None
    if request.POST.get("queue", "").isdecimal():
        row = Queue.objects.worked_by(request.user).filter(pk=int(request.POST["queue"])).first()
    try:
        claimed = actions.claim_next(by=request.user, queue=row, page_at=_page_at(request))
        said = _("Nothing is waiting to be claimed.")
    except Refused as refused:
        claimed, said = None, str(refused)
    if claimed is None:
        messages.info(request, said)
        return redirect("queue", row.pk) if row else redirect("work")
    return redirect(claimed)


def _page_at(request: Request) -> datetime | None:
    """When the page was made that this comes from."""
    stamp = request.POST.get("page", "")
    try:
        return datetime.fromtimestamp(float(stamp), UTC) if stamp else None
    except (ValueError, OverflowError, OSError):
        return None


def _list(request: Request, kind: str, pk: int = 0) -> HttpResponse:
    after = request.GET.get("after", "")
    asked = Asked(
        kind,
        request.user.pk,
        queue=pk or None,
        choices=Choices.read(request.GET),
        after=after if read_key(after) else "",
    )
    if kind == "all":
        # How its rows are looked for depends on how many queues there are.
        counted = counts(request.user, whole=True)
        return _answer(request, replace(asked, wide=counted.many), counted)
    places, rows = found(counting(request.user, here=pk), paging(asked))
    counted = counts_of(places)
    if kind == "queue" and counted.find(pk) is None:
        raise Http404
    return _answer(request, asked, counted, rows)


@kept_statements()
def _answer(
    request: Request,
    asked: Asked,
    counted: Counts,
    rows: list[tuple[Any, ...]] | None = None,
    *,
    before: list[Mark] | None = None,
) -> HttpResponse:
    """The page, or the part of it that htmx swaps. Either is one audit event with the patients newly on screen."""
    whole = before is None and not (request.htmx and request.htmx.target == "list")
    lines, more = paged(prepared.rows(*paging(asked)) if rows is None else rows, request.user)
    _record(request, asked, lines, before)
    place = counted.find(asked.queue) if asked.queue else None
    heading = str(place) if place else str(TITLES.get(asked.kind, ""))
    frame = bench(
        request,
        (asked.kind, asked.queue or 0),
        counted=counted,
        worked=place.pk if place and place.worked else 0,
        swapped=not whole,
    )
    told = {
        "heading": heading,
        "figures": _figures(place, counted, asked),
        "next": asked.next_page(lines[-1]).query() if more else "",
    }
    pane = _pane(request, asked, lines, told, frame["csrf_token"])
    if whole:
        page = framed(
            "queues/list.html",
            get_language(),
            {name: frame[name] for name in ("many", "leads")},
            **{name: frame[name] for name in ("csrf_token", "top", "queues_panel")},
            said=frame["said"](),
            heading=heading,
            list=pane,
        )
    else:
        page = pane + frame["queues_panel"]
    response = HttpResponse(page)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _pane(request: Request, asked: Asked, lines: list[Line], told: dict[str, Any], token: str) -> SafeString:
    """The list itself, which htmx puts in the place of the one that is there. `told` is what isn't known from what
    is `asked`."""
    language, filtering = get_language(), "filter" in request.GET
    address = reverse("queue", args=[asked.queue]) if asked.queue else reverse(asked.kind)
    known = {
        "chips": asked.choices.chips(),
        "filtering": filtering,
        "any": bool(lines),
        "after": bool(asked.after),
        "first": asked.choices.query() or "?",
        "address": address + asked.query(),
    }
    return written(
        "queues/list.html",
        language,
        told | known,
        csrf=token,
        seen=seen.seal(request, asked, marks_of(lines)),
        filters=_filters(request, asked) if filtering else "",
        rows=_rows(lines, request.user, language, many_queues=asked.kind != "queue"),
    )


def _rows(lines: list[Line], viewer: User, language: str | None, *, many_queues: bool) -> SafeString:
    told = (
        written(
            "queues/row.html",
            language,
            {"row": each, "many_queues": many_queues, "mine": each.owner_pk == viewer.pk},
        )
        for each in lines
    )
    return SafeString("".join(told))


def _record(request: Request, asked: Asked, lines: list[Line], before: list[Mark] | None) -> None:
    known = {(mark[0], mark[1]) for mark in before or []}
    new = [line for line in lines if (line.pk, line.version) not in known]
    if new:
        record_read(
            "queues.list.read",
            by=request.user,
            patients=[line.patient_pk for line in new],
            entity=_named(asked.queue) if asked.queue else None,
            detail={"tasks": [line.pk for line in new]},
        )


@lru_cache(maxsize=4_000)
def _named(pk: int) -> Queue:
    """A queue as events name it: nothing but its key."""
    return Queue(pk=pk)


def _figures(place: Place | None, counted: Counts, asked: Asked) -> Any:
    """How much there is in all; nothing where the list shows a part of it."""
    if asked.choices:
        return None
    if place:
        return place
    if asked.kind == "all" and not counted.many:
        rows = counted.places
        return Place(
            0,
            "",
            "",
            "",
            None,
            worked=True,
            open=sum(row.open for row in rows),
            late=sum(row.late for row in rows),
            urgent=sum(row.urgent for row in rows),
        )
    return None


def _filters(request: Request, asked: Asked) -> str:
    """What can be chosen, read only when somebody opens it."""
    given: dict[str, Any] = {"user": request.user.pk, "today": now().date(), "queue": asked.queue}
    tags = f"""
        SELECT DISTINCT unnest(t.tags) FROM queues_task t WHERE t.queue_id IN (SELECT id FROM ({QUEUES}) seen)
        AND t.state IN {LIVE_STATES}
        AND (%(queue)s::bigint IS NULL OR t.queue_id = %(queue)s) ORDER BY 1 LIMIT 100
    """  # noqa: S608 - from constants; every value is a parameter
    with connection.cursor() as cursor:
        cursor.execute(tags, given)
        found = [(tag, tag) for (tag,) in cursor.fetchall()]
    facilities = [(str(pk), name) for pk, name in Facility.objects.values_list("pk", "name")]
    chosen = asked.choices.chosen()
    fields = options() | {"facility": facilities, "tag": found}
    labels = {
        "urgency": _("Urgency"),
        "late": _("Late"),
        "mine": _("Mine"),
        "unclaimed": _("Unclaimed"),
        "since": _("In for"),
        "facility": _("Facility"),
        "age": _("Age"),
        "language": _("Language"),
        "tag": _("Tag"),
    }
    return compiled(
        "queues/filters.html",
        selects=[
            {"name": name, "label": label, "options": fields[name], "value": chosen.get(name, "")}
            for name, label in labels.items()
            if name not in ("late", "mine", "unclaimed") and fields[name]
        ],
        ticks=[
            {"name": name, "label": labels[name], "on": bool(chosen.get(name))}
            for name in ("late", "mine", "unclaimed")
        ],
    )
