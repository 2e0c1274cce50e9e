"""Whether a quantity is told in a unit that its question is asked in: 3 g must never become 3 kg."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .items import Item, Unit

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


UCUM = "http://unitsofmeasure.org"

# What patients write, in English and Spanish, by its UCUM code (case counts in a code, and in nothing else here). What
# may mean two things is left out: “m” is a minute to one and a metre to another, “t” a spoon or a ton, “units” may be
# those of insulin or of something else.
SPOKEN = {
    "kg": "kg kgs kilo kilos kilogram kilograms kilogramme kilogrammes kilogramo kilogramos",
    "g": "gr gram grams gramo gramos",
    "mg": "milligram milligrams miligramo miligramos",
    "ug": "mcg µg μg microgram micrograms microgramo microgramos",
    "[lb_av]": "lb lbs pound pounds libra libras",
    "[oz_av]": "oz ounce ounces onza onzas",
    "[stone_av]": "stone stones",
    "L": "l liter liters litre litres litro litros",
    "dL": "dl deciliter deciliters decilitre decilitres decilitro decilitros",
    "mL": "ml cc milliliter milliliters millilitre millilitres mililitro mililitros",
    "[tsp_us]": "tsp teaspoon teaspoons cucharadita cucharaditas",
    "[tbs_us]": "tbsp tablespoon tablespoons cucharada cucharadas",
    "cm": "cm centimeter centimeters centimetre centimetres centímetro centímetros centimetro centimetros",
    "mm": "mm millimeter millimeters millimetre millimetres milímetro milímetros milimetro milimetros",
    "km": "km kilometer kilometers kilometre kilometres kilómetro kilómetros kilometro kilometros",
    "[in_i]": "in inch inches pulgada pulgadas",
    "[ft_i]": "ft foot feet pie pies",
    "[mi_i]": "mile miles milla millas",
    "s": "sec secs second seconds segundo segundos",
    "min": "min mins minute minutes minuto minutos",
    "h": "h hr hrs hour hours hora horas",
    "d": "day days día días dia dias",
    "wk": "week weeks semana semanas",
    "mo": "month months mes meses",
    "a": "yr yrs year years año años ano anos",
    "Cel": "°c celsius",
    "[degF]": "°f fahrenheit",
    "%": "percent",
    "mm[Hg]": "mmhg",
    "mg/dL": "mg/dl",
    "mmol/L": "mmol/l",
    "g/dL": "g/dl",
    "/min": "bpm",
    "kcal": "kcal kilocalorie kilocalories kilocaloría kilocalorías",
    "[iU]": "iu ui",
}
_CODES = {word: code for code, words in SPOKEN.items() for word in words.split()}


# UCUM codes that nobody writes so; what stands on a scale or a cuff instead.
WRITTEN = {
    "[lb_av]": "lb",
    "[oz_av]": "oz",
    "[in_i]": "in",
    "[ft_i]": "ft",
    "[degF]": "°F",
    "Cel": "°C",
    "mm[Hg]": "mmHg",
    "[iU]": "IU",
    "ug": "µg",
}


def readable(label: str) -> str:
    """A unit's name as people read it: a code of UCUM may stand in for one, and its notes are put in braces."""
    return WRITTEN.get(label) or re.sub(r"\{([^{}]+)\}", r"\1", label)


def typed_unit(item: Item, typed: str) -> Unit | None:
    """What somebody wrote as a unit, where that is sure: one of those offered, by its code or name, or else a common
    one of UCUM, in the words as they were written. None leaves it at them."""
    words = " ".join(typed.split())
    for unit in item.units:
        if words in (unit.key, unit.label) or words.casefold() == unit.label.casefold():
            return unit
    code = words if words in SPOKEN else _CODES.get(words.rstrip(".").casefold())
    return Unit(code, words, code, UCUM) if code else None
