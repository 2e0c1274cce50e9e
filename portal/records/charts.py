"""Reading the cached chart for a page: clinical roles only, one query."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import F

from portal.people.models import User
from portal.people.prepared import Prepared
from portal.people.roles import Field
from portal.records.models import Chart, Kind

# How many lines a page shows of a kind; the newest are what matters of visits and vaccines.
MOST = {Kind.ALLERGY: 12, Kind.MEDICATION: 12, Kind.PROBLEM: 10, Kind.VISIT: 3, Kind.VACCINE: 3}
NEWEST_FIRST = (Kind.VISIT, Kind.VACCINE)


@dataclass
class Section:
    """One kind. `known` tells whether the record gave it: without that, an empty section says nothing."""

    label: str
    kind: str
    known: bool
    lines: list[dict[str, Any]] = field(default_factory=list)
    more: int = 0


@dataclass(frozen=True)
class Reading:
    """What a page shows of a chart, and when it was read."""

    source: str
    read_at: datetime
    sections: list[Section]

    @property
    def background(self) -> str:
        """Problems, medication and allergies in a line each: what a question to a physician begins with."""
        wanted = (Kind.PROBLEM, Kind.MEDICATION, Kind.ALLERGY)
        found = {section.kind: section for section in self.sections}
        return "\n".join(
            f"{found[kind].label}: {', '.join(line['text'] for line in found[kind].lines) or 'none recorded'}."
            for kind in wanted
            if found[kind].known
        )


@Prepared
def _lines(patient: int) -> Any:
    return (
        Chart.objects.filter(patient=patient)
        .order_by("entries__id")
        .values(
            "source",
            "read_at",
            "kinds",
            kind=F("entries__kind"),
            text=F("entries__text"),
            detail=F("entries__detail"),
            since=F("entries__since"),
        )
    )


def chart_of(patient_id: int, viewer: User) -> Reading | None:
    """The chart as it was last read; None where there is none, or where the viewer's roles see nothing of health."""
    if Field.CLINICAL not in viewer.fields:
        return None
    rows: list[Any] = _lines(patient=patient_id)
    if not rows:
        return None
    head = rows[0]
    sections = []
    for kind in Kind:
        lines = [row for row in rows if row["kind"] == kind]
        if kind in NEWEST_FIRST:
            lines.sort(key=lambda row: row["since"] or date.min, reverse=True)
        sections.append(
            Section(
                str(kind.label), kind, kind in head["kinds"], lines[: MOST[kind]], len(lines[MOST[kind] :])
            )
        )
    return Reading(source=head["source"], read_at=head["read_at"], sections=sections)
