"""Facilities with their hours, as every request needs them."""

from __future__ import annotations

from portal.people.models import Facility
from portal.people.reference import remembered


@remembered
def facility(pk: int) -> Facility:
    """The facility with its calendar and closures. It is shared: read it, and change another one."""
    return Facility.objects.select_related("calendar").prefetch_related("calendar__closures").get(pk=pk)
