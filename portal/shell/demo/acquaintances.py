"""Who acts for whom beside families: a neighbor with a narrow grant, one that has ended, and what a teenager keeps to
herself or himself. Through the real actions."""

from __future__ import annotations

from datetime import datetime

from audit.now import at
from intake import actions as intake
from intake.models import RequestType
from portal.people import actions as people
from portal.people.models import Patient, Proxy, User
from portal.shell.demo.patients import ADULT, PARENT, Person, people_of
from portal.shell.models import DemoClinic

NARROW = ["billing", "appointment"]
CONFIDED = {
    "i.what": ["skin"],
    "i.since": ["months"],
    "i.severity": ["mild"],
    "i.course": ["same"],
    "i.describe": [
        "My skin gets worse before each period. Could the pill help with that? I would like to ask a nurse."
    ],
}


def enter_grants(rows: list[Patient], invented: list[Person], *, at_end: datetime, by: User | None) -> None:
    """The adult whom anybody can be let a neighbor see to bills and visits, and somebody else to all for a while."""
    adult, neighbor = rows[ADULT], rows[PARENT].user
    former = next(
        row.user
        for row, person in zip(rows, invented, strict=True)
        if row.user
        and not person.named
        and person.facility == invented[ADULT].facility
        and not person.acts_for
    )
    if neighbor is None:
        return
    carer = Proxy.Relationship.CARER
    people.grant_proxy(
        user=neighbor, patient=adult, relationship=carer, scope=list(NARROW), tell=False, by=by
    )
    ended = people.grant_proxy(
        user=former, patient=adult, relationship=Proxy.Relationship.PARTNER, tell=False, by=by
    )
    with at(at_end):
        people.end_proxy(proxy=ended, by=adult.user)


def confide(marker: DemoClinic) -> None:
    """A teenager asks for something that stays between the patient and the clinic."""
    teen = next(person for person in people_of(marker) if person.is_teen)
    patient = Patient.objects.select_related("facility").get(record_number=teen.record_number)
    by = patient.user
    if by is None or patient.age < patient.facility.confidential_age:
        return
    draft = intake.start_draft(request_type=RequestType.objects.get(code="symptom"), patient=patient, by=by)
    intake.keep_confidential(draft=draft, by=by)
    intake.save_draft(draft=draft, raw=CONFIDED, by=by)
    intake.submit(draft_id=draft.pk, by=by)
