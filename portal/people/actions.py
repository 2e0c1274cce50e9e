"""Every write to people: who is registered, who works where, who acts for whom, which mail goes out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils.translation import gettext as _

from audit.actions import Kind, record, store
from audit.now import is_set, now
from portal.people import policies, tasks
from portal.people.models import (
    Facility,
    Invitation,
    Mail,
    Patient,
    PatientUserPermission,
    Program,
    Proxy,
    StaffRole,
    User,
)
from portal.people.models.invitations import A_DAY
from portal.people.policies import Refused


@transaction.atomic
def add_user(*, email: str, name: str, by: User | None, password: str | None = None, **fields: Any) -> User:
    """Open an account. Without a password it can be set through the mail of a password reset."""
    user = User.objects.create_user(email, password, name=name, **fields)
    # The clinic took the address down face to face; a first password comes by mail to it anyway.
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    record("people.user.create", by=by, kind=Kind.CREATE, entity=user)
    return user


@transaction.atomic
def choose_language(*, user: User, language: str, by: User | None) -> None:
    """From now on pages and mail speak this language to this person. Choosing the same again changes nothing."""
    if user.language == language:
        return
    user.language = User._meta.get_field("language").clean(language, user)
    user.save(update_fields=["language"])
    record("people.user.language", by=by, kind=Kind.UPDATE, entity=user, detail={"language": language})


@transaction.atomic
def assign_role(
    *, user: User, role: str, facility: Facility | None, by: User | None, since: date | None = None
) -> StaffRole:
    """Let somebody work in a role at a facility, or in the central team (`facility` None)."""
    row = StaffRole(user=user, role=role, facility=facility)
    if since:
        row.since = since
    row.full_clean()
    row.save()
    user.__dict__.pop("roles", None)
    record("people.role.assign", by=by, kind=Kind.CREATE, entity=row, detail={"role": role, "user": user.pk})
    return row


@transaction.atomic
def register_patient(
    *,
    record_number: str,
    given_name: str,
    family_name: str,
    birth_date: date,
    facility: Facility,
    by: User | None,
    language: str = "en",
    programs: Iterable[str] = (),
    user: User | None = None,
) -> Patient:
    """Enter a patient. Raises ValidationError where the record number or the log-in is taken."""
    policies.check_open(facility)
    patient = Patient(
        user=user,
        record_number=record_number,
        given_name=given_name,
        family_name=family_name,
        birth_date=birth_date,
        language=language,
        facility=facility,
        programs=_known_programs(programs),
    )
    patient.full_clean()
    patient.save()
    record("people.patient.create", by=by, kind=Kind.CREATE, patients=[patient.pk], entity=patient)
    return patient


@transaction.atomic
def set_programs(*, patient: Patient, programs: Iterable[str], by: User | None) -> None:
    """Let the patient be in exactly these programs. Raises Refused for a code that is none."""
    patient.programs = _known_programs(programs)
    patient.save(update_fields=["programs"])
    record("people.patient.programs", by=by, kind=Kind.UPDATE, patients=[patient.pk], entity=patient)


@transaction.atomic
def save_facility(*, facility: Facility, by: User | None) -> list[str]:
    """Store a facility. A new one opens at once where every request has somebody to go to; else the sentences say
    what it needs before `open_facility` can."""
    is_new = facility._state.adding
    if is_new:
        facility.opened_at = None
    store(facility, by=by)
    if not is_new:
        return []
    try:
        open_facility(facility=facility, by=by)
    except Refused as refused:
        return [str(refused)]
    return []


@transaction.atomic
def open_facility(*, facility: Facility, by: User | None) -> None:
    """Let patients come in here. Raises Refused with what the rules need first."""
    policies.check_opening(facility)
    facility.opened_at = now()
    facility.save(update_fields=["opened_at"])
    record("people.facility.open", by=by, kind=Kind.UPDATE, entity=facility)


def _known_programs(codes: Iterable[str]) -> list[str]:
    wanted = sorted(set(codes))
    if wanted:
        known = set(Program.objects.filter(code__in=wanted).values_list("code", flat=True))
        for code in wanted:
            if code not in known:
                raise Refused(_("There is no program “%(code)s”.") % {"code": code})
    return wanted


@transaction.atomic
def grant_proxy(
    *,
    user: User,
    patient: Patient,
    relationship: str,
    by: User | None,
    until: date | None = None,
    scope: list[str] | None = None,
    tell: bool = True,
) -> Proxy:
    """Let somebody act for a patient until a day (or until it is ended), for all requests or those of the types in
    `scope`. Both are told by mail, unless `tell` is off: for entering what was agreed before Porter was there."""
    policies.check_relationship(relationship, patient)
    proxy = Proxy(
        user=user, patient=patient, relationship=relationship, since=now().date(), until=until, scope=scope
    )
    proxy.full_clean()
    proxy.save()
    PatientUserPermission.objects.assign_perm("act_for", user, patient)
    record(
        "people.proxy.grant",
        by=by,
        kind=Kind.CREATE,
        patients=[patient.pk],
        entity=proxy,
        detail={"user": user.pk, "relationship": relationship, "scope": scope},
    )
    if tell:
        _tell_both(proxy, Mail.Kind.GRANT_GIVEN)
    return proxy


@transaction.atomic
def end_proxy(*, proxy: Proxy, by: User | None, why: str = "ended", reason: str = "") -> None:
    """Take the grant back, at once, and tell both by mail. Ending it twice changes nothing. The clinic's `reason` is
    kept with it."""
    proxy = Proxy.objects.select_for_update().get(pk=proxy.pk)
    if proxy.ended_at:
        return
    proxy.ended_at, proxy.ended_reason = now(), reason
    proxy.save(update_fields=["ended_at", "ended_reason"])
    PatientUserPermission.objects.remove_perm("act_for", proxy.user, proxy.patient)
    record(
        "people.proxy.end",
        by=by,
        kind=Kind.UPDATE,
        patients=[proxy.patient_id],
        entity=proxy,
        detail={"why": why},
    )
    _tell_both(proxy, Mail.Kind.GRANT_ENDED)


@transaction.atomic
def ask_proxy(
    *,
    patient: Patient,
    email: str,
    name: str,
    relationship: str,
    by: User,
    until: date | None = None,
    scope: list[str] | None = None,
    reason: str = "",
) -> Invitation:
    """Ask somebody by mail to act for a patient. Where nobody has the address, a log-in is made for it that only the
    mail of a password reset opens, so whoever asks sees no difference. Asking again takes the place of what waits.

    Raises Refused where `by` may not ask, and on what could never become a grant.
    """
    policies.check_asks_proxy(patient, by)
    policies.check_relationship(relationship, patient)
    if until is not None and until < now().date():
        raise Refused(_("The last day is over already. Choose a later one."))
    Patient.objects.select_for_update().get(pk=patient.pk)  # one at a time, or the count would be of no use
    if patient.invitations.filter(asked_at__gt=now() - timedelta(days=1)).count() >= A_DAY:
        raise Refused(_("That is enough for one day. Please go on tomorrow."))
    user = _of_address(email) or add_user(email=email, name=name, language=patient.language, by=by)
    if user == by:
        raise Refused(_("This is your own address. It takes somebody else's."))
    if user.pk == patient.user_id:
        raise Refused(_("This is the patient's own address. It takes somebody else's."))
    for row in patient.invitations.filter(user=user, answered_at__isnull=True):
        close_invitation(invitation=row, by=by)
    asked = Invitation(
        user=user,
        patient=patient,
        asked_by=by,
        name=name,
        email=email,
        relationship=relationship,
        until=until,
        scope=scope,
        reason=reason,
    )
    asked.full_clean()
    asked.save()
    record(
        "people.proxy.ask",
        by=by,
        kind=Kind.CREATE,
        patients=[patient.pk],
        entity=asked,
        detail={"user": user.pk, "relationship": relationship, "scope": scope},
    )
    post_mail(recipient=user, kind=Mail.Kind.INVITED, path="/access/", always=True)
    return asked


def _of_address(email: str) -> User | None:
    """Who has this address: as the one they log in with, or as a further one that they have proven."""
    proven = EmailAddress.objects.filter(email__iexact=email, verified=True).select_related("user").first()
    return proven.user if proven else User.objects.filter(email__iexact=email).first()


@transaction.atomic
def accept_invitation(*, invitation: Invitation, birth_date: date | None, by: User) -> Proxy | None:
    """Say yes, and act for the patient from now on. None where the birthday is not the patient's; that is counted, and
    a few of them close the invitation. Raises Refused where it can't be answered any more."""
    row = Invitation.objects.select_for_update().filter(pk=invitation.pk, user=by).open().first()
    if row is None:
        raise Refused(_("This invitation is over. Ask for a new one."))
    patient = row.patient
    if birth_date != patient.birth_date:
        row.misses += 1
        row.save(update_fields=["misses"])
        record("people.proxy.miss", by=by, kind=Kind.UPDATE, patients=[patient.pk], entity=row)
        return None
    if Proxy.objects.open_to(by).filter(patient=patient).exists():
        raise Refused(_("You act for this person already."))
    for over in Proxy.objects.filter(user=by, patient=patient, ended_at__isnull=True):
        end_proxy(proxy=over, by=None, why="last-day")
    row.proxy = grant_proxy(
        user=by, patient=patient, relationship=row.relationship, until=row.until, scope=row.scope, by=by
    )
    row.answered_at = now()
    row.save(update_fields=["proxy", "answered_at"])
    record("people.proxy.accept", by=by, kind=Kind.UPDATE, patients=[patient.pk], entity=row)
    return row.proxy


@transaction.atomic
def close_invitation(*, invitation: Invitation, by: User) -> None:
    """Say no, or take it back. Closing what is answered changes nothing."""
    row = Invitation.objects.select_for_update().get(pk=invitation.pk)
    policies.check_ends_grant(row, by)
    if row.answered_at:
        return
    row.answered_at = now()
    row.save(update_fields=["answered_at"])
    what = "decline" if by.pk == row.user_id else "withdraw"
    record(f"people.proxy.{what}", by=by, kind=Kind.UPDATE, patients=[row.patient_id], entity=row)


def end_grants_that_are_over() -> int:
    """End, in the rows too, what has ended by the calendar: a child came of age, or the last day has passed. Nothing
    was open any more; this is for the trail and for telling both. Returns how many there were."""
    ended = 0
    outgrown = Proxy.objects.filter(ended_at__isnull=True).outgrown()
    over = Proxy.objects.filter(ended_at__isnull=True, until__lt=now().date())
    for why, rows in (("of-age", outgrown), ("last-day", over)):
        for proxy in rows.order_by("pk")[:1000]:
            end_proxy(proxy=proxy, by=None, why=why)
            ended += 1
    return ended


def _tell_both(proxy: Proxy, kind: str) -> None:
    """It concerns the safety of both accounts, so it is mailed even where no other news is wanted."""
    for recipient in (proxy.user, proxy.patient.user):
        if recipient is not None:
            post_mail(recipient=recipient, kind=kind, path="/access/", always=True)


def post_mail(
    *, recipient: User, kind: str, path: str, after: timedelta = timedelta(), always: bool = False
) -> Mail | None:
    """Write a mail into the outbox; call it inside the transaction that is the mail's reason. It waits for `after`.

    Returns None where the recipient wants no notices, unless it goes out `always`. The worker started
    on commit is only a nudge: the sweep finds whatever a crash left behind.
    """
    if not (recipient.mail_notices or always) or not recipient.is_active:
        return None
    mail = Mail.objects.create(
        recipient=recipient, kind=kind, path=path, created_at=now(), not_before=now() + after
    )
    if not is_set():
        tasks.nudge("portal.people.tasks.send_mail", mail.pk, after=after)
    return mail


def withdraw_mails(keys: Iterable[int]) -> None:
    """Take mails back that wait to be sent; what is sent already stays as it is. Part of the caller's transaction."""
    waiting = Mail.objects.select_for_update().filter(pk__in=list(keys), state=Mail.State.PENDING)
    for mail in waiting:
        mail.state = Mail.State.WITHDRAWN
        mail.save(update_fields=["state"])
