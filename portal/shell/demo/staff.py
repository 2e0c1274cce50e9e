"""Who works at the demo clinic."""

from __future__ import annotations

from dataclasses import dataclass

from portal.people.roles import Role

CENTRAL = ""
DOMAIN = "example.org"


@dataclass(frozen=True)
class Worker:
    """One of the staff. They hold their roles at `places` (codes of facilities, or CENTRAL) and work the queues with
    these `codes` there."""

    name: str
    title: str
    roles: tuple[str, ...]
    places: tuple[str, ...]
    codes: tuple[str, ...] = ()
    language: str = "en"
    is_admin: bool = False
    is_auditor: bool = False

    @property
    def email(self) -> str:
        return address(self.name)


def address(name: str) -> str:
    """grace.okonjo@example.org"""
    plain = name.lower().translate(str.maketrans("áéíóúüñ", "aeiouun"))
    return ".".join("".join(c for c in word if c.isalnum()) for word in plain.split()) + f"@{DOMAIN}"


_NURSING = ("refills", "symptoms", "results")
_DESK = ("appointments", "forms")

NURSE = Worker("Grace Okonjo", "RN", (Role.NURSE,), ("lakeside",), _NURSING)
BILLING = Worker("Marcus Feld", "", (Role.BILLING,), (CENTRAL,), ("billing",))
FRONT_DESK = Worker("Tessa Nguyen", "", (Role.FRONT_DESK,), ("lakeside",), _DESK)
PHYSICIAN = Worker("Samuel Adeyemi", "MD", (Role.PHYSICIAN,), ("lakeside",), ("physician",))
LEAD = Worker(
    "Ingrid Halvorsen",
    "RN",
    (Role.LEAD, Role.NURSE),
    (CENTRAL, "lakeside", "eastside"),
    ("triage", "urgent", *_NURSING),
)
ADMIN = Worker("Priti Raman", "", (), (), is_admin=True)
AUDITOR = Worker("Walter Osei", "", (), (), is_auditor=True)

STAFF = (
    NURSE,
    Worker("Ben Castellano", "LPN", (Role.NURSE,), ("lakeside",), _NURSING),
    FRONT_DESK,
    PHYSICIAN,
    Worker("Anneke de Vries", "MD", (Role.PHYSICIAN,), ("lakeside",), ("physician",)),
    Worker("Lucía Fuentes", "RN", (Role.NURSE,), ("eastside",), _NURSING, language="es"),
    Worker("Omar Haddad", "RN", (Role.NURSE,), ("eastside",), _NURSING),
    Worker("Joyce Pruitt", "", (Role.FRONT_DESK,), ("eastside",), _DESK),
    Worker("Hana Sato", "MD", (Role.PHYSICIAN,), ("eastside",), ("physician",)),
    LEAD,
    Worker("Devon Marsh", "RN", (Role.NURSE,), (CENTRAL,), ("triage", "urgent")),
    Worker("Kofi Boateng", "RN", (Role.NURSE,), (CENTRAL,), ("triage", "urgent")),
    BILLING,
    Worker("Yolanda Price", "", (Role.BILLING,), (CENTRAL,), ("billing",)),
    ADMIN,
    AUDITOR,
)
