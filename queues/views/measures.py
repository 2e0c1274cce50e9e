"""The figures: a page, the same tables as files, and waits by language and place."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from audit.actions import record_read
from portal.people.requests import Request
from queues.measures import report
from queues.measures.figures import COLUMNS, Figures, Share, Wait
from queues.measures.suppression import FEWEST
from queues.views.frame import bench

BY = {
    "role": gettext_lazy("role"),
    "queue": gettext_lazy("queue"),
    "type": gettext_lazy("request type"),
    "facility": gettext_lazy("facility"),
}
CREDIT = ("tasks", "steps", "replies", "calls", "resolved", "questions answered", "minutes", "after hours")
MOST = 50  # rows of a table on the page: those where most happened; all of them are in the file, and one click away
RISKY = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets take for a formula


@require_GET
def measures(request: Request) -> HttpResponse:
    """How much came in, how long it took, what reached a physician and what that cost, and who did the work."""
    scope = _scope(request)
    period = report.Period.of(request.GET.get("from", ""), request.GET.get("to", ""))
    table = request.GET.get("csv", "")
    by = request.GET.get("by", "")
    by = by if by in BY else "role"
    if table and table not in TABLES:
        raise Http404
    _record(request, scope, f"{period.first:%Y-%m}–{period.last:%Y-%m}", table or by)
    if table:
        heads, rows = TABLES[table](scope, period, table)
        return _csv(heads, rows, f"measures-{table}-{period.first:%Y-%m}-{period.last:%Y-%m}")
    whole = report.whole(scope, period)
    groups, people = report.groups(by, scope, period), report.people(scope, period)
    most = None if "all" in request.GET else MOST
    context = {
        "scope": scope,
        "period": period,
        "months": report.months(),
        "by": by,
        "tabs": [(code, label) for code, label in BY.items() if code != "facility" or len(scope.places) > 1],
        "groups": groups,
        "weeks": report.weeks(scope, period),
        "baselines": report.baselines(whole, _("Everything to the doctor")),
        "outcomes": report.outcomes(whole),
        "people": people,
        "whole": whole,
        "requests": whole["tasks"],
        "questions": whole["questions"],
        "doctor_minutes": whole["doctor minutes"],
        "answer": whole.wait("answer", 0.5),
        "kept": whole.share("answers kept", "answer promises"),
        "late": whole.share("late", "tasks"),
        "physician": whole.share("reached", "routed"),
        "under": whole.share("under", "assessed"),
        "returned": whole.share("returned", "resolved"),
        "columns": COLUMNS,
        "rows": [(group, [column.of(group.figures) for column in COLUMNS]) for group in groups[:most]],
        "total": [column.of(whole) for column in COLUMNS],
        "credit": [(group.name, [group.figures[name] for name in CREDIT]) for group in people[:most]],
        "waiting": report.waiting(),
        "query": _query(request),
    }
    return render(request, "queues/measures.html", context | bench(request, ("measures", 0)))


@require_GET
def fairness(request: Request) -> HttpResponse:
    """Who waits how long, and whose requests reach a physician, by language and place; small cells are not shown."""
    scope = _scope(request)
    quarter = report.Quarter.of(request.GET.get("quarter", ""))
    rows = report.by_language(scope, quarter)
    _record(request, scope, quarter.code, "language")
    if request.GET.get("csv"):
        lines = [[row.place or _("all"), row.language or _("all"), *_fair(row.figures)] for row in rows]
        return _csv([_("Facility"), _("Language"), *FAIR], lines, f"measures-language-{quarter.code}")
    quarters = [report.Quarter.of("")]
    for _number in range(7):
        quarters.append(quarters[-1].before)
    context = {
        "scope": scope,
        "quarter": quarter,
        "quarters": quarters,
        "rows": [(row, _fair(row.figures)) for row in rows],
        "headings": FAIR,
        "fewest": FEWEST,
        "query": _query(request),
    }
    return render(request, "queues/fairness.html", context | bench(request, ("measures", 0)))


FAIR = (
    gettext_lazy("Requests"),
    gettext_lazy("First answer"),
    gettext_lazy("9 in 10 within"),
    gettext_lazy("In time"),
    gettext_lazy("Resolved"),
    gettext_lazy("Physician"),
    gettext_lazy("Late"),
)


def _fair(figures: Figures | None) -> list[Any]:
    """The same cells for the page and the file; nothing of a group that is too small."""
    if figures is None:
        return [_("fewer than %(n)d, or hidden with them") % {"n": FEWEST}, *["–"] * (len(FAIR) - 1)]
    return [
        figures["tasks"],
        figures.wait("answer", 0.5),
        figures.wait("answer", 0.9),
        figures.share("answers kept", "answer promises"),
        figures.wait("end", 0.5),
        figures.share("reached", "routed"),
        figures.share("late", "tasks"),
    ]


def _scope(request: Request) -> report.Scope:
    found = report.scope(request.user, request.GET.get("place", ""))
    if found is None:
        raise Http404
    return found


def _record(request: Request, scope: report.Scope, period: str, table: str) -> None:
    """Counts only, so no patient is named; who looked at which figures is kept all the same."""
    detail = {"places": scope.keys, "period": period, "table": table, "file": bool(request.GET.get("csv"))}
    record_read("queues.measures.read", by=request.user, patients=(), detail=detail)


def _query(request: Request) -> str:
    """What was chosen, to go on with in another link."""
    kept = request.GET.copy()
    for name in ("csv", "by", "all"):
        kept.pop(name, None)
    return kept.urlencode()


# ---- files ----------------------------------------------------------------------------------------------------------

Table = tuple[Sequence[Any], list[list[Any]]]  # headings and rows


def _groups(scope: report.Scope, period: report.Period, table: str) -> Table:
    lines = [(group.name, group.place, group.figures) for group in report.groups(table, scope, period)]
    lines.append((_("all"), "", report.whole(scope, period)))
    heads = [table, "place", *(column.code for column in COLUMNS)]
    return heads, [
        [name, place, *(column.of(figures) for column in COLUMNS)] for name, place, figures in lines
    ]


def _weeks(scope: report.Scope, period: report.Period, _table: str) -> Table:
    rows = [
        [week.start.isoformat(), week.requests, week.reached, week.late]
        for week in report.weeks(scope, period)
    ]
    return ["week_from", "requests", "reached_physician", "late"], rows


def _baselines(scope: report.Scope, period: report.Period, _table: str) -> Table:
    found = report.baselines(report.whole(scope, period), _("Everything to the doctor"))
    return ["baseline", "then", "now", "reduction"], [
        [row.name, row.then, row.now, row.reduction] for row in found
    ]


def _outcomes(scope: report.Scope, period: report.Period, _table: str) -> Table:
    found = report.outcomes(report.whole(scope, period))
    return ["outcome", "requests", "share"], [[label, share.part, share] for label, share in found]


def _people(scope: report.Scope, period: report.Period, _table: str) -> Table:
    heads = ["person", *(name.replace(" ", "_") for name in CREDIT)]
    found = report.people(scope, period)
    return heads, [[group.name, *(group.figures[name] for name in CREDIT)] for group in found]


TABLES: dict[str, Callable[[report.Scope, report.Period, str], Table]] = dict.fromkeys(BY, _groups) | {
    "weeks": _weeks,
    "baselines": _baselines,
    "outcomes": _outcomes,
    "people": _people,
}


def _csv(heads: Sequence[Any], rows: Iterable[Sequence[Any]], name: str) -> HttpResponse:
    """A file of a table: shares from 0 to 1, waits in minutes."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response["Cache-Control"] = "no-store"
    writer = csv.writer(response)
    writer.writerow(heads)
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    return response


def _plain(cell: Any) -> Any:
    if isinstance(cell, Share):
        return "" if cell.value is None else round(cell.value, 4)
    if isinstance(cell, Wait):
        return "" if cell.minutes is None else cell.minutes
    if isinstance(cell, str) and cell.startswith(RISKY):
        return f"'{cell}"
    return cell
