"""The people of the demo whom anybody may be: one of each role."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from portal.shell.demo import staff
from portal.shell.demo.patients import ADULT, PARENT, SPANISH, people_of
from portal.shell.demo.staff import Worker, address
from portal.shell.models import DemoClinic

PASSWORD = "come-in-and-look-around"  # noqa: S105  (everybody's, and shown at the door: nobody in here is real)


@dataclass(frozen=True)
class Login:
    """Somebody to log in as: `code` names them in the form, `what` says what there is to see."""

    code: str
    name: str
    role: str
    what: str
    email: str

    @property
    def is_patient(self) -> bool:
        return self.code in ("adult", "spanish", "parent", "teen")


def logins(marker: DemoClinic) -> list[Login]:
    """Patients first, then the staff."""
    people = people_of(marker)
    adult, spanish, parent = people[ADULT], people[SPANISH], people[PARENT]
    first, second = (people[number].given for number in parent.acts_for)
    teen = next(person for person in people if person.is_teen)
    alone = _("has asked for something that no parent sees")
    both = _("writes for %(first)s and %(second)s, and in part for a neighbor") % {
        "first": first,
        "second": second,
    }
    patients = [
        ("adult", adult, _("patient"), _("sends requests and reads the answers")),
        ("spanish", spanish, _("patient, in Spanish"), _("the same pages in Spanish")),
        ("parent", parent, _("parent of two"), both),
        ("teen", teen, _("teenager"), alone),
    ]
    workers: list[tuple[str, Worker, str, str]] = [
        ("nurse", staff.NURSE, _("nurse"), _("refills, symptoms and results at Lakeside")),
        ("billing", staff.BILLING, _("billing"), _("bills of both facilities, and nothing about health")),
        ("front-desk", staff.FRONT_DESK, _("front desk"), _("appointments and papers at Lakeside")),
        ("physician", staff.PHYSICIAN, _("physician"), _("only what needs a physician")),
        ("lead", staff.LEAD, _("triage lead"), _("every nursing queue, and the figures")),
        ("admin", staff.ADMIN, _("routing admin"), _("the rules, the forms and the queues")),
    ]
    return [
        Login(code, person.name, role, what, address(person.name)) for code, person, role, what in patients
    ] + [
        Login(code, ", ".join(filter(None, (worker.name, worker.title))), role, what, worker.email)
        for code, worker, role, what in workers
    ]
