"""Telling the right people: who works a queue, who leads it, who covers for it; notices, mails and alerts as rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q

from audit.actions import Kind as Act
from audit.actions import record
from audit.now import is_set, now
from portal.people.actions import post_mail
from portal.people.models import Mail, StaffRole, User
from portal.people.roles import Role
from portal.people.tasks import nudge
from queues import clock, policies
from queues.models import Alert, Coverage, Notice, Queue, Quiet, Task

Kind = Notice.Kind


def members_of(queue: Queue) -> list[User]:
    """Who works this queue now, with those who stand in for the ones away."""
    held = StaffRole.objects.current().filter(role=queue.role).values("user")
    people = User.objects.filter(groups=queue.members_id, is_active=True, pk__in=held)
    return stand_ins(queue, list(people.order_by("pk")))


def stand_ins(queue: Queue, people: list[User]) -> list[User]:
    """These people, and whoever the queue's coverage names in place of those of them who are away today."""
    away = Coverage.objects.of(queue).filter(instead_of__in=people).select_related("person", "covering_queue")
    found = {person.pk: person for person in people}
    for row in away:
        found |= {person.pk: person for person in people_of(row)}
    return list(found.values())


def people_of(row: Coverage) -> list[User]:
    """Whom this coverage names: one person, or all who work the other queue."""
    if row.person is not None:
        return [row.person] if row.person.is_active else []
    return _plain_members(row.covering_queue) if row.covering_queue else []


def _plain_members(queue: Queue) -> list[User]:
    return list(User.objects.filter(groups=queue.members_id, is_active=True).order_by("pk"))


def leads_of(queue: Queue) -> list[User]:
    """The leads of the queue's facility, and the central ones."""
    places = Q(facility__isnull=True) | Q(facility=queue.facility_id)
    held = StaffRole.objects.current().filter(places, role=Role.LEAD).values("user")
    return list(User.objects.filter(pk__in=held, is_active=True).order_by("pk"))


def coverage_of(queue: Queue, moment: datetime, *, urgent: bool, anyway: bool = False) -> Coverage | None:
    """Who stands in for the queue at this moment: by the day, or while it is closed. `anyway` asks who would at all,
    for work that its own people have left lying."""
    rows = list(
        Coverage.objects.of(queue)
        .filter(
            Q(person__is_active=True) | Q(covering_queue__retired_at__isnull=True, person__isnull=True),
            instead_of__isnull=True,
        )
        .select_related("person", "covering_queue__calendar")
    )
    by_day = [row for row in rows if row.when == Coverage.When.DAYS]
    if by_day:
        return by_day[0]
    if not anyway and (not urgent or clock.is_open(queue.hours(), moment)):
        return None
    named = [row for row in rows if row.when == Coverage.When.OUT_OF_HOURS]
    if named:
        return named[0]
    if queue.urgent_cover is not None and queue.urgent_cover.retired_at is None and urgent:
        return Coverage(queue=queue, covering_queue=queue.urgent_cover)
    return None


def end_of_coverage(row: Coverage, moment: datetime, *, anyway: bool) -> datetime | None:
    """When it is over: after its last day there, or when the queue opens; None where nothing ends it. `anyway` as for
    `coverage_of`: opening hours don't matter then."""
    queue = row.queue
    ends = []
    if row.until is not None:
        ends.append(datetime.combine(row.until + timedelta(days=1), time(), queue.calendar.zone))
    if row.when == Coverage.When.OUT_OF_HOURS and not anyway:
        ends += [begin for begin, _end in islice(clock.spans(queue.hours(), moment), 1)]
    return min(ends, default=None)


def next_coverage(queue: Queue) -> datetime | None:
    """The minute at which somebody next begins to stand in for the whole queue by the day: midnight there."""
    zone = queue.calendar.zone
    first = (
        Coverage.objects.filter(
            queue=queue,
            when=Coverage.When.DAYS,
            instead_of__isnull=True,
            since__gt=now().astimezone(zone).date(),
        )
        .order_by("since")
        .values_list("since", flat=True)
        .first()
    )
    return datetime.combine(first, time(), zone) if first else None


def uncovered(task: Task) -> dict[str, Any]:
    """The changes by which those who stood in lose sight of a task; one of them who holds it keeps it until they let go
    of it."""
    owner = task.owner
    keeps = owner is not None and task.queue_id not in policies.worked_by(owner)
    return {"covering_queue": None, "covering_person": owner if keeps else None}


def tell(
    task: Task,
    kind: Notice.Kind,
    people: Iterable[User],
    *,
    round: int | str,
    queue: Queue | None = None,
) -> None:
    """A notice to each of these people, once a round; with a mail at once where it is urgent, or where they want no
    digest. Part of the caller's transaction, which holds the task's lock."""
    people = list({person.pk: person for person in people}.values())
    if not people:
        return
    queue = queue or task.queue
    known = set(
        Notice.objects.filter(task=task, kind=kind, queue=queue, round=str(round)).values_list(
            "recipient", flat=True
        )
    )
    people = [person for person in people if person.pk not in known]
    Notice.objects.bulk_create(
        [
            Notice(recipient=person, kind=kind, task=task, queue=queue, round=str(round), at=now())
            for person in people
        ]
    )
    urgent = kind in Notice.URGENT
    for person in people:
        _mail(person, urgent=urgent, path=task.get_absolute_url())
    record(
        "queues.notice.tell",
        by=None,
        kind=Act.EXECUTE,
        patients=[task.conversation.patient_id],
        entity=task,
        detail={"kind": kind.value, "round": str(round), "people": [person.pk for person in people]},
    )


def _mail(person: User, *, urgent: bool, path: str) -> None:
    if urgent:
        # An alarm, and no news: whoever works an urgent queue gets it at any hour.
        post_mail(recipient=person, kind=Mail.Kind.ALARM, path=path, always=True)
        return
    quiet = Quiet.objects.filter(user=person).first()
    if quiet is not None and not quiet.digest:
        post_mail(recipient=person, kind=Mail.Kind.NOTICE, path=path, after=until_quiet_ends(quiet))


def until_quiet_ends(quiet: Quiet | None) -> timedelta:
    """How long a mail waits that is not urgent: until this person's quiet hours are over."""
    if quiet is None or quiet.quiet_from is None:
        return timedelta()
    return clock.until_quiet_ends(now().astimezone(zone_of(quiet.user)), quiet.quiet_from, quiet.quiet_until)


def zone_of(person: User) -> ZoneInfo:
    """The time zone in which this person works: that of their facility, or of a queue of theirs."""
    role = (
        person.staff_roles.current()
        .filter(facility__isnull=False)
        .select_related("facility__calendar")
        .first()
    )
    if role is not None and role.facility is not None:
        return role.facility.calendar.zone
    queue = Queue.objects.worked_by(person).select_related("calendar").first()
    return queue.calendar.zone if queue else ZoneInfo(settings.TIME_ZONE)


def alert(task: Task, kind: Notice.Kind) -> None:
    """The same alert to another system, where one is set: kind, queue, reference and link; nothing about a patient."""
    if not settings.ALERT_URL:
        return
    queue = task.queue
    row = Alert.objects.create(
        payload={
            "kind": kind.value,
            "queue": queue.code,
            "facility": queue.facility.code if queue.facility else "",
            "reference": task.conversation.reference,
            "link": settings.SITE_URL.rstrip("/") + task.get_absolute_url(),
        },
        created_at=now(),
        not_before=now(),
    )
    if not is_set():
        nudge("queues.tasks.send_alert", row.pk)
