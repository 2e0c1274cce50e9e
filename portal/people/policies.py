"""How an action says no: with a sentence that the person in front of the page can read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _


class Refused(Exception):
    """An action was not done, and nothing of it is stored. `str(error)` is a translated sentence for the page."""


def check_relationship(relationship: str, patient: Any) -> None:
    """A parent's grant is for a child: on a grown-up it would open nothing."""
    if relationship == "parent" and patient.age >= patient.facility.majority_age:
        raise Refused(_("This patient is of age. Choose another relationship than parent."))


def may_keep_confidential(patient: Any, by: Any) -> bool:
    """Whether this person may keep a request from those who act for the patient: only the patient, and from the
    facility's age on. An adult is asked only while somebody acts for them."""
    if patient.user_id is None or patient.user_id != by.pk or patient.age < patient.facility.confidential_age:
        return False
    return patient.age < patient.facility.majority_age or patient.proxies.open().exists()


# Who enters at the clinic who acts for whom: those who see the papers of both at the desk, and the lead.
REGISTERING = ("front-desk", "lead")


def may_register_proxies(patient: Any, by: Any) -> bool:
    """Whether this person enters who acts for this patient: in that role, at the patient's facility or centrally."""
    roles = by.staff_roles.current().filter(role__in=REGISTERING)
    return patient.user_id != by.pk and any(
        row.facility_id in (None, patient.facility_id) for row in roles.only("facility")
    )


def check_asks_proxy(patient: Any, by: Any) -> None:
    """Grown-ups decide themselves who acts for them; for all others, and for who asks for it, the clinic enters it."""
    if may_register_proxies(patient, by):
        return
    if patient.user_id is None or patient.user_id != by.pk:
        raise Refused(
            _("Only the patient, or the front desk of their clinic, can ask somebody to act for them.")
        )
    if patient.age < patient.facility.majority_age:
        raise Refused(_("Until you are of age the clinic enters who acts for you. Please call us."))


def check_ends_grant(proxy: Any, by: Any) -> None:
    """The patient ends what they gave, the proxy what they have, and the clinic what is wrong. A child below the
    facility's age for that can't shut a parent out. What waits for a yes is ended by the same people."""
    if by.pk == proxy.user_id or may_register_proxies(proxy.patient, by):
        return
    patient = proxy.patient
    if patient.user_id is None or patient.user_id != by.pk:
        raise Refused(_("Only the patient, or the one who acts for them, can end this."))
    young = patient.age < patient.facility.majority_age
    if young and proxy.relationship in ("parent", "guardian"):
        raise Refused(
            _(
                "Until you are of age a parent or guardian stays. Please call us if you don't feel safe with that."
            )
        )


# What rooms above have against taking requests of a facility's patients, as sentences.
before_open: list[Callable[[Any], list[str]]] = []


def check_opening(facility: Any) -> None:
    """Refuses to open a facility that some requests would find nobody at."""
    said = [sentence for ask in before_open for sentence in ask(facility)]
    if said:
        raise Refused(" ".join(said))


def check_open(facility: Any) -> None:
    if facility.opened_at is None:
        raise Refused(
            _("%(place)s is not open yet: its queues are still being set up.") % {"place": facility.name}
        )


# What rooms above have against somebody's leaving, as sentences: asked after the change, inside its transaction.
after_leaving: list[Callable[[Any], list[str]]] = []


def check_left(user: Any) -> None:
    """Refuses where work would be left lying: the account was closed, or a role ended, and nobody else is there."""
    said = [sentence for ask in after_leaving for sentence in ask(user)]
    if said:
        raise Refused(" ".join(said))
