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
