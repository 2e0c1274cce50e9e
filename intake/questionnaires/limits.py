"""The limits an author set on an answer, read and checked once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import re2

from . import extensions as ext
from .fhirpath.values import temporal
from .items import Limits
from .problems import Findings

NUMBERS = frozenset({"integer", "decimal", "quantity"})
TIMES = frozenset({"date", "dateTime", "time"})
TEXTS = frozenset({"string", "text", "url", "open-choice"})
TAKEN = ("image/", "application/pdf", "*/*")
VALIDATION_TEXT = "validationtext"


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def read_limits(
    entry: Mapping[str, Any], path: str, kind: str, flags: Mapping[str, bool], findings: Findings
) -> Limits:
    """Every limit of one item. A limit that can't be kept, or can't be understood, is refused."""

    def whole(url: str, feature: str, lowest: int = 0) -> int | None:
        value = ext.value_of(entry, url)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < lowest:
            findings.refuse(
                f"{path}.extension", feature, f"“{feature}” must be a whole number from {lowest} up."
            )
            return None
        return value

    max_length = entry.get("maxLength")
    if max_length is not None and (
        isinstance(max_length, bool) or not isinstance(max_length, int) or max_length < 1
    ):
        findings.refuse(f"{path}.maxLength", "maxLength", "“maxLength” must be a whole number above 0.")
        max_length = None
    min_occurs, max_occurs = whole(ext.MIN_OCCURS, "minOccurs"), whole(ext.MAX_OCCURS, "maxOccurs", 1)
    if max_occurs is not None and max_occurs > 1 and not flags["repeats"]:
        findings.warn(
            path, "maxOccurs", "It allows several answers, but the item doesn't repeat: one is asked for."
        )
    if min_occurs and max_occurs and min_occurs > max_occurs:
        findings.refuse(path, "minOccurs", "It asks for more answers than it allows.")
    low, high = (_bound(entry, path, kind, which, findings) for which in ("min", "max"))
    if low is not None and high is not None and type(low) is type(high) and low > high:
        findings.refuse(path, "minValue", "The lowest value allowed is above the highest.")
    pattern, hint = _pattern(entry, path, findings)
    mime_types = tuple(str(ext.typed_value(e)[1]) for e in ext.all_of(entry, ext.MIME_TYPE))
    if mime_types and not any(kind.startswith(TAKEN) for kind in mime_types):
        findings.refuse(
            f"{path}.extension",
            "mimeType",
            "It asks for a kind of file that isn't taken: only photos and PDFs are.",
        )
    step = _number(ext.value_of(entry, ext.SLIDER_STEP))
    return Limits(
        min_value=low,
        max_value=high,
        min_length=whole(ext.MIN_LENGTH, "minLength"),
        max_length=max_length,
        decimal_places=whole(ext.DECIMAL_PLACES, "maxDecimalPlaces"),
        pattern=pattern,
        pattern_hint=hint,
        max_size=_number(ext.value_of(entry, ext.MAX_SIZE)),
        mime_types=mime_types,
        min_occurs=min_occurs or 0,
        max_occurs=max_occurs,
        step=step if step is not None and step > 0 else None,
    )


def bound_of(entry: Mapping[str, Any], which: str) -> Mapping[str, Any] | None:
    """The extension that sets the lowest ("min") or the highest ("max") value allowed."""
    urls = (ext.MIN_VALUE, ext.MIN_QUANTITY) if which == "min" else (ext.MAX_VALUE, ext.MAX_QUANTITY)
    return next((found for url in urls if (found := ext.first(entry, url)) is not None), None)


def bound_from(kind: str, value: Any) -> Any:
    """A limit that an expression gave, as limits hold it; None where a question of this kind can't have it."""
    if kind in NUMBERS and not isinstance(value, str):
        return _number(value.get("value") if isinstance(value, Mapping) else value)
    moment = temporal(value) if kind in TIMES and isinstance(value, str) else None
    return value if moment is not None and (moment.kind == "time") == (kind == "time") else None


def _bound(entry: Mapping[str, Any], path: str, kind: str, which: str, findings: Findings) -> Any:
    extension = bound_of(entry, which)
    if extension is None:
        return None
    type_, value = ext.typed_value(extension)
    where = f"{path}.extension"
    feature = f"{which}Value"
    if value is None and ext.told_by_expression(extension) is not None:
        return None  # what it gives is held against each answer
    if value is None:
        findings.refuse(
            where, feature, "The limit is told by something other than a value, which isn't done here."
        )
        return None
    if kind in NUMBERS:
        number = _number(value.get("value") if isinstance(value, Mapping) else value)
        if number is None:
            findings.refuse(where, feature, "The limit of a number must be a number.")
        return number
    if kind in TIMES and type_ in ("date", "dateTime", "time", "instant") and bound_from(kind, value):
        return value
    findings.refuse(where, feature, f"A {kind} can't have a limit of the type {type_}.")
    return None


def _pattern(entry: Mapping[str, Any], path: str, findings: Findings) -> tuple[str | None, str]:
    pattern = ext.value_of(entry, ext.REGEX)
    hint = _validation_text(entry)
    if pattern is None:
        return None, hint
    if not isinstance(pattern, str) or len(pattern) > 2000:
        findings.refuse(
            f"{path}.extension", "regex", "The pattern must be a text of at most 2,000 characters."
        )
        return None, hint
    try:
        pattern = _unslashed(pattern)
        compile_pattern(pattern)
    except _NotPlain as fault:
        findings.refuse(f"{path}.extension", "regex", str(fault))
        return None, hint
    except re2.error:
        findings.refuse(
            f"{path}.extension",
            "regex",
            "The pattern can't be checked in bounded time: look-around and back-references aren't possible.",
        )
        return None, hint
    return pattern, hint


class _NotPlain(Exception):
    """The pattern is written as a program's literal, and can't be told apart from one that means its slashes."""


_SLASHED = re.compile(r"/(.+)/([a-z]*)\Z", re.DOTALL)
_FLAGS = "imsuygdv"  # JavaScript's; those behind “s” change nothing where the whole answer is compared


def _unslashed(pattern: str) -> str:
    """A pattern written between slashes, as JavaScript does (`/^…$/i`), as the plain pattern that R4 asks for.

    Between “/^” and “$/” it can't be meant as it stands, because then no answer would ever fit. Any other pattern in
    slashes could mean them, and is refused rather than guessed at.
    """
    written = _SLASHED.match(pattern)
    if written is None:
        return pattern
    inner, flags = written.groups()
    if not (inner.startswith("^") and inner.endswith("$") and not inner.endswith("\\$")):
        raise _NotPlain(
            "The pattern stands between slashes, as in JavaScript, where they would be part of every answer. Write "
            "it without them."
        )
    if unknown := sorted(set(flags) - set(_FLAGS)):
        raise _NotPlain(f"The pattern has the flag “{unknown[0]}”, which isn't known here.")
    kept = "".join(flag for flag in "ims" if flag in flags)
    return f"(?{kept}){inner}" if kept else inner


def _validation_text(entry: Mapping[str, Any]) -> str:
    """What several systems let an author say beside a pattern; each has an address of its own for it."""
    extensions = entry.get("extension")
    for extension in extensions if isinstance(extensions, list) else ():
        if isinstance(extension, Mapping) and str(extension.get("url")).rpartition("/")[2] == VALIDATION_TEXT:
            return str(ext.typed_value(extension)[1] or "")
    return ""


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    return re2.compile(pattern, options=options)


__all__ = ["Limits", "compile_pattern", "read_limits"]
