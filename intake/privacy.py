"""Privacy: who can act for whom, ending it, and who opened or changed a record. Words for the trail's events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from audit.models import Event
from intake.attachments.models import Attachment
from intake.models import Draft, Submission
from portal.people.models import Patient, Proxy, User
from portal.people.templatetags.porter import day_of
from queues.models import Conversation, Escalation, Message, Task

MOST = 150  # events that a page of the log is made of: it stays as light as every other

# What an event is called, by the start of its action; the longest that fits is taken.
WORDS = {
    "intake.home": _("opened the start page"),
    "intake.person": _("chose whom to act for"),
    "intake.requests": _("opened the list of requests"),
    "intake.draft.start": _("began a request"),
    "intake.draft.save": _("wrote on a request that is not sent yet"),
    "intake.draft.confide": _("kept a request confidential"),
    "intake.draft.discard": _("deleted a request that was not sent"),
    "intake.draft": _("opened a request that is not sent yet"),
    "intake.notice": _("was shown what to do in an emergency"),
    "intake.callback": _("asked the nurses to call back"),
    "intake.submission": _("sent a request"),
    "intake.sent": _("opened a request that was sent"),
    "intake.conversation": _("opened a request"),
    "intake.attachment.read": _("opened a file"),
    "intake.attachment": _("added or removed a file"),
    "intake.grants": _("opened who can act for the patient"),
    "intake.access": _("opened this list, or who can act for whom"),
    "intake": _("worked on a request"),
    "queues.task.read": _("opened a request"),
    "queues.task.open": _("put a request into a team's list"),
    "queues.task.claim": _("took a request to work on it"),
    "queues.task.release": _("put a request back for colleagues"),
    "queues.task.reply": _("answered a request"),
    "queues.task.ask-back": _("asked something about a request"),
    "queues.task.hand-over": _("passed a request to another team"),
    "queues.task.escalate": _("asked a physician about a request"),
    "queues.task.answer": _("answered a colleague's question about a request"),
    "queues.task.resolve": _("finished a request"),
    "queues.task.message": _("wrote to the clinic"),
    "queues.task.withdraw": _("took a request back"),
    "queues.task.reopen": _("opened a finished request again"),
    "queues.task.raise": _("made a request more urgent"),
    "queues.task": _("worked on a request"),
    "queues.list": _("saw a request in a list of work"),
    "queues.search": _("found a request in a search"),
    "queues": _("worked on a request"),
    "triage.trace": _("looked up why a request went where it did"),
    "triage": _("checked how requests are sorted"),
    "people.patient.create": _("entered the patient"),
    "people.proxy.ask": _("asked somebody to act for the patient"),
    "people.proxy.accept": _("said yes to acting for the patient"),
    "people.proxy.decline": _("said no to acting for the patient"),
    "people.proxy.withdraw": _("took back that somebody was asked to act for the patient"),
    "people.proxy.miss": _("did not know the birthday of the patient"),
    "people.proxy.grant": _("let somebody act for the patient"),
    "people.proxy.end": _("ended that somebody acts for the patient"),
    "people": _("changed the patient's entry"),
    "records": _("looked into the chart"),
}
# Done by somebody who was asked by mail and doesn't act for the patient: a name would tell who has that address.
UNNAMED = ("people.proxy.decline", "people.proxy.miss")
OTHER = {
    Event.Kind.READ: _("opened something of this record"),
    Event.Kind.CREATE: _("added something to this record"),
    Event.Kind.UPDATE: _("changed something in this record"),
    Event.Kind.DELETE: _("removed something from this record"),
    Event.Kind.EXECUTE: _("did something with this record"),
}


@dataclass(frozen=True)
class Line:
    """One thing that was done: when, who did it and in which part, and what it was."""

    at: datetime
    who: str
    part: str
    what: str
    day: str


def words(event: Event) -> str:
    parts = event.action.split(".")
    for length in range(len(parts), 0, -1):
        found = WORDS.get(".".join(parts[:length]))
        if found:
            return str(found)
    return str(OTHER[Event.Kind(event.kind)])


@dataclass(frozen=True)
class Log:
    """A page of the log; `earlier` is the key to ask for the next one with, None at the end."""

    lines: list[Line]
    earlier: int | None


def log(patient: Patient, reader: User, *, before: int | None = None) -> Log:
    """What was done with this patient's record, newest first, as far as the reader may know of it; only what lies
    `before` the event of this key."""
    rows = shown_to(reader, patient).select_related("agent").order_by("-id")
    if before is not None:
        rows = rows.filter(id__lt=before)
    events = list(rows[: MOST + 1])
    earlier = events[MOST - 1].pk if len(events) > MOST else None
    own = patient.user_id
    proxies = set(patient.proxies.values_list("user", flat=True))
    found: list[Line] = []
    for event in events[:MOST]:
        line = Line(
            at=event.occurred_at,
            who=_who(event),
            part=_part(event, own, proxies),
            what=words(event),
            day=day_of(event.occurred_at, patient),
        )
        # Saving while typing makes many events of one doing; the first of a row says it all.
        if found and (found[-1].who, found[-1].what, found[-1].day) == (line.who, line.what, line.day):
            found[-1] = line
        else:
            found.append(line)
    return Log(found, earlier)


def _who(event: Event) -> str:
    if event.action in UNNAMED:
        return str(_("Somebody who was asked"))
    return event.agent.signature if event.agent else str(_("Porter, by itself"))


def _part(event: Event, own: int | None, proxies: set[int]) -> str:
    if event.agent_id is None or event.action in UNNAMED:
        return ""
    if event.agent_id == own:
        return str(pgettext_lazy("who did it", "the patient"))
    if event.agent_id in proxies:
        return str(_("acts for the patient"))
    return str(_("works at the clinic"))


def shown_to(reader: User, patient: Patient) -> QuerySet[Event]:
    """The events about a patient that this reader may know of: for the patients themselves, all.

    For a proxy only what belongs to requests that they can see, and what they did themselves: even a list of work
    that staff opened would tell that there is something which is kept from them.
    """
    events = Event.objects.about_patient(patient.pk)
    if patient.user_id == reader.pk:
        return events
    conversations = Conversation.objects.reachable_by(reader).filter(patient=patient).order_by()
    tasks = Task.objects.filter(conversation__in=conversations.values("pk")).order_by()
    submissions = Submission.objects.filter(conversation__in=conversations.values("pk")).order_by()
    messages = Message.objects.filter(conversation__in=conversations.values("pk")).order_by()
    drafts = Draft.objects.reachable_by(reader).filter(patient=patient).order_by()
    known = (
        conversations,
        tasks,
        submissions,
        messages,
        Escalation.objects.filter(task__in=tasks.values("pk")).order_by(),
        Attachment.objects.reachable_by(reader).filter(patient=patient).order_by(),
        drafts,
        Proxy.objects.filter(user=reader, patient=patient).order_by(),
    )
    mine = Q(pk__in=[])
    for rows in known:
        keys = [str(key) for key in rows.values_list("pk", flat=True)]
        mine |= Q(entity_type=rows.model._meta.label_lower, entity_id__in=keys)
    sent = [str(key) for key in submissions.values_list("draft_key", flat=True)]
    mine |= Q(entity_type=Draft._meta.label_lower, entity_id__in=sent)
    return events.filter(mine | Q(agent=reader))
