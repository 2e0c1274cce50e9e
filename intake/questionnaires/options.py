"""The answers a choice offers: written in the item, or taken from a value set."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from . import extensions as ext
from .items import Option, Wording
from .problems import Findings
from .times import Refused, read_date, read_time
from .valuesets import NotKnown, ValueSets
from .wording import read_wording

if TYPE_CHECKING:
    from .scripts import Scripts

OTHER = "~other"
_TEXT_PARTS = ("system", "version", "code", "display", "reference", "type")
_CODE = re.compile(r"\S+(?:\s\S+)*")
_SPACED = re.compile(r"\s")
_TYPES = frozenset({"Coding", "string", "integer", "date", "time", "Reference"})


def read_options(
    entry: Mapping[str, Any],
    path: str,
    kind: str,
    sets: ValueSets,
    findings: Findings,
    scripts: Scripts | None,
) -> tuple[Option, ...]:
    """The options of an item, in order, each with a key of its own. Refuses a choice that can't be answered."""
    listed, reference = entry.get("answerOption"), entry.get("answerValueSet")
    if kind not in ("choice", "open-choice"):
        if listed or reference:
            findings.refuse(path, "answerOption", "Only a choice can list its answers (R4, que-5).")
        return ()
    if listed and reference:
        findings.refuse(
            path, "answerOption", "Answers are listed twice: as options and as a value set (R4, que-4)."
        )
        return ()
    if listed is not None and not isinstance(listed, list):
        findings.refuse(f"{path}.answerOption", "answerOption", "“answerOption” must be a list.")
        return ()
    if listed:
        _check_selected(entry, listed, path, findings)
        return keyed(_written(listed, path, findings))
    if isinstance(reference, str) and reference:
        try:
            # One tuple for all questions that use the set: forms ask the same hundreds of codes again and again.
            if reference not in sets.options:
                sets.options[reference] = keyed(option_of(coding) for coding in sets.codes(reference))
            return sets.options[reference]
        except NotKnown as fault:
            if kind == "open-choice":
                findings.warn(
                    f"{path}.answerValueSet",
                    "answerValueSet",
                    f"{fault} The question is asked as free text, which an open choice allows.",
                )
            else:
                findings.refuse(
                    f"{path}.answerValueSet", "answerValueSet", f"The answers can't be told. {fault}"
                )
        return ()
    told_otherwise = ext.first(entry, ext.ANSWER_EXPRESSION) or ext.first(entry, ext.CANDIDATES)
    if kind == "choice" and not told_otherwise:
        # R4 allows it: any code may be the answer. A code that is only a name is what words can give.
        findings.warn(path, "answerOption", "The choice lists no answers: it is asked as free text.")
    return ()


def _check_selected(entry: Mapping[str, Any], listed: list[Any], path: str, findings: Findings) -> None:
    """What is chosen beforehand must be what the question can hold."""
    marks = [option.get("initialSelected", False) for option in listed if isinstance(option, Mapping)]
    if not all(isinstance(mark, bool) for mark in marks):
        said = "“initialSelected” must be true or false."
    elif sum(marks) > 1 and not entry.get("repeats"):
        said = "Only a repeated question can start with several answers (R4, que-13)."
    elif any(marks) and entry.get("initial"):
        said = "It has a first answer, and an option that is chosen beforehand; only one may be (R4, que-11)."
    else:
        return
    findings.refuse(f"{path}.answerOption", "initialSelected", said)


def _written(listed: list[Any], path: str, findings: Findings) -> Iterable[Option]:
    for place, entry in enumerate(listed):
        where = f"{path}.answerOption[{place}]"
        type_, value = ext.typed_value(entry) if isinstance(entry, Mapping) else ("", None)
        if type_ not in _TYPES or value is None:
            findings.refuse(
                where,
                "answerOption",
                "An option needs a value: Coding, string, integer, date, time or Reference.",
            )
            continue
        for extension in entry.get("modifierExtension", ()):
            findings.refuse(where, "modifierExtension", f"It changes the option's meaning: {extension}.")
        if type_ in ("Coding", "Reference"):
            if not well_formed(value):
                findings.refuse(where, "answerOption", f"The {type_} isn't built as R4 says, or is empty.")
                continue
            wording = read_wording(value, "display", where, None, findings)
        else:
            if not _fits(type_, value):
                findings.refuse(where, "answerOption", f"The value must be of the type {type_}.")
                continue
            stem = next(key for key in entry if key.startswith("value"))
            wording = read_wording(
                {"text": str(value), "_text": entry.get(f"_{stem}")}, "text", where, None, findings
            )
        yield _option(type_, value, wording, entry)


def _option(type_: str, value: Any, wording: Wording, entry: Mapping[str, Any]) -> Option:
    coding: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
    code = coding.get("code") if type_ == "Coding" else None
    plain = wording.plain or str(code or coding.get("reference") or "")
    wording = Wording(plain, wording.markdown, wording.xhtml, wording.classes, wording.translations)
    prefix = ext.value_of(entry, ext.OPTION_PREFIX) or ext.value_of(coding, ext.OPTION_PREFIX)
    return Option(
        key=str(code or coding.get("reference") or plain),
        type=type_,
        value=_bare(value),
        code=code,
        system=coding.get("system") if type_ == "Coding" else None,
        display=plain,
        wording=wording,
        ordinal=_ordinal(entry, coding, value if type_ == "integer" else None),
        exclusive=True
        in (ext.value_of(entry, ext.OPTION_EXCLUSIVE), ext.value_of(coding, ext.OPTION_EXCLUSIVE)),
        prefix=str(prefix or ""),
        selected=entry.get("initialSelected") is True,
    )


def option_of(coding: Mapping[str, Any]) -> Option:
    """An option from one code of a value set."""
    wording = read_wording(coding, "display", "", None, Findings())
    names = {str(k).lower(): str(v) for k, v in (coding.get("designation") or {}).items()}
    if names:
        wording = Wording(
            wording.plain, wording.markdown, wording.xhtml, wording.classes, {**names, **wording.translations}
        )
    value = {key: coding[key] for key in ("system", "version", "code", "display") if key in coding}
    return _option("Coding", value, wording, coding)


def plain_option(type_: str, value: Any) -> Option:
    """An option that is a plain value: a text, a number, a date."""
    return _option(type_, value, Wording(str(value)), {})


def well_formed(value: Any) -> bool:
    """Is it a Coding or a Reference with something in it, of the right types (R4 datatypes)?"""
    if not isinstance(value, Mapping):
        return False
    told = [value[key] for key in ("code", "display", "reference") if value.get(key)]
    texts = [value[key] for key in _TEXT_PARTS if value.get(key) is not None]
    if not told or not all(isinstance(text, str) for text in texts):
        return False
    return (
        not _SPACED.search(str(value.get("system") or ""))
        and _CODE.fullmatch(str(value.get("code") or "x")) is not None
    )


def _fits(type_: str, value: Any) -> bool:
    if type_ == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if not isinstance(value, str) or not value.strip():
        return False
    if type_ not in ("date", "time"):
        return True
    try:
        return (read_date if type_ == "date" else read_time)(value) == value
    except Refused:
        return False


def _bare(value: Any) -> Any:
    """The value as an answer carries it: what it is, without hints on how it was shown."""
    if isinstance(value, Mapping):
        return {key: value[key] for key in _TEXT_PARTS if value.get(key)}
    return value


def _ordinal(entry: Mapping[str, Any], coding: Mapping[str, Any], number: int | None) -> Decimal | None:
    for element in (
        entry,
        coding,
        entry.get("_valueCoding"),
        entry.get("_valueString"),
        entry.get("_valueInteger"),
    ):
        value = ext.value_of(element, ext.ORDINAL)
        if value is not None:
            try:
                return Decimal(str(value))
            except InvalidOperation:
                return None
    return None


def keyed(options: Iterable[Option]) -> tuple[Option, ...]:
    """Give each option a key no other has: its code, or system|code where two systems share a code."""
    found = list(options)
    counts: dict[str, int] = {}
    for option in found:
        counts[option.key] = counts.get(option.key, 0) + 1
    keyed: dict[str, Option] = {}
    for option in found:
        key = option.key
        if counts[key] > 1 or key == OTHER or not key:
            key = f"{option.system or option.type}|{option.key}"
        while key in keyed:
            if keyed[key].value == option.value:
                break
            key += "'"
        else:
            fields = {name: getattr(option, name) for name in option.__slots__}
            keyed[key] = Option(**{**fields, "key": key})
    return tuple(keyed.values())


__all__ = ["OTHER", "Wording", "option_of", "read_options"]
