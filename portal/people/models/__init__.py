"""People and places: facilities, users and their roles, patients, and who acts for them."""

from portal.people.models.guidance import Guidance
from portal.people.models.invitations import Invitation
from portal.people.models.mail import Mail
from portal.people.models.patients import Patient, Program
from portal.people.models.places import (
    LANGUAGES,
    WEEKDAYS,
    Calendar,
    Closure,
    Facility,
    validate_hours,
    validate_time_zone,
)
from portal.people.models.proxies import (
    PatientGroupPermission,
    PatientUserPermission,
    Proxy,
    reachable,
    reaches,
)
from portal.people.models.users import StaffRole, User, initials, signature, today

__all__ = [
    "Calendar",
    "Closure",
    "Facility",
    "Guidance",
    "Invitation",
    "LANGUAGES",
    "Mail",
    "Patient",
    "PatientGroupPermission",
    "PatientUserPermission",
    "Program",
    "Proxy",
    "StaffRole",
    "User",
    "WEEKDAYS",
    "initials",
    "reachable",
    "reaches",
    "signature",
    "today",
    "validate_hours",
    "validate_time_zone",
]
