"""Public holidays of a country and its states, from the `holidays` library; kept in memory by place and years."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time
from functools import lru_cache
from typing import NamedTuple

import holidays
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from holidays.registry import COUNTRIES


class DayOff(NamedTuple):
    """Why a calendar is closed on a day; `closes_at` says that it is only shorter."""

    name: str
    closes_at: time | None = None


def countries() -> list[tuple[str, str]]:
    """Codes and English names of the countries whose holidays are known, by name."""
    return sorted(
        ((names[1], _spaced(names[0])) for names in COUNTRIES.values()), key=lambda country: country[1]
    )


def _spaced(name: str) -> str:
    """“UnitedStates” as people write it."""
    return "".join(f" {c}" if c.isupper() and at else c for at, c in enumerate(name))


def check_place(country: str, subdivision: str) -> None:
    """Raises ValidationError, by field, for a place whose holidays nobody has written down."""
    if not country:
        if subdivision:
            raise ValidationError({"subdivision": _("A state or region needs its country.")})
        return
    known = dict(countries())
    if country not in known:
        raise ValidationError({"country": _("The holidays of this country are not known here.")})
    parts = holidays.country_holidays(country).subdivisions
    if subdivision and subdivision not in parts:
        raise ValidationError(
            {
                "subdivision": _("%(country)s knows these: %(codes)s.")
                % {"country": known[country], "codes": ", ".join(parts) or _("none")}
            }
        )


@lru_cache(maxsize=256)
def _by_name(country: str, subdivision: str, years: range, category: str) -> tuple[tuple[date, str], ...]:
    if not country:
        return ()
    here = holidays.country_holidays(country)
    if category not in here.supported_categories:
        return ()
    english = next((each for each in here.supported_languages if each.startswith("en")), None)
    found = holidays.country_holidays(
        country, subdiv=subdivision or None, years=years, categories=category, language=english
    )
    return tuple((day, name) for day in sorted(found) for name in found.get_list(day))


def names_of(country: str, subdivision: str, years: range) -> Iterator[tuple[str, date]]:
    """Each holiday's name with its first day in these years, in the order of the year."""
    seen: set[str] = set()
    for category in ("public", "half_day"):
        for day, name in _by_name(country, subdivision, years, category):
            plain = _plain(name)
            if plain not in seen:
                seen.add(plain)
                yield plain, day


def _plain(name: str) -> str:
    """A holiday's own name, on whichever day it is kept this year."""
    return name.partition(" (")[0]


def holidays_of(
    country: str, subdivision: str, years: range, open_on: tuple[str, ...] = ()
) -> dict[date, DayOff]:
    """The public holidays of these years, without those kept open."""
    return {
        day: DayOff(name)
        for day, name in _by_name(country, subdivision, years, "public")
        if _plain(name) not in open_on
    }


def half_days_of(
    country: str, subdivision: str, years: range, open_on: tuple[str, ...] = ()
) -> dict[date, str]:
    return {
        day: name
        for day, name in _by_name(country, subdivision, years, "half_day")
        if _plain(name) not in open_on
    }
