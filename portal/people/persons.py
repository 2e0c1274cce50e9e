"""The person a page is about: chosen once, kept in the session, checked at every request."""

from __future__ import annotations

from portal.people.models import Patient, User
from portal.people.requests import Request

SESSION_KEY = "patient"


def reachable(user: User) -> list[Patient]:
    """Everybody this user may act for, themselves first."""
    return list(Patient.objects.reachable_by(user).select_related("facility__calendar"))


def current(request: Request) -> Patient | None:
    """The chosen person, or the only one there is; None where a choice is still to be made or nobody is there."""
    people = reachable(request.user)
    request.people = people
    if len(people) == 1:
        return people[0]
    chosen = request.session.get(SESSION_KEY)
    return next((person for person in people if person.pk == chosen), None)


def choose(request: Request, patient: Patient) -> None:
    request.session[SESSION_KEY] = patient.pk
