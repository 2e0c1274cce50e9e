"""What a person typed, read as the type the question asks for; or a kind sentence that says what to write instead."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .items import Item, Limits, Option
from .limits import compile_pattern
from .options import OTHER
from .times import Refused, compare_times, digits, read_date, read_date_time, read_time, told
from .units import typed_unit

LONGEST = 20_000
# What R4 strings and databases can't hold, and the mark `accept` leaves where such a character was.
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffd]")


@dataclass(frozen=True, slots=True)
class Context:
    """The world a form is filled in, as data. `now` carries the time zone that typed times are meant in.

    `patient` and `user` hold what expressions may read; `attachments` tells what is known of each uploaded file, by
    id (contentType, title, size, url …). None means that nobody checked them.
    """

    today: dt.date
    now: dt.datetime
    patient: Mapping[str, Any] = field(default_factory=dict)
    user: Mapping[str, Any] = field(default_factory=dict)
    attachments: Mapping[str, Mapping[str, Any]] | None = None


# A world for trying a form out before anybody fills it in.
SAMPLE = Context(
    today=dt.date(2024, 1, 15),
    now=dt.datetime(2024, 1, 15, 10, 0, tzinfo=dt.UTC),
    patient={
        "id": "sample",
        "birthDate": "1980-06-01",
        "gender": "female",
        "name": "Sam Sample",
        "language": "en",
    },
    user={"resourceType": "Patient", "id": "sample"},
)


# Not frozen, which takes three times as long to make: a page of a large form makes hundreds.
@dataclass(slots=True)
class Answer:
    """One typed answer, never changed. `type` and `value` are the x and the content of FHIR's value[x]."""

    type: str
    value: Any
    fact: Any
    text: str
    free: str = ""
    option: Option | None = None
    number: Decimal | None = None

    @property
    def ordinal(self) -> Decimal | None:
        return self.option.ordinal if self.option else None


def plain_number(value: Decimal) -> int | float:
    """A JSON number for a decimal: whole ones as int, so that 3 stays 3."""
    return int(value) if value == value.to_integral_value() else float(value)


_WHOLE = re.compile(r"[+-]?[0-9]{1,12}(?:[.,]0{1,6})?\Z")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,15}(?:[.,][0-9]{0,12})?|[.,][0-9]{1,12})\Z")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:[ ,][0-9]{3})+\Z")


def read_decimal(text: str, *, whole: bool = False) -> Decimal:
    typed = digits(text)
    if _GROUPED.match(typed):
        shown = re.sub("[ ,]", "", typed)
        # "1,234" is one thousand to one reader and one and a bit to another.
        raise Refused(_("Write the number without spaces or commas, like %(shown)s.") % {"shown": shown})
    if not (_WHOLE if whole else _DECIMAL).match(typed):
        if whole and _DECIMAL.match(typed):
            raise Refused(_("Write a whole number, with nothing after the point."))
        raise Refused(
            _("Write a number with digits only, like 12.") if whole else _("Write a number, like 12 or 12.5.")
        )
    number = Decimal(typed.replace(",", ".").rstrip(".") or "0")
    if len(number.as_tuple().digits) > 15:
        raise Refused(_("This number is too long."))
    return number.to_integral_value() if whole else number


def _integer(item: Item, text: str) -> Answer:
    number = int(read_decimal(text, whole=True))
    if not -(2**31) <= number < 2**31:
        raise Refused(_("This number is too large."))
    return Answer("integer", number, number, str(number), number=Decimal(number))


def _decimal(item: Item, text: str) -> Answer:
    number = read_decimal(text)
    unit = item.units[0].label if item.units else ""
    return Answer(
        "decimal", plain_number(number), plain_number(number), f"{number:f} {unit}".strip(), number=number
    )


def _url(item: Item, text: str) -> Answer:
    typed = text.strip()
    if not re.match(r"(?:https?|ftp)://[^\s/]+\S*\Z|(?:urn|mailto|tel):\S+\Z", typed, re.IGNORECASE):
        raise Refused(_("Write a web address that starts with https:// and has no spaces."))
    return Answer("uri", typed, typed, typed, free=typed)


def _free(item: Item, text: str) -> Answer:
    kept = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = kept.strip() if item.kind == "string" else kept.strip("\n")
    return Answer("string", kept, kept, kept, free=kept)


def option_answer(option: Option, language: str) -> Answer:
    value = dict(option.value) if isinstance(option.value, dict) else option.value
    fact = option.key if option.type in ("Coding", "Reference") else option.value
    number = Decimal(option.value) if option.type == "integer" else None
    return Answer(option.type, value, fact, option.label(language), option=option, number=number)


def _boolean(item: Item, text: str) -> Answer:
    if text not in ("true", "false"):
        raise Refused(_("Choose yes or no."))
    yes = text == "true"
    return Answer("boolean", yes, yes, _("Yes") if yes else _("No"))


def _quantity(item: Item, text: str, unit_key: str) -> Answer:
    number = read_decimal(text)
    value: dict[str, Any] = {"value": plain_number(number)}
    unit = next((unit for unit in item.units if unit.key == unit_key), None)
    if unit is None and item.unit_open:
        unit = typed_unit(item, unit_key)
    elif unit is None and len(item.units) == 1:
        unit = item.units[0]
    if item.units and unit is None and not (item.unit_open and unit_key.strip()):
        raise Refused(_("Choose the unit for this number."))
    label = unit.label if unit else unit_key.strip() or (item.unit_label.plain if item.unit_label else "")
    if label:
        value["unit"] = label
    if unit and unit.system:
        value["system"] = unit.system
    if unit and unit.code:
        value["code"] = unit.code
    told = f"{number:f} {label}".strip()
    # Words that are no unit may say anything, and are read as all free text is.
    free = "" if unit else unit_key.strip()
    return Answer("Quantity", value, plain_number(number), told, number=number, free=free)


def _attachment(item: Item, text: str, context: Context) -> Answer:
    known = context.attachments
    if known is not None and text not in known:
        raise Refused(_("This file isn't here any more. Please add it again."))
    about = {key: part for key, part in (known or {}).get(text, {}).items() if part is not None}
    value = about or {"url": f"urn:porter:attachment:{text}"}
    limits = item.limits
    if (
        limits.mime_types
        and about.get("contentType")
        and not _allowed(str(about["contentType"]), limits.mime_types)
    ):
        raise Refused(_("This kind of file can't be used here. Please add another."))
    # maxSize is in megabytes (R4 extension maxSize).
    if limits.max_size is not None and Decimal(about.get("size") or 0) > limits.max_size * 1_000_000:
        raise Refused(
            _("This file is too large. The most is %(size)s MB.") % {"size": f"{limits.max_size:f}"}
        )
    return Answer("Attachment", value, 1, str(about.get("title") or _("File")))


def _allowed(content_type: str, allowed: Sequence[str]) -> bool:
    return any(
        content_type == one or (one.endswith("/*") and content_type.startswith(one[:-1])) for one in allowed
    )


def read_answer(
    item: Item, text: str, extra: Mapping[str, str], context: Context, language: str
) -> Answer | None:
    """One typed answer, None for an empty one. Raises Refused. `extra` holds the other parts: unit, time, other."""
    for part in (text, *extra.values()) if extra else (text,):
        if _UNSTORABLE.search(part):
            raise Refused(_("There is a character here that can't be stored. Please write it again."))
        if len(part) > LONGEST:
            raise Refused(too_long(LONGEST, len(part)))
    kind = item.kind
    if kind == "dateTime":
        if not text.strip() and not extra.get("time", "").strip():
            return None
        moment = read_date_time(text, extra.get("time", "").strip(), context.now.tzinfo)
        return Answer("dateTime", moment, moment, told(moment))
    if not text.strip():
        return None
    if kind == "boolean":
        return _boolean(item, text)
    if kind == "integer":
        return _integer(item, text)
    if kind == "decimal":
        return _decimal(item, text)
    if kind == "quantity":
        return _quantity(item, text, extra.get("unit", ""))
    if kind == "date":
        date = read_date(text)
        return Answer("date", date, date, told(date))
    if kind == "time":
        clock = read_time(text)
        return Answer("time", clock, clock, told(clock))
    if kind == "url":
        return _url(item, text)
    if kind == "attachment":
        return _attachment(item, text, context)
    if kind == "reference":
        said = text.strip()
        return Answer("Reference", {"display": said}, said, said, free=said)
    if kind == "choice":
        # A choice without a list: any coding may be the answer, and words give one that has only a name.
        said = text.strip()
        return Answer("Coding", {"display": said}, said, said, free=said)
    return _free(item, text)


def other_answer(text: str) -> Answer:
    """What was written beside the options of an open choice."""
    said = text.strip()
    return Answer("string", said, OTHER, said, free=said)


def too_long(most: int, now: int) -> str:
    return ngettext(
        "Please write at most %(most)d character. There are %(now)d now.",
        "Please write at most %(most)d characters. There are %(now)d now.",
        most,
    ) % {"most": most, "now": now}


def check_limits(item: Item, answer: Answer, limits: Limits) -> str:
    """The first limit this answer breaks, as a sentence; "" when it keeps to all."""
    words = (
        answer.free if answer.type != "Quantity" else ""
    )  # a limit is about the number and not about its unit
    if words:
        size = len(words)
        if limits.max_length is not None and size > limits.max_length:
            return too_long(limits.max_length, size)
        if limits.min_length is not None and size < limits.min_length:
            return ngettext(
                "Please write at least %(least)d character.",
                "Please write at least %(least)d characters.",
                limits.min_length,
            ) % {"least": limits.min_length}
    elif limits.max_length is not None and answer.number is not None and answer.type != "Quantity":
        size = len(f"{answer.number:f}")
        if size > limits.max_length and not answer.option:
            return too_long(limits.max_length, size)
    if limits.pattern is not None and not answer.option:
        subject = words or (str(answer.value) if not isinstance(answer.value, (dict, bool)) else "")
        if subject and not compile_pattern(limits.pattern).fullmatch(subject):
            return limits.pattern_hint or (
                _("Please write it like this: %(format)s") % {"format": item.entry_format}
                if item.entry_format
                else _("This isn't in the form we can use. Please check it.")
            )
    if answer.number is not None and not answer.option:
        return _check_number(limits, answer.number)
    if answer.type in ("date", "dateTime", "time"):
        return _check_time(limits, str(answer.value))
    return ""


def _check_number(limits: Limits, number: Decimal) -> str:
    if limits.decimal_places is not None:
        exponent = number.normalize().as_tuple().exponent
        if isinstance(exponent, int) and -exponent > limits.decimal_places:
            if not limits.decimal_places:
                return _("Write a whole number, with nothing after the point.")
            return ngettext(
                "Write at most %(most)d digit after the point.",
                "Write at most %(most)d digits after the point.",
                limits.decimal_places,
            ) % {"most": limits.decimal_places}
    if limits.min_value is not None and number < limits.min_value:
        return _("The number must be %(bound)s or more.") % {"bound": f"{limits.min_value:f}"}
    if limits.max_value is not None and number > limits.max_value:
        return _("The number must be %(bound)s or less.") % {"bound": f"{limits.max_value:f}"}
    return ""


def _check_time(limits: Limits, value: str) -> str:
    low, high = limits.min_value, limits.max_value
    if low is not None and compare_times(value, low) == -1:
        return _("It must be %(bound)s or later.") % {"bound": told(low)}
    if high is not None and compare_times(value, high) == 1:
        return _("It must be %(bound)s or earlier.") % {"bound": told(high)}
    return ""
