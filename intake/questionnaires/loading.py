"""Taking a questionnaire in, and giving it out again."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from . import extensions as ext
from .checks import check_items
from .items import Questionnaire
from .pages import make_pages
from .parse import ItemReader, check_extensions, check_modifiers
from .problems import Findings
from .reading import check_tree, read, refuse
from .scripts import Scripts
from .trial import try_out
from .valuesets import NotKnown, ValueSets
from .wording import read_wording


def inspect(raw: bytes, *, value_sets: Sequence[Mapping[str, Any]] = ()) -> Questionnaire:
    """A questionnaire from the bytes somebody uploaded. Raises QuestionnaireError, whatever the bytes are."""
    return load(read(raw), value_sets=value_sets)


def inspect_value_sets(raw: bytes) -> list[dict[str, Any]]:
    """What a file given beside a form holds: one ValueSet or CodeSystem, or a Bundle of them.

    Raises QuestionnaireError for anything else. Whether a set can be expanded is told when a form needs it.
    """
    resource = read(raw)
    check_tree(resource)
    found: list[Any] = [resource]
    if resource.get("resourceType") == "Bundle":
        entries = resource.get("entry")
        entries = entries if isinstance(entries, list) else []
        found = [entry.get("resource") if isinstance(entry, Mapping) else None for entry in entries]
    for part in found:
        if not isinstance(part, Mapping) or part.get("resourceType") not in ("ValueSet", "CodeSystem"):
            raise refuse(
                "resourceType", "valueSet", "This is no ValueSet or CodeSystem, nor a Bundle of them."
            )
        if not isinstance(part.get("url"), str):
            raise refuse(f"{part['resourceType']}.url", "url", "Without its “url” no form can refer to it.")
    if not found:
        raise refuse("Bundle.entry", "valueSet", "The bundle holds no value set.")
    return [dict(part) for part in found]


def load(resource: Mapping[str, Any], *, value_sets: Sequence[Mapping[str, Any]] = ()) -> Questionnaire:
    """Read and check an R4 Questionnaire; `value_sets` are ValueSet and CodeSystem resources it may refer to.

    Raises QuestionnaireError with every problem found, when using the form would silently change its meaning. What
    is odd but harmless is in `.warnings`.
    """
    check_tree(resource)
    findings = Findings()
    try:
        q = _read(copy.deepcopy(dict(resource)), value_sets, findings)
    except (AttributeError, TypeError, KeyError, IndexError):
        # R4 says what is a list, an object or a text. Where a form differs in a place no check names, it is no R4.
        findings.refuse("Questionnaire", "resource", "It isn't built as R4 says a Questionnaire is.")
        findings.raise_if_refused()
        raise AssertionError from None
    return replace(q, warnings=tuple(findings.warnings))


def export(q: Questionnaire) -> dict[str, Any]:
    """The questionnaire as a resource again: equal to what was loaded, extensions that were only carried included."""
    return copy.deepcopy(dict(q.resource))


def _read(
    resource: dict[str, Any], value_sets: Sequence[Mapping[str, Any]], findings: Findings
) -> Questionnaire:
    _check_root(resource, findings)
    findings.raise_if_refused()
    sets, scripts = ValueSets(resource.get("contained", []), value_sets), Scripts(resource, findings)
    scripts.open(resource, "Questionnaire")
    items = ItemReader(sets, scripts, findings).read(resource.get("item", []))
    if not items and not findings.problems:
        findings.refuse("Questionnaire.item", "item", "The form has no questions.")
    titles = read_wording(resource, "title", "Questionnaire", scripts, findings)
    language = resource.get("language")
    q = Questionnaire(
        resource=resource,
        title=titles.plain or str(resource.get("name") or ""),
        items=items,
        pages=(),
        variables=scripts.variables_of(resource),
        constraints=scripts.constraints(resource, "Questionnaire"),
        launch=scripts.launch,
        language=language if isinstance(language, str) else "en",
        titles=titles,
    )
    findings.raise_if_refused()
    check_items(q, findings)
    _check_contained(resource, sets, findings)
    findings.raise_if_refused()
    pages, header, footer = make_pages(q)
    q = replace(q, pages=pages, header=header, footer=footer)
    try_out(q, findings)
    findings.raise_if_refused()
    return q


def _check_root(resource: Mapping[str, Any], found: Findings) -> None:
    if resource.get("resourceType") != "Questionnaire":
        kind = resource.get("resourceType")
        said = (
            f"This is a {kind} and not a Questionnaire."
            if isinstance(kind, str)
            else "This is not a Questionnaire."
        )
        found.refuse("resourceType", "resource", said)
    if not isinstance(resource.get("contained", []), list):
        found.refuse("Questionnaire.contained", "contained", "“contained” must be a list of resources.")
    if resource.get("implicitRules"):
        found.refuse(
            "Questionnaire.implicitRules",
            "implicitRules",
            "The form follows rules that are not known here.",
        )
    status = resource.get("status")
    if status not in ("draft", "active", "retired", "unknown"):
        found.warn("Questionnaire.status", "status", "R4 wants a status: draft, active, retired or unknown.")
    elif status == "retired":
        found.warn("Questionnaire.status", "status", "Its author has retired this form.")
    subjects = resource.get("subjectType", [])
    if subjects and "Patient" not in subjects:
        found.warn("Questionnaire.subjectType", "subjectType", "The form is not about a patient.")
    for key in ("url", "version", "name", "language"):
        if not isinstance(resource.get(key, ""), str):
            found.refuse(f"Questionnaire.{key}", key, f"“{key}” must be a text.")
    check_modifiers(resource, "Questionnaire", found)
    check_extensions(resource, "Questionnaire", found)
    for url, why in ext.REFUSED.items():
        if ext.first(resource, url):
            found.refuse("Questionnaire.extension", url.rsplit("/", 1)[-1], why)
    ext.tell_not_done(resource, "Questionnaire", found)


def _check_contained(resource: Mapping[str, Any], sets: ValueSets, findings: Findings) -> None:
    """Faults in contained resources that no question uses don't touch the form."""
    ids: set[str] = set()
    for place, inner in enumerate(resource.get("contained", [])):
        path = f"Questionnaire.contained[{place}]"
        if not isinstance(inner, Mapping) or not inner.get("resourceType"):
            findings.warn(path, "contained", "This is not a resource.")
            continue
        if not inner.get("id") or inner["id"] in ids:
            findings.warn(path, "contained", "A contained resource needs an id of its own.")
        ids.add(str(inner.get("id")))
        if inner["resourceType"] == "ValueSet" and inner.get("id"):
            try:
                sets.codes(f"#{inner['id']}")
            except NotKnown as fault:
                findings.warn(path, "valueSet", str(fault))
