"""Letting a version of the rules decide: approval, publishing through the gate, going back, baselines, replays."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from audit.actions import Kind, record, store
from audit.now import now
from portal.people.models import User
from portal.people.policies import Refused
from portal.people.tasks import nudge
from triage import engine, policies, proving, publishing, replay, signals
from triage.actions.drafts import copy
from triage.loading import compile_rows
from triage.models import Approval, LostFlag, Replay, Ruleset

MAX_DAYS = 3660


@transaction.atomic
def approve(*, ruleset: Ruleset, by: User, seen: str | None = None, note: str = "") -> Approval:
    """A clinician's word for the draft's safety stage and promises as they are now; a later change voids it.

    `seen` is the digest of what they looked at.
    """
    ruleset = Ruleset.objects.select_for_update().get(pk=ruleset.pk)
    policies.check_draft(ruleset)
    policies.check_approver(ruleset, by)
    digest = proving.safety_digest(ruleset)
    if seen is not None and seen != digest:
        raise Refused(_("The safety rules or promises were changed after you opened this page. Look again."))
    approval, is_new = Approval.objects.get_or_create(
        ruleset=ruleset, digest=digest, by=by, defaults={"at": now(), "note": note.strip()[:300]}
    )
    if is_new:
        record(
            "triage.ruleset.approve",
            by=by,
            kind=Kind.EXECUTE,
            entity=ruleset,
            detail={"number": ruleset.number, "digest": digest},
        )
    return approval


@transaction.atomic
def accept_lost_flag(*, lost: LostFlag, by: User, reason: str) -> LostFlag:
    """A clinician's word that this past red flag may be lost or lowered in this way, and why."""
    lost = LostFlag.objects.select_for_update().get(pk=lost.pk)
    policies.check_draft(lost.ruleset)
    policies.check_approver(lost.ruleset, by)
    if lost.accepted_by is not None:
        raise Refused(_("%(who)s accepted this already.") % {"who": lost.accepted_by.signature})
    lost.reason = policies.check_reason(reason, _("Say why this red flag may be lost."))
    lost.accepted_by, lost.accepted_at = by, now()
    lost.save()
    submission = lost.decision.submission
    record(
        "triage.lostflag.accept",
        by=by,
        kind=Kind.EXECUTE,
        patients=[submission.patient_id] if submission else [],
        entity=lost,
        detail={"ruleset": lost.ruleset.number, "decision": lost.decision_id},
    )
    return lost


def publish(*, ruleset: Ruleset, by: User, reason: str) -> Ruleset:
    """Let a draft decide from now on; the one before it is retired and kept.

    Raises Refused with everything that is in the way. What was found out about the draft (its proof, the red flags
    that it would lose) is kept even then.
    """
    reason = policies.check_reason(reason, _("Say why this version is published."))
    policies.check_draft(Ruleset.objects.get(pk=ruleset.pk))
    proving.prove(ruleset, seconds=publishing.AT_ONCE_SECONDS, with_overlaps=False)
    replay.find_lost_flags(ruleset)
    with transaction.atomic():
        publishing.hold()
        ruleset = Ruleset.objects.select_for_update().get(pk=ruleset.pk)
        policies.check_draft(ruleset)
        # What was worked out above counts only for exactly these rules, so a change in between shows here.
        report = publishing.report(ruleset)
        if not report.passes:
            raise Refused(" ".join(report.blocking))
        # Proven, approved and replayed with what is installed: from here on it is written for these signals.
        ruleset.signals_version = signals.VERSION
        _let_decide(ruleset, by, reason)
        record(
            "triage.ruleset.publish",
            by=by,
            kind=Kind.UPDATE,
            entity=ruleset,
            detail={"number": ruleset.number, "proof": report.digest},
        )
    return ruleset


def _let_decide(ruleset: Ruleset, by: User, reason: str) -> None:
    # The old one steps down first: the database allows only one published ruleset at any moment.
    for old in Ruleset.objects.select_for_update().published():
        old.status = Ruleset.Status.RETIRED
        old.save(update_fields=["status"])
    ruleset.status, ruleset.note = Ruleset.Status.PUBLISHED, reason
    ruleset.published_at, ruleset.published_by = now(), by
    ruleset.save()


@transaction.atomic
def roll_back(*, to: Ruleset, by: User, reason: str) -> Ruleset:
    """Publish an earlier version again, as a copy with a new number, through the same gate. A draft stays as it is.

    Raises Refused with everything that is in the way; then nothing changed.
    """
    reason = policies.check_reason(reason, _("Say why you go back to this version."))
    to = Ruleset.objects.get(pk=to.pk)
    if to.status != Ruleset.Status.RETIRED or to.baseline:
        raise Refused(_("Only a version that decided before can be published again."))
    publishing.hold()
    ruleset = Ruleset(
        fallback=to.fallback, status=Ruleset.Status.RETIRED, published_at=now(), published_by=by
    )
    copy(to, into=ruleset, by=by, action="triage.ruleset.copy")
    ruleset.signals_version = to.signals_version
    replay.find_lost_flags(ruleset)
    report = publishing.report(ruleset, prove_within=publishing.AT_ONCE_SECONDS, as_in=to)
    if not report.passes:
        raise Refused(
            " ".join([*report.blocking, _("Start a draft from this version to change what is in the way.")])
        )
    _let_decide(ruleset, by, reason)
    # The clinician's word for that version is the word for its copy, also when it is gone back to once more.
    digest = proving.safety_digest(ruleset)
    for approval in to.approvals.filter(digest=digest):
        Approval.objects.create(
            ruleset=ruleset, digest=digest, by=approval.by, at=approval.at, note=approval.note
        )
    record(
        "triage.ruleset.rollback",
        by=by,
        kind=Kind.UPDATE,
        entity=ruleset,
        detail={"number": ruleset.number, "to": to.number, "proof": report.digest},
    )
    return ruleset


@transaction.atomic
def keep_baseline(*, ruleset: Ruleset, by: User, reason: str) -> Ruleset:
    """Keep a draft as a baseline to compare with, such as the practice's former routing. It never decides, so it
    takes no gate, but it must be readable."""
    reason = policies.check_reason(reason, _("Say what this baseline is."))
    ruleset = Ruleset.objects.select_for_update().get(pk=ruleset.pk)
    policies.check_draft(ruleset)
    try:
        compile_rows(ruleset, ruleset.rules.all())
    except engine.RulesetError as error:
        raise Refused(" ".join(str(problem) for problem in error.problems)) from error
    ruleset.status, ruleset.baseline, ruleset.note = Ruleset.Status.RETIRED, True, reason
    ruleset.published_at, ruleset.published_by = now(), by
    store(ruleset, by=by, action="triage.ruleset.baseline")
    nudge("triage.tasks.route_past", ruleset.pk)
    return ruleset


@transaction.atomic
def start_replay(*, ruleset: Ruleset, days: int, by: User | None, in_worker: bool = True) -> Replay:
    """Decide the past days' requests again under this ruleset, in a worker."""
    if not 1 <= days <= MAX_DAYS:
        raise Refused(_("Choose from 1 to %(days)d days.") % {"days": MAX_DAYS})
    try:
        compile_rows(ruleset, ruleset.rules.all())
    except engine.RulesetError as error:
        raise Refused(" ".join(str(problem) for problem in error.problems)) from error
    until = now()
    row = Replay(
        ruleset=ruleset,
        rules_digest=proving.rules_digest(ruleset),
        since=until - timedelta(days=days),
        until=until,
        by=by,
        started_at=until,
    )
    row.total = replay.decisions_of(row).count()
    row.save()
    record(
        "triage.ruleset.replay",
        by=by,
        kind=Kind.EXECUTE,
        entity=ruleset,
        detail={"days": days, "decisions": row.total},
    )
    if in_worker:
        nudge("triage.tasks.replay", row.pk)
    return row
