"""Lookups of the patient's pages: each starts from what this person may reach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Case, Exists, OuterRef, Prefetch, QuerySet, When
from django.http import Http404
from django.shortcuts import get_object_or_404

from intake.models import Draft, RequestType, RequestTypeQuerySet
from portal.people import persons
from portal.people.models import Patient, Proxy
from portal.people.prepared import Prepared
from portal.people.requests import Request, key_of
from queues import actions as queue_actions
from queues.models import Conversation, Message, Task
from queues.states import State


def patient_of(request: Request) -> Patient:
    patient = persons.current(request)
    if patient is None:
        raise Http404
    return patient


def offered_to(request: Request, patient: Patient) -> RequestTypeQuerySet:
    """What can be asked for this person: everything, or what the grant names."""
    offered = RequestType.objects.offered()
    if patient.user_id == request.user.pk:
        return offered
    grants = Proxy.objects.open_to(request.user).filter(patient=patient).for_type(OuterRef("code"))
    return offered.filter(Exists(grants))


def sent_beside(request: Request, patient: Patient) -> Conversation | None:
    """The request that was just sent, where another is begun from its page."""
    mine = Conversation.objects.reachable_by(request.user).filter(patient=patient)
    return mine.filter(pk=key_of(request.POST.get("beside", "")) or 0).first()


def suggested(request: Request, conversation: Conversation, task: Task) -> list[RequestType]:
    """What else can be asked; first what the words were about, where that was something else."""
    offered = [
        each for each in offered_to(request, conversation.patient) if each.code != conversation.request_type
    ]
    about = task.decision.facts.get("signal.category") if task.decision else None
    return sorted(offered, key=lambda each: each.code != about)


def draft_of(request: Request, pk: UUID) -> Draft | None:
    own = _own_draft(pk=pk, by=request.user.pk)
    if own:
        return own[0]
    return _whole(Draft.objects.reachable_by(request.user).filter(pk=pk)).first()


@Prepared
def _own_draft(pk: UUID, by: int) -> QuerySet[Draft]:
    """A request for oneself, which no grant opens or closes. By far the commonest, and the simplest to ask for."""
    own = Draft.objects.filter(
        author=by, patient__user=by, channel=Draft.Channel.PORTAL, follow_up__isnull=True
    )
    return _whole(own.filter(pk=pk))


def _whole(drafts: QuerySet[Draft]) -> QuerySet[Draft]:
    """With all that a page needs, but the form itself: a megabyte, maybe, and kept by each process as it was read."""
    return drafts.select_related(
        "patient__facility__calendar",
        "request_type",
        "version__questionnaire",
        "author",
        "follow_up__conversation",
    ).defer("version__resource", "version__value_sets")


def find_conversation(request: Request, pk: int) -> Conversation:
    return get_object_or_404(
        Conversation.objects.reachable_by(request.user).select_related(
            "patient__facility__calendar", "submission"
        ),
        pk=pk,
    )


def front_task(row: Conversation) -> Task:
    tasks = row.tasks.select_related("queue__calendar", "queue__facility", "outcome", "decision")
    return queue_actions.settle(tasks.front_first()[0])


@dataclass(frozen=True)
class Listed:
    """A request as the lists show it."""

    conversation: Conversation
    subject: str
    task: Task
    unread: bool
    beside: bool


def listed(
    request: Request, patient: Patient, most: int, *, skipped: int = 0, waiting_first: bool = False
) -> list[Listed]:
    """The newest requests, without so many that were `skipped`.

    `waiting_first` puts those before them that wait for the reader's answer or eyes.
    """
    mine = Conversation.objects.reachable_by(request.user).filter(patient=patient)
    if waiting_first:
        asked = Task.objects.filter(conversation=OuterRef("pk"), state=State.WAITING)
        unread = Message.objects.shown().filter(conversation=OuterRef("pk"), from_patient=False, read_at=None)
        mine = mine.order_by(Case(When(Exists(asked) | Exists(unread), then=0), default=1), "-opened_at")
    # How many messages are new, and not what they say: some of them are long.
    rows = mine.prefetch_related(
        Prefetch("tasks", Task.objects.front_first()),
        Prefetch("messages", Message.objects.shown().defer("body")),
    )[skipped : skipped + most]
    subjects = subjects_of(rows)
    visits = Counter(row.visit for row in rows if row.visit)
    return [
        Listed(
            conversation=row,
            subject=subjects[row.pk],
            task=queue_actions.settle(row.tasks.all()[0]),
            unread=any(
                not message.from_patient and message.read_at is None for message in row.messages.all()
            ),
            beside=row.visit is not None and visits[row.visit] > 1,
        )
        for row in rows
    ]


def subjects_of(rows: Iterable[Conversation]) -> dict[int, str]:
    """What each of these was asked for, in the reader's language; as it was called then where that is gone."""
    codes = {row.request_type for row in rows}
    labels = {each.code: each.label for each in RequestType.objects.filter(code__in=codes)}
    return {row.pk: labels.get(row.request_type, row.subject) for row in rows}
