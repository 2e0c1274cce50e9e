"""The form of a calendar: one line of hours a weekday, and the public holidays to be picked. Works without a script."""

from __future__ import annotations

import re
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.now import now
from portal.people import days_off
from portal.people.models import WEEKDAYS, Calendar, validate_hours

NAMES = {
    "mon": gettext_lazy("Monday"),
    "tue": gettext_lazy("Tuesday"),
    "wed": gettext_lazy("Wednesday"),
    "thu": gettext_lazy("Thursday"),
    "fri": gettext_lazy("Friday"),
    "sat": gettext_lazy("Saturday"),
    "sun": gettext_lazy("Sunday"),
}
SPAN = re.compile(r"(\d{1,2})(?::?(\d{2}))?\s*(?:-|–|—|to)\s*(\d{1,2})(?::?(\d{2}))?")


def read_hours(text: str) -> list[list[str]]:
    """“08:00-12:00, 13:00-17:00” as a calendar keeps it. Raises ValidationError with what it could not read."""
    found = []
    for part in re.split(r"[,;]|\band\b", text):
        if not part.strip():
            continue
        match = SPAN.fullmatch(part.strip())
        if match is None:
            raise ValidationError(
                _(
                    "“%(text)s” is no opening. Write two times, like 08:00-12:00, with commas between openings."
                )
                % {"text": part.strip()[:40]}
            )
        opens, opens_at, closes, closes_at = match.groups()
        found.append([f"{int(opens):02}:{opens_at or '00'}", f"{int(closes):02}:{closes_at or '00'}"])
    return found


def write_hours(spans: list[list[str]]) -> str:
    return ", ".join(f"{opens}-{closes}" for opens, closes in spans)


class CalendarForm(forms.ModelForm):
    """A calendar as people write it: hours by weekday, holidays of a country, and those on which it is open."""

    open_on = forms.MultipleChoiceField(
        required=False,
        label=gettext_lazy("Open nevertheless on"),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Pick the country and store first; then its coming holidays are listed here."),
    )

    class Meta:
        model = Calendar
        fields = ["name", "time_zone", "country", "subdivision", "open_on", "half_days_close"]
        widgets = {
            "half_days_close": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "time_zone": forms.TextInput(attrs={"placeholder": "America/New_York"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hours = self.instance.hours or {}
        for day in WEEKDAYS:
            self.fields[day] = forms.CharField(
                required=False,
                max_length=200,
                label=NAMES[day],
                initial=write_hours(hours.get(day, [])),
                widget=forms.TextInput(attrs={"size": 40, "placeholder": _("closed")}),
            )
        self.fields["country"] = forms.ChoiceField(
            required=False,
            label=_("Public holidays of"),
            choices=[("", _("no country: none are kept")), *days_off.countries()],
            initial=self.instance.country,
        )
        cast(forms.MultipleChoiceField, self.fields["open_on"]).choices = self._holidays()

    def _holidays(self) -> list[tuple[str, str]]:
        """The holidays of this year and the next, of the country posted or stored; and what is picked already."""
        posted = self.data if self.is_bound else {}
        country = posted.get("country", self.instance.country)
        subdivision = posted.get("subdivision", self.instance.subdivision)
        try:
            days_off.check_place(country, subdivision)
        except ValidationError:
            return [(name, name) for name in self.instance.open_on]
        year = now().year
        listed = {
            name: f"{name} ({date_format(day, 'j M Y')})"
            for name, day in days_off.names_of(country, subdivision, range(year, year + 2))
        }
        return list(({name: name for name in self.instance.open_on} | listed).items())

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        hours: dict[str, list[list[str]]] = {}
        for day in WEEKDAYS:
            try:
                spans = read_hours(data.get(day) or "")
                if spans:
                    validate_hours({day: spans})
                    hours[day] = spans
            except ValidationError as error:
                self.add_error(day, error)
        if not self.errors:
            try:
                validate_hours(hours)
            except ValidationError as error:
                self.add_error(None, error)
        self.instance.hours = hours or self.instance.hours
        return data
