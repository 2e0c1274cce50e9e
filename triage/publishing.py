"""The gate: what must be proven, approved and kept before a change may decide about patients.

`report` tells of a ruleset everything that stands in its way. The same proofs guard the other changes that reach
decisions: a new questionnaire (`check_catalogue`), a retired queue (`check_queue_retirement`) and a new facility
(`check_facility`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import F, Q
from django.utils.translation import gettext as _

from portal.people.models import Facility
from queues.models import Queue
from triage import catalogue as catalogues
from triage import proving, rereading, signals
from triage.conditions import ConditionError
from triage.fields import CatalogueError, Json
from triage.models import AnswerSource, Approval, LostFlag, Proof, Replay, Ruleset

AT_ONCE_SECONDS = 8.0  # while a person waits
RED_FLAG_DAYS = 90  # how far back publishing looks for red flags that would be lost
MAX_LOST = 200  # past red flags that may be accepted one by one; with more, the rules are wrong
_GATE = 0x706F7274  # the key of the lock that all changes of decisions share


def hold() -> None:
    """Let no other change of decisions through until this transaction ends: each is proven against the rest."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_GATE])


# ---- approval -----------------------------------------------------------------------------------------------------


def safety_changed(ruleset: Ruleset) -> bool:
    """Whether its safety stage or promises differ from what the published ruleset has."""
    published = Ruleset.objects.published().first()
    return proving.safety_digest(ruleset) != proving.safety_digest(published)


def approval_of(ruleset: Ruleset) -> Approval | None:
    """The approval of exactly the present safety stage and promises, by somebody who is none of its authors."""
    return (
        ruleset.approvals.filter(digest=proving.safety_digest(ruleset))
        .exclude(by__in=ruleset.authors.all())
        .select_related("by")
        .first()
    )


# ---- the report ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GateReport:
    """Everything that is known of a ruleset before it is published."""

    ruleset: Ruleset
    digest: str
    broken: list[str]
    proof: Proof | None
    findings: list[proving.Finding] = field(default_factory=list)
    overlaps: list[proving.Finding] = field(default_factory=list)
    approvals_missing: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def unproven(self) -> Iterator[str]:
        if self.broken:
            return
        if self.proof is None or self.proof.state == Proof.State.RUNNING:
            yield _("The proofs of these rules are not worked out yet.")
        elif self.proof.state == Proof.State.FAILED:
            yield _("The proofs failed (%(error)s). Tell the people who run Porter.") % {
                "error": self.proof.error
            }
        for one in self.findings:
            if not one.proven:
                yield from one.sentences

    @property
    def pending(self) -> bool:
        """Whether a worker has yet to say what is proven."""
        return not self.broken and (self.proof is None or self.proof.state == Proof.State.RUNNING)

    @property
    def kept(self) -> list[proving.Finding]:
        return [one for one in self.findings if one.proven]

    @property
    def blocking(self) -> list[str]:
        """Why it can't be published, as sentences; empty when it can."""
        return [*self.broken, *self.unproven(), *self.approvals_missing, *self.lost]

    @property
    def passes(self) -> bool:
        return not self.blocking

    def to_json(self) -> dict[str, Json]:
        return {
            "ruleset": self.ruleset.number,
            "passes": self.passes,
            "blocking": self.blocking,
            "findings": [one.to_json() for one in self.findings],
            "warnings": self.warnings,
            "seconds": self.proof.seconds if self.proof else 0,
        }


def report(
    ruleset: Ruleset, *, prove_within: float | None = None, as_in: Ruleset | None = None
) -> GateReport:
    """What stands in the way of publishing this ruleset as it is.

    A stored proof of exactly these rules is used; without one, it is made now if `prove_within` says how long that
    may take. `as_in` is an earlier version whose approvals count: going back to it needs no new one.
    """
    around = proving.Surroundings.present()
    mark, broken = proving.digest(ruleset, around), proving.problems(ruleset, around)
    proof = ruleset.proofs.filter(digest=mark).first()
    done = proof is not None and proof.state == Proof.State.DONE
    if not broken and not done and prove_within is not None:
        proof = proving.prove(ruleset, seconds=prove_within, with_overlaps=False)
    told: dict[str, Any] = proof.report if proof is not None and proof.state == Proof.State.DONE else {}
    return GateReport(
        ruleset=ruleset,
        digest=mark,
        broken=broken,
        proof=proof,
        findings=[proving.Finding.from_json(one) for one in told.get("findings", [])],
        overlaps=[proving.Finding.from_json(one) for one in told.get("overlaps", [])],
        approvals_missing=_approvals_missing(ruleset, as_in),
        lost=[*_lost(ruleset), *_not_read_anew(ruleset)],
        warnings=warnings(ruleset),
    )


def _approvals_missing(ruleset: Ruleset, as_in: Ruleset | None) -> list[str]:
    if not safety_changed(ruleset) or approval_of(ruleset):
        return []
    if as_in and as_in.approvals.filter(digest=proving.safety_digest(ruleset)).exists():
        return []
    if ruleset.approvals.exists():
        return [
            _(
                "The safety rules or promises were changed after they were approved. "
                "A lead or physician who is not among the authors must approve them again."
            )
        ]
    return [
        _(
            "The safety rules or promises differ from the published ones. "
            "A lead or physician who is not among the authors must approve them."
        )
    ]


def _lost(ruleset: Ruleset) -> list[str]:
    waiting = LostFlag.objects.filter(ruleset=ruleset, accepted_by__isnull=True).count()
    if not waiting:
        return []
    if waiting >= MAX_LOST:
        return [
            _("%(count)d past red flags or more would be lost or lowered. Change the rules.")
            % {"count": waiting}
        ]
    return [
        _(
            "%(count)d past red flags would be lost or lowered. A lead or physician must accept each with a "
            "reason, or the rules must change."
        )
        % {"count": waiting}
    ]


def _not_read_anew(ruleset: Ruleset) -> list[str]:
    """Publishing writes a draft down for the installed signals: where they are new, what they see in past words has
    to be known before. Going back to an earlier version changes no signals and asks for none of it."""
    if ruleset.status != Ruleset.Status.DRAFT or not rereading.are_new():
        return []
    whole = ruleset.replays.filter(
        state=Replay.State.DONE,
        rules_digest=proving.rules_digest(ruleset),
        result__signals=signals.VERSION,
        until__gte=F("since") + timedelta(days=RED_FLAG_DAYS),
    )
    if whole.exists():
        return []
    return [
        _(
            "Other signals (%(new)s) are installed than those the published rules were written for. Replay the past "
            "%(days)d days under these rules first: the words are read anew for it."
        )
        % {"new": signals.VERSION, "days": RED_FLAG_DAYS}
    ]


def warnings(ruleset: Ruleset) -> list[str]:
    """What an admin should know of these rules though they may go live."""
    less = [why] if (why := signals.trouble()) else []
    if ruleset.signals_version in ("", signals.VERSION):
        return less
    return [
        *less,
        _("Ruleset %(number)d was written for signals %(old)s; %(new)s are installed.")
        % {"number": ruleset.number, "old": ruleset.signals_version, "new": signals.VERSION},
    ]


# ---- other changes that reach decisions ------------------------------------------------------------------------------


def check_catalogue(*, instead: AnswerSource | None = None, without: str = "") -> list[str]:
    """Why a questionnaire's new fields (`instead`, a row that need not be saved) can't go live, or why the fields of
    a code can't go away (`without`), as sentences: what the published ruleset would no longer keep. Call it inside
    the transaction of the change, before the change."""
    hold()
    try:
        catalogue = catalogues.proposed(instead=instead, without=without)
    except (CatalogueError, TypeError, KeyError) as error:
        return [str(error)]
    return _newly_broken(lambda present: replace(present, catalogue=catalogue))


def check_queue_retirement(queue: Queue) -> list[str]:
    """Why a queue can't be retired, as sentences: the published ruleset would send requests to nobody."""
    hold()
    said = _newly_broken(lambda present: proving.Surroundings.present(present.catalogue, without=queue))
    return [_("The published rules need this queue: %s") % sentence for sentence in said]


def check_queue_change(queue: Queue) -> list[str]:
    """Why a queue can't be stored as this row has it, as sentences: its code or role means something to the rules."""
    hold()
    said = _newly_broken(
        lambda present: proving.Surroundings.present(
            present.catalogue, instead=queue if queue.retired_at is None else None
        )
    )
    return [_("The published rules don't allow this: %s") % sentence for sentence in said]


def check_facility(facility: Facility) -> list[str]:
    """Why a facility can't open, as sentences: some requests of its patients would find no queue, or one where nobody
    works."""
    hold()
    here = (facility.code,)
    said = _newly_broken(
        lambda present: replace(present, facilities=here), lambda present: replace(present, facilities=())
    )
    published = Ruleset.objects.published().first()
    if published is None or said:
        return said
    codes = {
        published.fallback,
        *published.rules.exclude(queue="").order_by().values_list("queue", flat=True),
    }
    serving = Queue.objects.live().filter(Q(facility=facility) | Q(facility__isnull=True), code__in=codes)
    nobody = serving.filter(members__user__isnull=True).order_by("name").select_related("facility")
    own = {queue.code for queue in serving if queue.facility_id}
    return [
        _("Nobody works “%(queue)s” yet.") % {"queue": queue}
        for queue in nobody
        if queue.facility_id or queue.code not in own
    ]


Change = Callable[[proving.Surroundings], proving.Surroundings]


def _newly_broken(change: Change, compared: Change = lambda present: present) -> list[str]:
    """What the published ruleset keeps now and would not keep then."""
    published = Ruleset.objects.published().first()
    if published is None:
        return []
    present = proving.Surroundings.present()
    after = _failing(published, change(present))
    before = _failing(published, compared(present)) if after else {}
    return [sentence for key, said in after.items() if key not in before for sentence in said]


def _failing(ruleset: Ruleset, around: proving.Surroundings) -> dict[str, Collection[str]]:
    """By a key that stays the same for the same trouble, what it says."""
    try:
        broken: Iterable[str] = proving.problems(ruleset, around)
        if broken:
            return {sentence: [sentence] for sentence in broken}
        found = proving.findings(ruleset, around, seconds=AT_ONCE_SECONDS)
    except ConditionError as error:  # the forms' own impossible combinations
        return {str(error): [str(error)]}
    return {f"{one.kind} {one.name}": one.sentences for one in found if not one.proven}
