"""Calendars with their hours, and the facilities that keep them."""

from __future__ import annotations

import zoneinfo
from datetime import date
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.now import now
from portal.people import days_off
from portal.people.days_off import DayOff

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LANGUAGES: list[tuple[str, str]] = [("en", "English"), ("es", "Español")]


def validate_time_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(
            _("“%(name)s” is no time zone, write one like America/New_York."), params={"name": name}
        )


def validate_hours(hours: Any) -> None:
    """Weekly hours: an object of weekday to a list of [opens, closes] as "HH:MM", in order, not overlapping."""
    if not isinstance(hours, dict) or set(hours) - set(WEEKDAYS):
        raise ValidationError(_("Write the hours by weekday: mon, tue, wed, thu, fri, sat, sun."))
    if not any(hours.values()):
        raise ValidationError(
            _("These hours have no opening at all: a queue that keeps them would never answer.")
        )
    for day, spans in hours.items():
        last = ""
        for span in spans if isinstance(spans, list) else [None]:
            if not (isinstance(span, list) and len(span) == 2 and all(_is_time(end) for end in span)):
                raise ValidationError(
                    _("%(day)s: write each opening as two times, like ["
                      "\"08:00\", \"17:00\"]."), params={"day": day}
                )  # fmt: skip
            if not last <= span[0] < span[1]:
                raise ValidationError(
                    _("%(day)s: openings must be in order and must not overlap."), params={"day": day}
                )
            last = span[1]


def _is_time(text: Any) -> bool:
    if not isinstance(text, str) or len(text) != 5:
        return False
    hours, colon, minutes = text.partition(":")
    if not (colon and hours.isdecimal() and minutes.isdecimal()):
        return False
    return (int(hours) < 24 and int(minutes) < 60) or text == "24:00"


class Calendar(models.Model):
    """When a facility or a team works: a time zone, weekly hours, and days on which it is closed.

    Closed days are a country's public holidays, but those kept open, and closures of its own.
    """

    name = models.CharField(max_length=80, unique=True)
    time_zone = models.CharField(max_length=60, validators=[validate_time_zone])
    hours = models.JSONField(
        validators=[validate_hours],
        help_text=_(
            "For each weekday a list of openings, e.g. {\"mon\": [[\"08:00\", \"12:00\"], [\"13:00\", \"17:00\"]]}. "
            "24:00 is midnight at the day's end."
        ),
    )  # fmt: skip
    country = models.CharField(
        _("public holidays of"), max_length=2, blank=True, help_text=_("Empty: none are kept.")
    )
    subdivision = models.CharField(
        _("state or region"),
        max_length=10,
        blank=True,
        help_text=_("Its code, such as NY; empty: the country's only."),
    )
    open_on = ArrayField(
        models.CharField(max_length=120),
        default=list,
        blank=True,
        verbose_name=_("open nevertheless on"),
        help_text=_("Public holidays on which people work here, by name."),
    )
    half_days_close = models.TimeField(
        _("half holidays close at"),
        null=True,
        blank=True,
        help_text=_(
            "Where the country has half holidays, such as Christmas Eve; empty: they are worked in full."
        ),
    )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        days_off.check_place(self.country, self.subdivision)

    def days_off(self, years: range) -> dict[date, DayOff]:
        """Every day of these years on which it is closed, or closes early. A closure of its own counts more than a
        holiday. The closures should be prefetched where many calendars are asked."""
        found = days_off.holidays_of(self.country, self.subdivision, years, tuple(self.open_on))
        if self.half_days_close:
            halves = days_off.half_days_of(self.country, self.subdivision, years, tuple(self.open_on))
            found = {day: DayOff(name, self.half_days_close) for day, name in halves.items()} | found
        return found | {row.day: DayOff(row.name, row.closes_at) for row in self.closures.all()}

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)


class Closure(models.Model):
    """A day on which a calendar has no open hour, or closes earlier than usual."""

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="closures")
    day = models.DateField()
    name = models.CharField(max_length=80)
    closes_at = models.TimeField(null=True, blank=True, help_text=_("Empty: closed all day."))

    class Meta:
        ordering = ["day"]
        constraints = [
            models.UniqueConstraint(
                fields=["calendar", "day"],
                name="closure_once_a_day",
                violation_error_message=_("This day is closed already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.name}"


class Facility(models.Model):
    """A place where patients are seen, with the numbers to call from there."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, related_name="facilities")
    phone = models.CharField(max_length=30)
    after_hours_phone = models.CharField(
        max_length=30, help_text=_("Whom patients call when nobody is reading.")
    )
    emergency_number = models.CharField(max_length=30, default="911")
    crisis_line = models.CharField(max_length=30, default="988")
    poison_control = models.CharField(max_length=30, default="1-800-222-1222")
    majority_age = models.PositiveSmallIntegerField(
        default=18, help_text=_("In years. On this birthday what a parent may see and do ends.")
    )
    confidential_age = models.PositiveSmallIntegerField(
        default=13, help_text=_("In years. From then on a patient may keep a request from who acts for them.")
    )
    callback_minutes = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        default=15,
        help_text=_(
            "After how many minutes nursing is told of a form that showed an emergency and was not sent. Empty: never."
        ),
    )
    opened_at = models.DateTimeField(
        default=now,
        null=True,
        editable=False,
        help_text=_("Empty while its queues are not all there; until then it has no patients."),
    )
    reopen_days = models.PositiveSmallIntegerField(
        default=14,
        help_text=_(
            "For how many days after its end a message opens a request again; later, a new one is asked for."
        ),
    )

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "facilities"

    def __str__(self) -> str:
        return self.name
