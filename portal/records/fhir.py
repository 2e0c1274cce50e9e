"""FHIR R4 resources as lines of a chart. Pure: what can't be read is None, and nothing raises for odd content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from portal.records.models import Kind

Resource = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """One line of a chart before it is kept. `since` is the day it began, was given or was seen."""

    kind: str
    text: str
    detail: str = ""
    system: str = ""
    code: str = ""
    since: date | None = None
    resource: Resource = field(default_factory=dict)


KINDS = {
    "AllergyIntolerance": Kind.ALLERGY,
    "MedicationRequest": Kind.MEDICATION,
    "Condition": Kind.PROBLEM,
    "Encounter": Kind.VISIT,
    "Immunization": Kind.VACCINE,
}


def entry_of(resource: Resource) -> Entry | None:
    """The line that this resource makes; None for one that is over, refuted, or says nothing that can be shown."""
    reader = READERS.get(resource.get("resourceType", ""))
    entry = reader(resource) if reader else None
    return entry if entry and entry.text else None


def subject_of(resource: Resource) -> list[str]:
    """The names by which it points at its patient: the id of a reference, an identifier's value."""
    pointer = _dict(resource.get("patient") or resource.get("subject"))
    found = []
    reference = pointer.get("reference")
    if isinstance(reference, str):
        # `Patient/17`, `urn:uuid:…`, or a search such as `Patient?identifier=system|value`.
        found.append(reference.rpartition("|" if "?" in reference else "/")[2].removeprefix("urn:uuid:"))
    value = _dict(pointer.get("identifier")).get("value")
    return [*found, *([value] if isinstance(value, str) else [])]


def _allergy(resource: Resource) -> Entry | None:
    if _status(resource, "clinicalStatus") in ("inactive", "resolved") or _wrong(resource):
        return None
    reactions = [
        _text(each)
        for reaction in _list(resource.get("reaction"))
        for each in _list(_dict(reaction).get("manifestation"))
    ]
    detail = ", ".join(filter(None, reactions))
    if resource.get("criticality") == "high":
        detail = f"{detail}; high risk" if detail else "high risk"
    return _entry(Kind.ALLERGY, resource.get("code"), resource, resource.get("recordedDate"), detail)


def _medication(resource: Resource) -> Entry | None:
    if resource.get("status") not in ("active", "on-hold") or resource.get("intent") == "proposal":
        return None
    medicine = resource.get("medicationCodeableConcept")
    if not medicine:
        display = _dict(resource.get("medicationReference")).get("display")
        medicine = {"text": display} if isinstance(display, str) else None
    doses = [_dict(each).get("text") for each in _list(resource.get("dosageInstruction"))]
    detail = "; ".join(each for each in doses if isinstance(each, str))
    if resource.get("status") == "on-hold":
        detail = f"on hold; {detail}".rstrip("; ")
    return _entry(Kind.MEDICATION, medicine, resource, resource.get("authoredOn"), detail)


def _problem(resource: Resource) -> Entry | None:
    if _status(resource, "clinicalStatus") in ("inactive", "remission", "resolved") or _wrong(resource):
        return None
    since = resource.get("onsetDateTime") or resource.get("recordedDate")
    return _entry(Kind.PROBLEM, resource.get("code"), resource, since)


def _visit(resource: Resource) -> Entry | None:
    if resource.get("status") not in ("finished", "in-progress"):
        return None
    what = next(iter(_list(resource.get("type"))), None)
    who = [_dict(_dict(each).get("individual")).get("display") for each in _list(resource.get("participant"))]
    why = [_text(each) for each in _list(resource.get("reasonCode"))]
    detail = ", ".join(each for each in [*who[:1], *why[:1]] if isinstance(each, str) and each)
    return _entry(Kind.VISIT, what, resource, _dict(resource.get("period")).get("start"), detail)


def _vaccine(resource: Resource) -> Entry | None:
    if resource.get("status") != "completed":
        return None
    return _entry(Kind.VACCINE, resource.get("vaccineCode"), resource, resource.get("occurrenceDateTime"))


READERS: dict[str, Callable[[Resource], Entry | None]] = {
    "AllergyIntolerance": _allergy,
    "MedicationRequest": _medication,
    "Condition": _problem,
    "Encounter": _visit,
    "Immunization": _vaccine,
}


def _entry(kind: Kind, concept: Any, resource: Resource, since: Any, detail: str = "") -> Entry:
    coding = _dict(next(iter(_list(_dict(concept).get("coding"))), None))
    return Entry(
        kind=kind,
        text=_text(concept),
        detail=detail,
        system=str(coding.get("system") or ""),
        code=str(coding.get("code") or ""),
        since=_day(since),
        resource=resource,
    )


def _text(concept: Any) -> str:
    concept = _dict(concept)
    texts = [concept.get("text"), *(_dict(each).get("display") for each in _list(concept.get("coding")))]
    found = next((each for each in texts if isinstance(each, str) and each.strip()), "")
    return found.replace("\x00", "").strip()


def _status(resource: Resource, name: str) -> str:
    codes = [_dict(each).get("code") for each in _list(_dict(resource.get(name)).get("coding"))]
    return next((each for each in codes if isinstance(each, str)), "")


def _wrong(resource: Resource) -> bool:
    return _status(resource, "verificationStatus") in ("refuted", "entered-in-error")


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if isinstance(text, str) else None
    except ValueError:
        return None  # FHIR allows a year, or a year and a month: no day is known then


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
