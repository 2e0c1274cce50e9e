"""Which answers a value set holds: contained in the form, given beside it, or one of the few everybody uses.

Nothing is fetched. A value set is expanded only when all of it can be told from what is at hand (R4 ValueSet,
§4.9.8); otherwise it is "not known", and the caller decides whether the form can be used without it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

Coding = dict[str, Any]
MOST_CODES = 50_000


class NotKnown(Exception):
    """The value set can't be expanded here; the text says why."""


@lru_cache(maxsize=1)
def common() -> Mapping[str, dict[str, Any]]:
    """The value sets that come with Porter, by canonical address."""
    text = (Path(__file__).parent / "valuesets.json").read_text(encoding="utf-8")
    return {entry["url"]: entry for entry in json.loads(text)}


class ValueSets:
    """Expands value sets by the address or #id a questionnaire names them with."""

    def __init__(self, contained: Iterable[Mapping[str, Any]], given: Sequence[Mapping[str, Any]]) -> None:
        self._contained = {str(r.get("id")): r for r in contained if isinstance(r, Mapping)}
        self._by_url: dict[str, Mapping[str, Any]] = dict(common())
        self._systems: dict[str, Mapping[str, Any]] = {}
        for resource in (*given, *self._contained.values()):
            url = resource.get("url") if isinstance(resource, Mapping) else None
            if not isinstance(url, str):
                continue
            if resource.get("resourceType") == "CodeSystem":
                self._systems[url] = resource
            elif resource.get("resourceType") == "ValueSet":
                self._by_url[url] = resource
                if isinstance(resource.get("version"), str):
                    self._by_url[f"{url}|{resource['version']}"] = resource
        self.options: dict[str, tuple[Any, ...]] = {}
        self._known: dict[str, list[Coding]] = {}
        self._faults: dict[str, str] = {}

    def codes(self, reference: str) -> list[Coding]:
        """Every code of the value set, in its order. Raises NotKnown."""
        if reference in self._faults:
            raise NotKnown(self._faults[reference])
        if reference not in self._known:
            try:
                self._known[reference] = self._expand(reference, ())
            except NotKnown as fault:
                self._faults[reference] = str(fault)
                raise
        return self._known[reference]

    def find(self, reference: str) -> Mapping[str, Any]:
        if reference.startswith("#"):
            found = self._contained.get(reference[1:])
            if found is None or found.get("resourceType") != "ValueSet":
                raise NotKnown(f"The form holds no value set with the id “{reference[1:]}”.")
            return found
        found = self._by_url.get(reference) or self._by_url.get(reference.split("|", 1)[0])
        if found is None:
            raise NotKnown(f"The value set {reference} isn't in the form, and isn't known here.")
        wanted = reference.partition("|")[2]
        if wanted and isinstance(found.get("version"), str) and found["version"] != wanted:
            raise NotKnown(
                f"Version {wanted} of the value set was asked for, and {found['version']} is at hand."
            )
        return found

    def _expand(self, reference: str, above: tuple[str, ...]) -> list[Coding]:
        if reference in above or len(above) > 20:
            raise NotKnown(f"The value set {reference} contains itself.")
        resource = self.find(reference)
        try:
            codes = self._expand_resource(resource, (*above, reference))
        except (AttributeError, TypeError, KeyError):
            raise NotKnown(f"The value set {reference} is not built as R4 says.") from None
        if len(codes) > MOST_CODES:
            raise NotKnown(f"The value set {reference} has more than {MOST_CODES:,} codes.")
        if not codes:
            raise NotKnown(f"The value set {reference} has no codes.")
        return codes

    def _expand_resource(self, resource: Mapping[str, Any], above: tuple[str, ...]) -> list[Coding]:
        _no_modifiers(resource, resource.get("compose"), resource.get("expansion"))
        expansion = resource.get("expansion")
        if isinstance(expansion, Mapping) and expansion.get("contains"):
            codes, listed = _contained_codes(expansion["contains"])
            total = expansion.get("total")
            # A page of a longer list would silently leave answers out.
            if not (isinstance(total, int) and total > listed and not expansion.get("offset")):
                return _unique(codes)
        compose = resource.get("compose")
        if not isinstance(compose, Mapping):
            raise NotKnown("The value set lists no codes.")
        included = [coding for part in compose.get("include", ()) for coding in self._part(part, above)]
        left_out = {
            (coding.get("system"), coding["code"])
            for part in compose.get("exclude", ())
            for coding in self._part(part, above)
        }
        return _unique(
            [coding for coding in included if (coding.get("system"), coding["code"]) not in left_out]
        )

    def _part(self, part: Mapping[str, Any], above: tuple[str, ...]) -> list[Coding]:
        """One include or exclude: what its concepts, its code system and its other value sets have in common."""
        _no_modifiers(part)
        if part.get("filter"):
            raise NotKnown("Its codes are told by a filter, which needs a terminology server.")
        lists: list[list[Coding]] = []
        system = part.get("system")
        if part.get("concept"):
            lists.append([_coding(concept, system) for concept in part["concept"]])
        elif system:
            lists.append(self._system(system))
        lists.extend(self._expand(reference, above) for reference in part.get("valueSet", ()))
        if not lists:
            raise NotKnown("A part of the value set names no codes.")
        both = set.intersection(*({(c.get("system"), c["code"]) for c in codes} for codes in lists))
        return [coding for coding in lists[0] if (coding.get("system"), coding["code"]) in both]

    def _system(self, url: str) -> list[Coding]:
        resource = self._systems.get(url)
        if resource is None or resource.get("content") not in (None, "complete"):
            raise NotKnown(f"It takes every code of {url}, and that code system isn't at hand.")
        _no_modifiers(resource)
        codes: list[Coding] = []
        waiting = list(reversed(resource.get("concept", [])))
        while waiting:
            concept = waiting.pop()
            codes.append(_coding(concept, url))
            waiting.extend(reversed(concept.get("concept", [])))
        return codes


def _no_modifiers(*elements: Any) -> None:
    """What changes an element's meaning may turn a list of answers into one of those that are not allowed."""
    if any(isinstance(element, Mapping) and element.get("modifierExtension") for element in elements):
        raise NotKnown("A modifier extension in the value set changes its meaning, and isn't known here.")


def _coding(concept: Mapping[str, Any], system: str | None) -> Coding:
    _no_modifiers(concept)
    if not all(isinstance(part, str) for part in (concept["code"], concept.get("display", ""), system or "")):
        raise TypeError("a code, a display or a system is no text")
    coding: Coding = {"code": concept["code"], "display": concept.get("display") or concept["code"]}
    if system:
        coding["system"] = system
    extensions = list(concept.get("extension", ()))
    if extensions:
        coding["extension"] = extensions
    if concept.get("_display"):
        coding["_display"] = concept["_display"]
    names = {
        d["language"]: d["value"]
        for d in concept.get("designation", ())
        if d.get("language") and d.get("value")
    }
    if names:
        coding["designation"] = names
    return coding


def _contained_codes(contains: Sequence[Mapping[str, Any]]) -> tuple[list[Coding], int]:
    """The codes of an expansion that can be chosen, and how many entries it has with those that can't."""
    codes: list[Coding] = []
    listed = 0
    waiting = list(reversed(contains))
    while waiting:
        entry = waiting.pop()
        listed += 1
        if "code" in entry and not entry.get("abstract") and not entry.get("inactive"):
            codes.append(_coding(entry, entry.get("system")))
        waiting.extend(reversed(entry.get("contains", [])))
    return codes, listed


def _unique(codes: Iterable[Coding]) -> list[Coding]:
    seen: dict[tuple[Any, Any], Coding] = {}
    for coding in codes:
        seen.setdefault((coding.get("system"), coding["code"]), coding)
    return list(seen.values())
