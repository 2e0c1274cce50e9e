"""What lies beside the demo clinic's tasks: reply templates, checklists and charts; notes, calls and a request that
came by phone. All of it through the same actions as the real thing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

from django.db import transaction

from audit.actions import store
from audit.now import at
from intake import actions as intake
from intake.models import Draft, RequestType
from portal.people.models import Patient, User
from portal.records.actions import keep_chart
from portal.records.fhir import KINDS, Resource, entry_of
from portal.shell.demo import acquaintances
from portal.shell.demo.asks import DOCTORS, compose
from portal.shell.demo.patients import ADULT, Person, people_of
from portal.shell.demo.staff import FRONT_DESK, NURSE
from portal.shell.demo.words import book
from portal.shell.models import DemoClinic
from queues import actions
from queues.models import Protocol, ProtocolStep, Queue, ReplyTemplate, Task
from queues.states import State
from queues.urgency import Urgency

SOURCE = "the demo's record"
UNREAD = 0.08  # share of patients whose chart was never read


def enter_texts(*, by: User | None) -> None:
    """Templates and checklists."""
    told = book("beside")
    for number, row in enumerate(told["templates"], 1):
        store(ReplyTemplate(position=number * 10, **row), by=by)
    for row in told["protocols"]:
        protocol = Protocol(code=row["code"], title=row["title"], required=row["required"])
        store(protocol, by=by)
        for number, text in enumerate(row["steps"], 1):
            store(ProtocolStep(protocol=protocol, text=text, position=number * 10), by=by)


def enter_charts(patients: list[tuple[Person, Patient]], *, seed: int, day: date, by: User | None) -> None:
    """A chart for nearly everybody."""
    random = Random(f"charts {seed}")
    for person, patient in patients:
        known = random.random() > UNREAD or person.named
        entries = [entry for each in _resources(random, person, day) if (entry := entry_of(each))]
        if known:
            keep_chart(patient=patient, source=SOURCE, kinds=set(KINDS.values()), entries=entries, by=by)


def _resources(random: Random, person: Person, day: date) -> Iterator[Resource]:
    words, age = book("beside")["chart"], person.age_on(day)
    if random.random() < 0.3:
        what, reaction, risk = random.choice(words["allergies"])
        yield {
            "resourceType": "AllergyIntolerance",
            "code": {"text": what},
            "criticality": risk,
            "reaction": [{"manifestation": [{"text": reaction}]}],
        }
    for problem, medicine, dose, least in words["conditions"]:
        if age >= least and random.random() < 0.08 + age / 300:
            since = day - timedelta(days=random.randint(200, 4000))
            yield {"resourceType": "Condition", "code": {"text": problem}, "onsetDateTime": since.isoformat()}
            yield {
                "resourceType": "MedicationRequest",
                "status": "active",
                "intent": "order",
                "medicationCodeableConcept": {"text": medicine},
                "dosageInstruction": [{"text": dose}],
                "authoredOn": (day - timedelta(days=random.randint(20, 300))).isoformat(),
            }
    for _visit in range(random.randint(0, 3)):
        yield {
            "resourceType": "Encounter",
            "status": "finished",
            "type": [{"text": random.choice(words["visits"])}],
            "participant": [{"individual": {"display": random.choice(DOCTORS[person.facility])}}],
            "period": {"start": (day - timedelta(days=random.randint(20, 700))).isoformat()},
        }
    yield {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": {"text": "Influenza"},
        "occurrenceDateTime": (day - timedelta(days=random.randint(120, 400))).isoformat(),
    }


@transaction.atomic
def enter_talk(marker: DemoClinic) -> None:
    """What happens beside the requests in the last hour before the anchor. Done once, whatever stopped the history."""
    if Task.objects.exclude(conversation__channel="portal").exists():
        return
    random = Random(f"beside {marker.seed}")
    with at(marker.anchor - timedelta(minutes=50)):
        for number, task in enumerate(_in_work()):
            _add_talk(task, number)
        _split_off()
    with at(marker.anchor - timedelta(minutes=35)):
        _call_comes_in(marker, random)
    with at(marker.anchor - timedelta(minutes=28)):
        acquaintances.confide(marker)
    with at(marker.anchor - timedelta(minutes=20)):
        _nurse_writes_first()


def _in_work() -> list[Task]:
    rows = Task.objects.filter(state=State.CLAIMED, queue__role="nurse", urgency__lt=Urgency.URGENT)
    return list(rows.select_related("queue", "owner", "conversation", "decision").order_by("opened_at")[:4])


def _add_talk(task: Task, number: int) -> None:
    told, by = book("beside"), task.owner
    if by is None:
        return
    colleague = User.objects.filter(groups__queue=task.queue).exclude(pk=by.pk).order_by("email").first()
    if number % 2 == 0:
        actions.log_call(task=task, result="voicemail", note=told["voicemail"], by=by)
    if colleague is not None:
        text = told["notes"][number % len(told["notes"])]
        actions.add_note(task=task, body=text.replace("{colleague}", colleague.name), by=by)
    code = task.decision.result.get("protocol") if task.decision else None
    for step in ProtocolStep.objects.filter(protocol__code=code)[:2]:
        actions.tick(task=task, step=step, done=True, by=by)


def _split_off() -> None:
    """Of something that a nurse holds, the money is for billing to answer; the rest stays with the nurse."""
    held = Task.objects.live().filter(owner__isnull=False, queue__role="nurse", urgency__lt=Urgency.URGENT)
    task = held.select_related("queue", "owner", "conversation__patient").order_by("-opened_at").first()
    if task is not None and task.owner is not None:
        told, billing = book("beside")["part"], Queue.objects.live().get(code="billing")
        actions.split(task=task, queue=billing, title=told["title"], details=told["details"], by=task.owner)


def _call_comes_in(marker: DemoClinic, random: Random) -> None:
    """The front desk writes down what somebody asks for on the phone."""
    by = User.objects.get(email=FRONT_DESK.email)
    people = people_of(marker)
    day = marker.anchor.date()
    person = next(
        each
        for each in people[5:]
        if each.facility in FRONT_DESK.places and each.language == "en" and each.age_on(day) > 60
    )
    ask = compose("refill", random, person, person, day)
    draft = intake.start_draft(
        request_type=RequestType.objects.get(code="refill"),
        patient=Patient.objects.get(record_number=person.record_number),
        by=by,
        channel=Draft.Channel.PHONE,
    )
    intake.save_draft(draft=draft, raw=ask.raw, by=by)
    intake.submit(draft_id=draft.pk, by=by)


def _nurse_writes_first() -> None:
    by = User.objects.get(email=NURSE.email)
    queue = Queue.objects.live().get(code="results", facility__code=NURSE.places[0])
    told: dict[str, Any] = {
        "subject": "Your blood pressure at home",
        "body": "Hello, how were your blood pressure readings this week? Please write the last five here.",
    }
    people = Patient.objects.filter(user__isnull=False, facility=queue.facility).order_by("pk")
    actions.start_conversation(patient=people[ADULT], queue=queue, by=by, wait=True, **told)
