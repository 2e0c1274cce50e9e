"""Emergency first: what in a draft is one, what the form then says, and what happens when it is left there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from audit.actions import Kind, record
from audit.now import now
from intake.models import Draft, Submission
from intake.notices import Notice
from portal.people.models import Facility, Guidance, User
from portal.people.policies import Refused, may_keep_confidential
from portal.people.roles import Role
from queues import actions as queues
from queues.models import Conversation, Queue, Task
from queues.urgency import Urgency
from triage import actions as triage
from triage import engine, explain, facts
from triage.signals import Reading

K = Guidance.Kind
# Which guidance a red flag in words asks for; all others are emergencies.
OF_SIGNAL = {
    "suicide": K.CRISIS,
    "self_harm": K.CRISIS,
    "psychosis": K.CRISIS,
    "violence": K.VIOLENCE,
    "overdose": K.POISON,
    "carbon_monoxide": K.POISON,
}
ORDER = (K.EMERGENCY, K.POISON, K.VIOLENCE, K.CRISIS, K.SEXUAL_HEALTH, K.NEUTRAL)
# Not for the eyes of somebody else who is logged in: they may be the reason.
SENSITIVE = frozenset({K.VIOLENCE, K.CRISIS, K.SEXUAL_HEALTH})


# ---- what is one -----------------------------------------------------------------------------------------------


def found(asked: dict[str, Any], readings: Iterable[Reading]) -> dict[str, str]:
    """The emergencies in what is asked: a code for each, and the kind of guidance it calls for.

    They are the urgent red flags in words, and the safety rules of urgency “urgent” that the answers meet: so the
    rules that an admin marks are what interrupts.
    """
    codes = {
        signal.code: str(OF_SIGNAL.get(signal.code, K.EMERGENCY))
        for reading in readings
        for signal in reading.signals
        if signal.urgency == "urgent"
    }
    _pk, ruleset = triage.deciding()
    decision = engine.decide(ruleset, asked | {"notice.shown": False})
    if decision.floor == "urgent":
        fired = set(decision.fired)
        for rule in ruleset.stage("safety"):
            if rule.name not in fired or rule.then.urgency != "urgent":
                continue
            kind = next((kind for kind in ORDER if kind in rule.then.tags), K.EMERGENCY)
            # A rule that only says “a red flag was read” adds nothing to the flag itself.
            if not codes or kind != K.EMERGENCY:
                codes[f"rule: {rule.name}"] = str(kind)
    return codes


def note(draft: Draft, codes: dict[str, str], *, by: User) -> bool:
    """Write down each emergency that is shown for the first time. Whether there was a new one."""
    shown = {notice["code"] for notice in draft.notices}
    fresh = {code: kind for code, kind in codes.items() if code not in shown}
    for code, kind in sorted(fresh.items()):
        draft.notices.append({"code": code, "kind": kind, "at": now().isoformat()})
        Notice.objects.get_or_create(
            draft_key=draft.pk,
            code=code,
            defaults={
                "kind": kind,
                "patient": draft.patient,
                "author": draft.author,
                "request_type": _type_of(draft),
                "confidential": draft.confidential,
                "shown_at": now(),
            },
        )
        record(
            "intake.notice.show",
            by=by,
            kind=Kind.EXECUTE,
            patients=[draft.patient_id],
            entity=draft,
            detail={"code": code, "kind": kind},
        )
    return bool(fresh)


def _type_of(draft: Draft) -> str:
    if draft.follow_up is not None:
        return draft.follow_up.conversation.request_type
    return draft.asks.code


def close(*, draft_key: UUID, outcome: str, submission: Submission | None = None) -> None:
    """Note how it went on: sent, or deleted. Part of the caller's transaction."""
    Notice.objects.filter(draft_key=draft_key).update(
        outcome=outcome, outcome_at=now(), submission=submission
    )


# ---- what is said ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """One kind of help: a heading, what to do, and whom to call."""

    kind: str
    heading: str
    words: str
    phone: str


@dataclass(frozen=True)
class Shown:
    """The notice as one reader sees it. `exit`: with a quick way out. `callback`: minutes, None where nobody calls."""

    parts: list[Part]
    emergency: str
    fresh: bool
    exit: bool
    callback: int | None

    @property
    def has_emergency(self) -> bool:
        """Whether one of the parts is to call the emergency number; otherwise it comes last."""
        return any(part.phone == self.emergency for part in self.parts)

    @property
    def key(self) -> str:
        return "-".join(part.kind for part in self.parts)


def shown(draft: Draft, reader: User, *, fresh: bool = False) -> Shown | None:
    """What to do now, once anything in the draft looked like an emergency. Whoever is not the patient reads of
    violence, self-harm and sexual health in neutral words."""
    if not draft.notices:
        return None
    kinds = {notice.get("kind", K.EMERGENCY) for notice in draft.notices}
    patient, private = draft.patient, bool(draft.request_type and draft.request_type.confidential)
    discreet = bool(kinds & SENSITIVE)
    if patient.user_id != reader.pk and (discreet or private):
        kinds = (kinds - SENSITIVE - ({K.EMERGENCY} if private else set())) | {K.NEUTRAL}
        discreet = True
    return Shown(
        parts=[_part(kind, patient.facility) for kind in ORDER if kind in kinds],
        emergency=patient.facility.emergency_number,
        fresh=fresh,
        exit=discreet,
        callback=patient.facility.callback_minutes,
    )


def _part(kind: str, place: Facility) -> Part:
    row = Guidance.objects.of(kind, place, (get_language() or "en")[:2])
    phone = (row.phone if row else "") or {
        K.CRISIS: place.crisis_line,
        K.POISON: place.poison_control,
        K.SEXUAL_HEALTH: place.after_hours_phone,
        K.NEUTRAL: place.after_hours_phone,
    }.get(K(kind), place.emergency_number)
    numbers = {"phone": phone, "emergency": place.emergency_number}
    if row:
        return Part(kind, row.heading, row.words.format(**numbers), phone)
    heading, words = _built_in(kind)
    return Part(kind, heading, words % numbers, phone)


def _built_in(kind: str) -> tuple[str, str]:
    if kind == K.CRISIS:
        return _("You don't have to be alone with this"), _(
            "Call or text %(phone)s now, at any hour. If you are in danger, call %(emergency)s."
        )
    if kind == K.POISON:
        return _("This can be a poisoning"), _(
            "Call poison control now: %(phone)s. If somebody can't be woken or can't breathe, call %(emergency)s."
        )
    if kind == K.VIOLENCE:
        return _("You have a right to be safe"), _(
            "If you are in danger now, call %(emergency)s. The button below leaves this page at once."
        )
    if kind == K.SEXUAL_HEALTH:
        return _("Please talk to us today"), _(
            "Some help works only within a short time. Call %(phone)s today; in an emergency call %(emergency)s."
        )
    if kind == K.NEUTRAL:
        return _("Please call today"), _(
            "A nurse should hear about this soon. Call %(phone)s; in an emergency call %(emergency)s."
        )
    return _("This can be an emergency"), _(
        "Please don't wait for an answer here. Call %(emergency)s now, or have someone call for you."
    )


# ---- when it is left there -------------------------------------------------------------------------------------


def call_back_all() -> int:
    """Open a call-back for every form that showed an emergency and was not sent in the facility's time. Returns how
    many there were."""
    waiting = (
        Notice.objects.left()
        .filter(patient__facility__callback_minutes__isnull=False)
        .order_by("shown_at")
        .values_list("draft_key", "shown_at", "patient__facility__callback_minutes")
    )
    due = {key for key, at, minutes in waiting[:1000] if at + timedelta(minutes=minutes or 0) <= now()}
    return sum(call_back(draft_key=key) is not None for key in sorted(due, key=str))


@transaction.atomic
def call_back(*, draft_key: UUID) -> Task | None:
    """An urgent task for nursing, once for each form; None where it was sent or is dealt with already."""
    rows = list(
        Notice.objects.select_for_update(of=("self",))
        .left()
        .filter(draft_key=draft_key)
        .select_related("patient__facility__calendar", "author")
    )
    if not rows:
        return None
    first = rows[0]
    patient, author = first.patient, first.author
    asked = facts.build(
        request_type=first.request_type,
        questionnaire="",
        answers={},
        patient=patient,
        readings=[],
        open_requests=Task.objects.live().filter(conversation__patient=patient).count(),
        moment=now(),
        notice_shown=True,
    )
    decision = triage.decide(asked)
    sensitive = any(row.kind in SENSITIVE for row in rows)
    with override("en"):  # for the staff
        conversation = Conversation.objects.create(
            patient=patient,
            author=author,
            request_type=first.request_type or "call-back",
            subject=_("Call-back after an emergency notice"),
            clinical=True,
            confidential=(first.confidential or (sensitive and may_keep_confidential(patient, author)))
            and patient.user_id == author.pk,
            opened_at=now(),
        )
        task = queues.open_task(
            conversation=conversation,
            queue=_nursing(decision.queue, patient.facility),
            urgency=Urgency.URGENT,
            floor=Urgency.URGENT,
            title=_("Call back: an emergency notice was shown and the form was not sent"),
            plain_title=_("Call back"),
            by=None,
            decision=decision,
            flags=[
                {
                    "code": row.code,
                    "label": row.label,
                    "reason": _("shown while the form was filled in"),
                    "urgency": "urgent",
                }
                for row in rows
            ],
            why=[
                _("The form showed what to do in an emergency, and was not sent within %(count)d minutes.")
                % {"count": patient.facility.callback_minutes or 0},
                *explain.sentences(decision),
            ],
        )
    Notice.objects.filter(pk__in=[row.pk for row in rows]).update(task=task)
    Notice.objects.filter(pk__in=[row.pk for row in rows], outcome="").update(
        outcome=Notice.Outcome.LEFT, outcome_at=now()
    )
    record(
        "intake.callback.open",
        by=None,
        kind=Kind.CREATE,
        patients=[patient.pk],
        entity=task,
        detail={"codes": [row.code for row in rows]},
    )
    return task


def _nursing(code: str, place: Facility) -> Queue:
    """Where the rules would send it, if nurses are there; else a nurses' queue that takes urgent work, or any."""
    try:
        queue = queues.serving(code, place)
        if queue.role == Role.NURSE:
            return queue
    except Refused:
        pass
    rows = Queue.objects.live().filter(role=Role.NURSE, facility__in=[place]) | Queue.objects.live().filter(
        role=Role.NURSE, facility=None
    )
    return rows.order_by("-receives_urgent", "facility", "pk").first() or queues.serving(code, place)


def callback_of(draft: Draft) -> Task | None:
    """The call-back that was opened for this draft, for what is then sent to join."""
    row = (
        Notice.objects.filter(draft_key=draft.pk, task__isnull=False)
        .select_related("task__conversation")
        .first()
    )
    return row.task if row else None
