"""Whether a quantity is told in a unit that its question is asked in: 3 g must never become 3 kg."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .items import Unit

# Sets of more than a thousand units, or of every one there is. They leave the unit open, as no set at all does.
ANY_UNIT = frozenset(
    {
        "http://hl7.org/fhir/ValueSet/ucum-common",
        "http://hl7.org/fhir/ValueSet/ucum-units",
        "http://unitsofmeasure.org/vs",
    }
)


def unit_of(units: Sequence[Unit], quantity: Mapping[str, Any]) -> Unit | None:
    """The question's unit that a FHIR Quantity is told in: by its code where it has one, else by its words."""
    code, words, system = quantity.get("code"), quantity.get("unit"), quantity.get("system")
    for unit in units:
        if code and unit.code:
            if code == unit.code and (not system or not unit.system or system == unit.system):
                return unit
        elif (words or code) in (unit.label, unit.key):
            return unit
    return None


def foreign(units: Sequence[Unit], quantity: Any) -> bool:
    """True when the quantity names a unit, and it is none of the question's."""
    if not units or not isinstance(quantity, Mapping):
        return False
    named = bool(quantity.get("code") or quantity.get("unit"))
    return named and unit_of(units, quantity) is None
