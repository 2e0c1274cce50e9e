"""Entering the demo clinic: its places, staff, patients, forms and rules, all in one transaction with its marker."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Permission
from django.db import transaction

from audit.actions import store
from audit.models import Event
from audit.now import at, now
from intake import actions as intake
from intake.models import Questionnaire, RequestType
from portal.people import actions as people
from portal.people.models import Calendar, Closure, Facility, Patient, Program, User
from portal.people.policies import Refused
from portal.shell.demo import acquaintances, beside, places
from portal.shell.demo.logins import PASSWORD
from portal.shell.demo.outlook import resources, rules
from portal.shell.demo.patients import Person, people_of
from portal.shell.demo.staff import ADMIN, LEAD, STAFF, address
from portal.shell.models import DemoClinic
from queues import actions as queues
from queues.models import Coverage, Outcome, Queue, ServiceTarget
from queues.urgency import Urgency
from triage import actions as triage
from triage.models import Ruleset

SEED = 20
PLANNED = 2000
# The clinic is a while older than its history, so that its people were all there when the first request came.
BEFORE = timedelta(days=120)


def load_base(*, planned: int = PLANNED, seed: int = SEED, anchor: datetime | None = None) -> DemoClinic:
    """Enter the clinic, or do nothing where it is there. Raises Refused on any database that isn't the demo's."""
    if settings.PRODUCTION:
        raise Refused(
            "This Porter serves a practice (PORTER_MODE is “production”): the demo clinic stays out of it."
        )
    with transaction.atomic():
        marker = DemoClinic.objects.first()
        if marker is not None:
            return marker
        if not _is_empty():
            raise Refused(
                "This database holds data that is not the demo's, and nothing was changed. The demo clinic goes into "
                "an empty database only."
            )
        # The marker's key is taken here: a second loader waits for it, and then fails with nothing written.
        marker = DemoClinic.objects.create(
            seed=seed, anchor=(anchor or now()).replace(microsecond=0), planned=planned, loaded_at=now()
        )
        with at(marker.anchor - BEFORE):
            _Clinic(marker).enter()
        return marker


def _is_empty() -> bool:
    """Whether nobody has worked with this database yet. What the migrations bring themselves is not asked for."""
    models = (User, Facility, Patient, Calendar, Queue, Questionnaire, Ruleset, Event)
    return not any(model._default_manager.exists() for model in models)


class _Clinic:
    def __init__(self, marker: DemoClinic) -> None:
        self.marker = marker
        self.admin: User | None = None
        self.users: dict[str, User] = {}
        self.facilities: dict[str, Facility] = {}

    def enter(self) -> None:
        calendars = self._calendars()
        self._facilities(calendars)
        self._staff()
        self._queues(calendars)
        self._outcomes()
        self._programs()
        self._patients()
        self._forms()
        beside.enter_texts(by=self.admin)
        self._rules()
        self._let_in()

    # ---- places -------------------------------------------------------------------------------------------------

    def _calendars(self) -> dict[str, Calendar]:
        found = {}
        for name, hours in places.CALENDARS.items():
            found[name] = Calendar(name=name, time_zone=places.ZONE, hours=hours)
            if name != places.ROUND_THE_CLOCK:
                found[name].country, found[name].open_on = places.COUNTRY, list(places.OPEN_ON)
            store(found[name], by=None)
        for name, day, what in places.trainings(self.marker.anchor.date()):
            store(Closure(calendar=found[name], day=day, name=what), by=None)
        return found

    def _facilities(self, calendars: dict[str, Calendar]) -> None:
        for place in places.FACILITIES:
            self.facilities[place.code] = Facility(
                code=place.code,
                name=place.name,
                calendar=calendars[place.name],
                phone=place.phone,
                after_hours_phone=place.after_hours,
            )
            store(self.facilities[place.code], by=None)

    def _queues(self, calendars: dict[str, Calendar]) -> None:
        for code, facility in self.facilities.items():
            for room in places.OF_A_FACILITY:
                self._queue(room, calendars[facility.name], facility, code)
        for room in places.OF_THE_CENTRAL_TEAM:
            self._queue(room, calendars[room.calendar], None, "")
        self._coverage()

    def _coverage(self) -> None:
        """Who takes over: urgent work at night, routine work where it is too much, questions while doctors are away."""
        night = Queue.objects.get(code=places.URGENT_COVER, facility=None)
        for queue in Queue.objects.filter(code__in=places.RECEIVE_URGENT, facility__isnull=False):
            queue.receives_urgent, queue.urgent_cover = True, night
            code, limit = places.OVERFLOW
            if queue.code == code:
                other = Queue.objects.filter(code=code, facility__isnull=False).exclude(pk=queue.pk)
                queue.overflow_queue, queue.overflow_open = other.get(), limit
            queues.save_queue(queue, by=self.admin)
        for queue in Queue.objects.filter(code=places.COVERED_BY_THE_OTHER):
            cover = Queue.objects.filter(code=queue.code).exclude(pk=queue.pk).get()
            store(Coverage(queue=queue, covering_queue=cover), by=self.admin)

    def _queue(self, room: places.Room, calendar: Calendar, facility: Facility | None, place: str) -> None:
        queue = Queue(
            code=room.code,
            name=room.name,
            team=room.team,
            team_es=room.team_es,
            role=room.role,
            facility=facility,
            calendar=calendar,
        )
        queues.save_queue(queue, by=self.admin)
        for urgency, (respond, resolve) in zip(Urgency, room.targets, strict=True):
            store(
                ServiceTarget(queue=queue, urgency=urgency, respond=respond, resolve=resolve), by=self.admin
            )
        workers = [worker for worker in STAFF if place in worker.places and room.code in worker.codes]
        queues.set_members(
            queue=queue, people=[self.users[worker.email] for worker in workers], by=self.admin
        )

    def _outcomes(self) -> None:
        for number, end in enumerate(places.outcomes(), 1):
            outcome = Outcome(
                code=end.code,
                label=end.label,
                patient_text=end.text,
                patient_text_es=end.text_es,
                roles=list(end.roles),
                position=number * 10,
            )
            store(outcome, by=self.admin)

    # ---- people -------------------------------------------------------------------------------------------------

    def _staff(self) -> None:
        # The routing admin is there first: everything after is entered by them.
        for worker in sorted(STAFF, key=lambda worker: worker is not ADMIN):
            user = people.add_user(
                email=worker.email,
                name=worker.name,
                title=worker.title,
                language=worker.language,
                mail_notices=False,
                is_staff=worker.is_admin or worker.is_auditor,
                is_superuser=worker.is_admin,
                by=self.admin,
            )
            self.users[worker.email] = user
            self.admin = self.admin or user
            for place in worker.places:
                for role in worker.roles:
                    if role != "lead" or not place:
                        people.assign_role(
                            user=user, role=role, facility=self.facilities.get(place), by=self.admin
                        )
            if worker.is_auditor:
                user.user_permissions.add(Permission.objects.get(codename="view_event"))

    def _programs(self) -> None:
        for code, name in places.PROGRAMS:
            store(Program(code=code, name=name), by=self.admin)

    def _patients(self) -> None:
        invented = people_of(self.marker)
        rows: list[Patient] = []
        for person in invented:
            rows.append(self._patient(person))
        for person, row in zip(invented, rows, strict=True):
            if person.writer is not None:
                writer = self.users[address(invented[person.writer].name)]
                people.grant_proxy(
                    user=writer, patient=row, relationship=person.relationship, tell=False, by=self.admin
                )
        acquaintances.enter_grants(
            rows, invented, at_end=self.marker.anchor - timedelta(days=30), by=self.admin
        )
        # The record was read a while before anybody opens a page.
        with at(self.marker.anchor - timedelta(minutes=65)):
            beside.enter_charts(
                list(zip(invented, rows, strict=True)),
                seed=self.marker.seed,
                day=self.marker.anchor.date(),
                by=self.admin,
            )

    def _patient(self, person: Person) -> Patient:
        user = None
        if person.has_login or person.is_teen:
            user = people.add_user(
                email=address(person.name),
                name=person.name,
                language=person.language,
                mail_notices=person.named or person.is_teen,
                by=self.admin,
            )
            self.users[user.email] = user
        return people.register_patient(
            record_number=person.record_number,
            given_name=person.given,
            family_name=person.family,
            birth_date=person.born,
            facility=self.facilities[person.facility],
            language=person.language,
            programs=person.programs(self.marker.anchor.date()),
            user=user,
            by=self.admin,
        )

    def _let_in(self) -> None:
        """One password opens every door. It is hashed once: honest hashing two hundred times would take a minute."""
        users = [user.pk for user in self.users.values()]
        User.objects.filter(pk__in=users).update(password=make_password(PASSWORD))

    # ---- forms and rules ----------------------------------------------------------------------------------------

    def _forms(self) -> None:
        for number, (code, resource) in enumerate(resources().items(), 1):
            kind = REQUEST_TYPES[code]
            questionnaire = Questionnaire(code=code, title=resource["title"])
            store(questionnaire, by=self.admin)
            intake.publish_version(questionnaire=questionnaire, resource=resource, by=self.admin)
            row = RequestType(code=code, questionnaire=questionnaire, position=number * 10, **kind)
            intake.save_request_type(row, by=self.admin)

    def _rules(self) -> None:
        """The former routing as a baseline; then the rules that decide, approved by the lead and published."""
        admin = self.users[ADMIN.email]
        former = triage.import_draft(text=rules("former"), by=admin)
        triage.keep_baseline(ruleset=former, by=admin, reason=FORMER)
        draft = triage.import_draft(text=rules("now"), by=admin)
        triage.approve(ruleset=draft, by=self.users[LEAD.email])
        triage.publish(ruleset=draft, by=admin, reason=NOW)


FORMER = "The practice's former routing, written down to compare with."
NOW = "Requests go to the role that should handle them; physicians get what needs one."

REQUEST_TYPES: dict[str, dict[str, object]] = {
    "refill": {
        "name": "Refill a medicine",
        "name_es": "Resurtir una medicina",
        "description": "You need more of a medicine you already take.",
        "description_es": "Necesita más de una medicina que ya toma.",
        "title_items": ["medicine", "left"],
        "subtitle_items": ["last-dose", "dose", "dose-wish", "problems-text", "pharmacy"],
    },
    "symptom": {
        "name": "A new or changed symptom",
        "name_es": "Un síntoma nuevo o que cambió",
        "description": "Something hurts, feels wrong, or got worse.",
        "description_es": "Algo le duele, se siente mal o empeoró.",
        "title_items": ["what", "other-what", "since"],
        "subtitle_items": ["severity", "course"],
    },
    "appointment": {
        "name": "An appointment",
        "name_es": "Una cita",
        "description": "Book, move or cancel a visit.",
        "description_es": "Hacer, cambiar o cancelar una visita.",
        "clinical": False,
        "title_items": ["want", "reason", "current"],
        "subtitle_items": ["days", "note"],
    },
    "result": {
        "name": "A question about a result",
        "name_es": "Una pregunta sobre un resultado",
        "description": "A blood test, an X-ray or another test.",
        "description_es": "Un análisis, una radiografía u otra prueba.",
        "title_items": ["which", "ask"],
        "subtitle_items": ["unwell-text", "question"],
    },
    "form": {
        "name": "A form, letter or referral",
        "name_es": "Un formulario, carta o referencia",
        "description": "Papers for school, work, travel or a specialist.",
        "description_es": "Papeles para la escuela, el trabajo, un viaje o un especialista.",
        "clinical": False,
        "title_items": ["which", "specialist"],
        "subtitle_items": ["deliver", "details"],
    },
    "billing": {
        "name": "A billing question",
        "name_es": "Una pregunta sobre un cobro",
        "description": "A bill, your insurance, or paying over time.",
        "description_es": "Una cuenta, su seguro o pagar en partes.",
        "clinical": False,
        "title_items": ["about", "amount"],
        "subtitle_items": ["describe"],
    },
}
