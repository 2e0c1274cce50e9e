"""What a view gets: a request of somebody who is logged in, since every view but the public ones demands it."""

from __future__ import annotations

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from portal.people.models import Patient, User


class Request(HttpRequest):
    """For annotations. `people` is set by `persons.current`."""

    user: User
    htmx: HtmxDetails
    people: list[Patient]


def key_of(text: str) -> int | None:
    """A row's key as a browser sends it; None for whatever is none."""
    return int(text) if text.isdecimal() and len(text) < 19 else None
