"""Every write to the cached charts."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from audit.actions import Kind as EventKind
from audit.actions import record
from audit.now import now
from portal.people.models import Patient, User
from portal.records.fhir import Entry
from portal.records.models import Chart, ChartEntry


@transaction.atomic
def keep_chart(
    *, patient: Patient, source: str, kinds: Iterable[str], entries: Iterable[Entry], by: User | None
) -> Chart:
    """Keep what the record gave for these kinds, in place of what it gave before. Other kinds stay as they are.

    A kind without an entry means that the record holds none: a different thing from not having been asked.
    """
    kinds, entries = set(kinds), list(entries)
    chart, _new = Chart.objects.select_for_update().get_or_create(
        patient=patient, defaults={"source": source}
    )
    chart.source, chart.read_at, chart.kinds = source, now(), sorted({*chart.kinds, *kinds})
    chart.save()
    chart.entries.filter(kind__in=kinds).delete()
    ChartEntry.objects.bulk_create(
        ChartEntry(
            chart=chart,
            kind=entry.kind,
            text=entry.text[:200],
            detail=entry.detail[:200],
            system=entry.system[:100],
            code=entry.code[:40],
            since=entry.since,
            resource=entry.resource,
        )
        for entry in entries
        if entry.kind in kinds
    )
    record(
        "records.chart.read-in",
        by=by,
        kind=EventKind.UPDATE,
        patients=[patient.pk],
        entity=chart,
        detail={"kinds": sorted(kinds), "entries": len(entries)},
    )
    return chart
