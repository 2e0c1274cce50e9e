"""Facilities with their hours, as every request needs them."""

from __future__ import annotations

from portal.people.models import Facility
from portal.people.reference import remembered


def facility(pk: int) -> Facility:
    """The facility with its calendar and closures. It is shared: read it, and change another one."""
    return _all()[pk]


@remembered
def _all() -> dict[int, Facility]:
    """Read at once: place by place, a process was at it for its first thousand requests."""
    rows = Facility.objects.select_related("calendar").prefetch_related("calendar__closures")
    return {row.pk: row for row in rows}
