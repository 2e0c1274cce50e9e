"""What each staff role may see of a request: one list of fields a role, and nothing outside it is ever shown.

The minimum that the work needs (the "minimum necessary" standard of 45 CFR 164.502(b)). Pages, search and exports
ask `fields_for`; a role that is not on the list sees nothing.
"""

from collections.abc import Iterable
from enum import StrEnum

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    NURSE = "nurse", _("Nurse")
    BILLING = "billing", _("Billing")
    FRONT_DESK = "front-desk", _("Front desk")
    PHYSICIAN = "physician", _("Physician")
    LEAD = "lead", _("Triage lead")


class Field(StrEnum):
    """One kind of thing that a page can show about a request."""

    IDENTITY = "identity"  # name, record number, birth date, language, facility, who writes for whom
    ADMINISTRATIVE = "administrative"  # answers and messages about bills, appointments, forms
    CLINICAL = "clinical"  # answers and messages about health, red flags, the chart


CLINICAL_FIELDS = frozenset({Field.IDENTITY, Field.ADMINISTRATIVE, Field.CLINICAL})
OFFICE_FIELDS = frozenset({Field.IDENTITY, Field.ADMINISTRATIVE})

FIELDS: dict[str, frozenset[Field]] = {
    Role.NURSE: CLINICAL_FIELDS,
    Role.PHYSICIAN: CLINICAL_FIELDS,
    Role.LEAD: CLINICAL_FIELDS,
    Role.BILLING: OFFICE_FIELDS,
    Role.FRONT_DESK: OFFICE_FIELDS,
}


def fields_for(roles: Iterable[str]) -> frozenset[Field]:
    """Everything that somebody with these roles may see."""
    return frozenset().union(*(FIELDS.get(role, frozenset()) for role in roles))
