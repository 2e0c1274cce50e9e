"""What a decision may look at, gathered as one flat object. Pure: the caller brings the rows and the moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from portal.people.models import Patient
from queues import clock
from triage.fields import URGENCIES, WEEKDAYS
from triage.signals import Reading


def build(
    *,
    request_type: str,
    questionnaire: str,
    answers: Mapping[str, Any],
    patient: Patient,
    readings: Iterable[Reading],
    open_requests: int,
    moment: datetime,
    notice_shown: bool = False,
    unseen_files: bool = False,
) -> dict[str, Any]:
    """The facts of one submission. A field that nobody answered is absent: missing is a state of its own.

    `answers` are typed values by linkId; they become answer.<questionnaire>.<linkId>. `readings` are those of
    every text the patient wrote, under any request type. `unseen_files` says that photos or files came with
    it, which no machine reads.
    """
    calendar = patient.facility.calendar
    local = moment.astimezone(calendar.zone)
    hours = clock.Hours.parse(
        calendar.time_zone, calendar.hours, [row.day for row in calendar.closures.all()]
    )
    facts: dict[str, Any] = {
        "request.type": request_type,
        "patient.age": patient.age_on(local.date()),
        "patient.age_months": patient.age_in_months_on(local.date()),
        "patient.language": patient.language,
        "patient.facility": patient.facility.code,
        "patient.programs": list(patient.programs),
        "patient.open_requests": open_requests,
        "file.unscreened": unseen_files,
        "notice.shown": notice_shown,
        "time.open": clock.is_open(hours, moment),
        "time.hour": local.hour,
        "time.weekday": WEEKDAYS[local.weekday()][0],
    }
    facts |= signals(readings)
    facts |= {
        f"answer.{questionnaire}.{link_id}": value
        for link_id, value in answers.items()
        if value not in (None, "", [])
    }
    return facts


def signals(readings: Iterable[Reading]) -> dict[str, Any]:
    """What the red flags in these texts say: the part of the facts that a later message brings anew."""
    readings = list(readings)
    urgency = max((reading.urgency for reading in readings), key=URGENCIES.index, default="routine")
    found: dict[str, Any] = {
        "signal.emergency": urgency == "urgent",
        "signal.urgency": urgency,
        "signal.codes": sorted({signal.code for reading in readings for signal in reading.signals}),
        "text.unscreened": not all(reading.screened for reading in readings),
    }
    category = next((reading.category for reading in readings if reading.category), None)
    return found | ({"signal.category": category} if category else {})
