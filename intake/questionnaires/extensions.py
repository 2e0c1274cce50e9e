"""The extensions that matter here, by name, and what is done with each.

Everything the form's author may write as an extension falls in one of four kinds: read (its name is a constant
below), carried (it is for other systems and stays in the resource), refused (it would change what the form asks, and
nothing here does it), or unknown (carried, unless it is a modifierExtension).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .problems import Findings

FHIR = "http://hl7.org/fhir/StructureDefinition/"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/"

# Some of these moved between the core specification and SDC, or were renamed: both addresses are read.
_SAME = {
    SDC + "sdc-questionnaire-minQuantity": FHIR + "minQuantity",
    SDC + "sdc-questionnaire-maxQuantity": FHIR + "maxQuantity",
    FHIR + "questionnaire-unitOpen": SDC + "sdc-questionnaire-unitOpen",
    SDC + "sdc-questionnaire-openLabel": SDC + "sdc-questionnaire-openLabel",
    SDC + "sdc-questionnaire-hidden": FHIR + "questionnaire-hidden",
    FHIR + "entryFormat": FHIR + "entryFormat",
    FHIR + "questionnaire-entryFormat": FHIR + "entryFormat",
    SDC + "sdc-questionnaire-ordinalValue": FHIR + "ordinalValue",
    FHIR + "itemWeight": FHIR + "ordinalValue",
    FHIR + "questionnaire-ordinalValue": FHIR + "ordinalValue",
    FHIR + "questionnaire-optionExclusive": FHIR + "questionnaire-optionExclusive",
    FHIR + "targetConstraint": FHIR + "targetConstraint",
    SDC + "sdc-questionnaire-targetConstraint": FHIR + "targetConstraint",
    "http://hl7.org/fhir/StructureDefinition/maxLength": FHIR + "maxLength",
    SDC + "questionnaire-itemControl": FHIR + "questionnaire-itemControl",
    SDC + "variable": FHIR + "variable",
}

ITEM_CONTROL = FHIR + "questionnaire-itemControl"
HIDDEN = FHIR + "questionnaire-hidden"
MIN_OCCURS = FHIR + "questionnaire-minOccurs"
MAX_OCCURS = FHIR + "questionnaire-maxOccurs"
UNIT = FHIR + "questionnaire-unit"
UNIT_OPTION = FHIR + "questionnaire-unitOption"
UNIT_OPEN = SDC + "sdc-questionnaire-unitOpen"
UNIT_VALUE_SET = FHIR + "questionnaire-unitValueSet"
SLIDER_STEP = FHIR + "questionnaire-sliderStepValue"
DISPLAY_CATEGORY = FHIR + "questionnaire-displayCategory"
MEDIA = (SDC + "sdc-questionnaire-itemMedia", SDC + "sdc-questionnaire-itemAnswerMedia")
CALCULATED_VALUE = FHIR + "cqf-calculatedValue"
SUPPORT_LINK = FHIR + "questionnaire-supportLink"
OPTION_EXCLUSIVE = FHIR + "questionnaire-optionExclusive"
OPTION_PREFIX = FHIR + "questionnaire-optionPrefix"
CONSTRAINT = FHIR + "questionnaire-constraint"
TARGET_CONSTRAINT = FHIR + "targetConstraint"
USAGE_MODE = FHIR + "questionnaire-usageMode"
ORDINAL = FHIR + "ordinalValue"
MIN_VALUE = FHIR + "minValue"
MAX_VALUE = FHIR + "maxValue"
MIN_QUANTITY = FHIR + "minQuantity"
MAX_QUANTITY = FHIR + "maxQuantity"
MIN_LENGTH = FHIR + "minLength"
DECIMAL_PLACES = FHIR + "maxDecimalPlaces"
REGEX = FHIR + "regex"
ENTRY_FORMAT = FHIR + "entryFormat"
MAX_SIZE = FHIR + "maxSize"
MIME_TYPE = FHIR + "mimeType"
TRANSLATION = FHIR + "translation"
MARKDOWN = FHIR + "rendering-markdown"
XHTML = FHIR + "rendering-xhtml"
STYLE = FHIR + "rendering-style"
STYLE_SENSITIVE = FHIR + "rendering-styleSensitive"
VARIABLE = FHIR + "variable"
DYNAMIC_TEXT = FHIR + "cqf-expression"
LAUNCH = SDC + "sdc-questionnaire-launchContext"
CALCULATED = SDC + "sdc-questionnaire-calculatedExpression"
INITIAL_EXPRESSION = SDC + "sdc-questionnaire-initialExpression"
ENABLE_EXPRESSION = SDC + "sdc-questionnaire-enableWhenExpression"
ANSWER_EXPRESSION = SDC + "sdc-questionnaire-answerExpression"
CANDIDATES = SDC + "sdc-questionnaire-candidateExpression"
TOGGLE = SDC + "sdc-questionnaire-answerOptionsToggleExpression"
OPEN_LABEL = SDC + "sdc-questionnaire-openLabel"
SHORT_TEXT = SDC + "sdc-questionnaire-shortText"
POPULATION_CONTEXT = SDC + "sdc-questionnaire-itemPopulationContext"
SOURCE_QUERIES = SDC + "sdc-questionnaire-sourceQueries"

ANSWER_CONSTRAINT = (
    "Which answers are allowed is told in a way (R5 answerConstraint) that R4 forms don't use."
)

# Each would change what is asked or what an answer means, and nothing here does it.
REFUSED = {
    SDC
    + "sdc-questionnaire-subQuestionnaire": "The form has to be put together from other forms first ($assemble).",
    FHIR + "questionnaire-signatureRequired": "The form must be signed, and nothing here takes a signature.",
    SDC
    + "sdc-questionnaire-signatureRequired": "The form must be signed, and nothing here takes a signature.",
    "http://hl7.org/fhir/5.0/StructureDefinition/extension-Questionnaire.item.answerConstraint": ANSWER_CONSTRAINT,
}
# Each leaves every question and answer as it is; who imports the form is told what doesn't happen here.
NOT_DONE = {
    SDC
    + "sdc-questionnaire-lookupQuestionnaire": "It may be looked up with another form; here it is asked in words.",
    SDC
    + "sdc-questionnaire-questionnaireAdaptive": "A service is meant to choose the next question; here all are asked.",
}
MODIFIERS_READ = frozenset({STYLE_SENSITIVE})


def canonical(url: str) -> str:
    """One address for an extension that goes by several."""
    url = url.split("|", 1)[0]
    return _SAME.get(url, url)


def all_of(element: Any, url: str) -> Iterator[Mapping[str, Any]]:
    """Every extension of an element with this address."""
    if isinstance(element, Mapping):
        extensions = element.get("extension")
        if isinstance(extensions, list):
            for extension in extensions:
                address = extension.get("url") if isinstance(extension, Mapping) else None
                if isinstance(address, str) and canonical(address) == url:
                    yield extension


def parts_of(extension: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of an extension made of several, by their names."""
    parts = extension.get("extension")
    if not isinstance(parts, list):
        return {}
    told = [part for part in parts if isinstance(part, Mapping)]
    return {str(part.get("url")): typed_value(part)[1] for part in told}


def first(element: Any, url: str) -> Mapping[str, Any] | None:
    return next(all_of(element, url), None)


def typed_value(element: Mapping[str, Any], stem: str = "value") -> tuple[str, Any]:
    """The type and content of a value[x]: {"valueInteger": 3} gives ("integer", 3); ("", None) where there is none."""
    for key, value in element.items():
        if key.startswith(stem) and len(key) > len(stem) and key[len(stem)].isupper():
            name = key[len(stem) :]
            return (
                name
                if name
                in (
                    "Coding",
                    "Quantity",
                    "Reference",
                    "Attachment",
                    "CodeableConcept",
                    "Expression",
                    "Period",
                    "Range",
                )
                else name[0].lower() + name[1:]
            ), value
    return "", None


def told_by_expression(extension: Mapping[str, Any]) -> Any:
    """The expression that gives an extension its value[x] (cqf-calculatedValue, or its older name), or None."""
    for key, twin in extension.items():
        if key.startswith("_value"):
            told = value_of(twin, CALCULATED_VALUE)
            return value_of(twin, DYNAMIC_TEXT) if told is None else told
    return None


def value_of(element: Any, url: str) -> Any:
    """The content of the first extension with this address, or None."""
    extension = first(element, url)
    return typed_value(extension)[1] if extension is not None else None


def tell_not_done(element: Any, path: str, findings: Findings) -> None:
    """Warns of each extension that asks for something that is not done here."""
    for url, what in NOT_DONE.items():
        if value_of(element, url) not in (None, False):
            findings.warn(f"{path}.extension", url.rsplit("/", 1)[-1], what)
