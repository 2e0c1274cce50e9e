"""What a ruleset is proven about: its rules and promises among the forms' fields and the live queues.

The solver is imported where a proof is asked for, so that pages which only read a stored one don't wait for it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from hashlib import sha256
from time import monotonic
from typing import Any

from django.utils.translation import gettext as _

from audit.now import now
from portal.people.models import Facility
from portal.people.roles import FIELDS, Field
from queues.models import Queue
from triage import catalogue as catalogues
from triage import engine
from triage.fields import Catalogue, Json
from triage.loading import compile_rows
from triage.models import Promise, Proof, Ruleset
from triage.promises import Promise as Promised
from triage.promises import read_promises

WORKER_SECONDS = 20.0  # for each of the worker's questions; its whole time is a minute
MAX_OVERLAPS = 200  # kept for the page
CLINICAL = "@clinical"  # in a promise: every queue that clinical roles work
CLINICAL_ROLES = [role for role, fields in FIELDS.items() if Field.CLINICAL in fields]


# ---- what is proven about what ------------------------------------------------------------


@dataclass(frozen=True)
class Surroundings:
    """What rules decide into and about: the fields of the forms, and the places (code, facility) of live queues."""

    catalogue: Catalogue
    places: tuple[tuple[str, str], ...]  # the facility is empty for the central team's
    clinical: tuple[str, ...]  # the codes whose queues are all worked by clinical roles
    facilities: tuple[str, ...]

    @classmethod
    def present(
        cls, catalogue: Catalogue | None = None, *, without: Queue | None = None, instead: Queue | None = None
    ) -> Surroundings:
        """As things are, but for one queue that is left out, or that is as this unsaved row has it."""
        queues = Queue.objects.live().order_by("code", "pk").select_related("facility")
        gone = {queue.pk for queue in (without, instead) if queue is not None}
        live = [queue for queue in queues if queue.pk not in gone] + ([instead] if instead else [])
        live.sort(key=lambda queue: (queue.code, queue.pk or 0))
        office = {queue.code for queue in live if queue.role not in CLINICAL_ROLES}
        return cls(
            catalogue or catalogues.catalogue(),
            tuple((queue.code, queue.facility.code if queue.facility else "") for queue in live),
            tuple(sorted({queue.code for queue in live} - office)),
            tuple(
                Facility.objects.filter(opened_at__isnull=False)
                .order_by("code")
                .values_list("code", flat=True)
            ),
        )

    def served(self, code: str) -> bool:
        return any(code == each for each, _facility in self.places)

    def unserved(self, code: str) -> list[str]:
        """The facilities whose patients have no live queue of this kind."""
        if (code, "") in self.places:
            return []
        return [facility for facility in self.facilities if (code, facility) not in self.places]


def own_promises(ruleset: Ruleset) -> list[dict[str, Json]]:
    return [promise.as_data() for promise in ruleset.promises.all()]


def promises_of(ruleset: Ruleset, around: Surroundings) -> list[dict[str, Json]]:
    """The built-in promises and those of this ruleset, with @clinical written out."""
    return with_built_in(own_promises(ruleset), around)


def with_built_in(own: list[dict[str, Json]], around: Surroundings) -> list[dict[str, Json]]:
    told = [promise.as_data() for promise in Promise.objects.filter(built_in=True)] + own
    return [
        {**one, "whenever": _spelled(one["whenever"], around), "never": _spelled(one["never"], around)}
        for one in told
    ]


def _spelled(condition: Json, around: Surroundings) -> Json:
    if isinstance(condition, list):
        return [_spelled(part, around) for part in condition]
    if not isinstance(condition, dict):
        return condition
    values = condition.get("value")
    if isinstance(values, list) and CLINICAL in values:
        codes = [code for value in values for code in (around.clinical if value == CLINICAL else (value,))]
        return {**condition, "value": list(dict.fromkeys(codes)) or [CLINICAL]}
    return {word: _spelled(part, around) for word, part in condition.items()}


def _places_kept(rules: engine.Ruleset, around: Surroundings) -> list[dict[str, Json]]:
    """No request goes to a kind of queue that its facility doesn't have, as promises."""
    told = []
    for code in sorted(rules.queues):
        nowhere = around.unserved(code) if around.served(code) else []
        if nowhere:
            told.append(
                {
                    "name": _("“%(code)s” has a queue wherever it is used") % {"code": code},
                    "whenever": {"field": "patient.facility", "op": "in", "value": nowhere},
                    "never": {"field": "decision.queue", "op": "is", "value": code},
                }
            )
    return told


def _digest(*told: Json) -> str:
    return sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def _rules(ruleset: Ruleset, stage: str = "") -> list[dict[str, Json]]:
    told = [rule.as_data() for rule in ruleset.rules.all() if stage in ("", rule.stage)]
    return [{word: value for word, value in rule.items() if word != "note"} for rule in told]


def rules_digest(ruleset: Ruleset) -> str:
    """Changes with anything that can change a decision."""
    return _digest(_rules(ruleset), ruleset.fallback)


def safety_digest(ruleset: Ruleset | None) -> str:
    """Changes with anything that needs a clinician's approval: the safety stage and the ruleset's own promises."""
    if ruleset is None:
        return _digest([], [])
    promises = [
        {word: value for word, value in told.items() if word != "note"} for told in own_promises(ruleset)
    ]
    return _digest(_rules(ruleset, "safety"), promises)


def digest(ruleset: Ruleset, around: Surroundings) -> str:
    """Changes with anything that a proof depends on."""
    return _digest(
        _rules(ruleset),
        ruleset.fallback,
        promises_of(ruleset, around),
        around.places,
        around.facilities,
        around.catalogue.to_json(),
    )


# ---- proving ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Finding:
    """One thing that was asked: `kind` is total, reachable, promise or overlap."""

    kind: str
    name: str
    verdict: str
    sentences: tuple[str, ...]
    example: dict[str, Json] | None = None

    @property
    def proven(self) -> bool:
        return self.verdict == "proven"

    def to_json(self) -> dict[str, Json]:
        return {
            "kind": self.kind,
            "name": self.name,
            "verdict": self.verdict,
            "sentences": list(self.sentences),
            "example": self.example,
        }

    @classmethod
    def from_json(cls, told: dict[str, Json]) -> Finding:
        return cls(**{**told, "sentences": tuple(told["sentences"])})


def problems(ruleset: Ruleset, around: Surroundings | None = None) -> list[str]:
    """What can't work at all, as sentences, before anything is proven: conditions, fields, queues, promises."""
    around = around or Surroundings.present()
    found = []
    try:
        rules = compile_rows(ruleset, list(ruleset.rules.all()), around.catalogue)
    except engine.RulesetError as error:
        found = [str(problem) for problem in error.problems]
    else:
        found += unplaced(rules, around)
    try:
        read_promises(promises_of(ruleset, around), around.catalogue)
    except engine.RulesetError as error:
        found += [str(problem) for problem in error.problems]
    return found


def unplaced(rules: engine.Ruleset, around: Surroundings) -> list[str]:
    """The queues that these rules name and nobody works."""
    named = [(rule.name, "then.queue", rule.then.queue) for rule in rules.rules if rule.then.queue]
    found = [
        str(engine.Problem(rule, place, _("No live queue has the code “%(code)s”.") % {"code": code}))
        for rule, place, code in (*named, ("", "fallback", rules.fallback))
        if not around.served(code)
    ]
    if around.unserved(rules.fallback):
        found.append(
            _("The fallback “%(code)s” must be a queue of the central team.") % {"code": rules.fallback}
        )
    return found


def findings(ruleset: Ruleset, around: Surroundings, *, seconds: float) -> list[Finding]:
    """Totality, reachability and every promise, within this many seconds together.

    The ruleset must have no problems. Raises proofs.DoesNotReplay where the solver and the engine disagree.
    """
    rules = compile_rows(ruleset, list(ruleset.rules.all()), around.catalogue)
    return proven(rules, promises_of(ruleset, around), around, seconds=seconds)


def proven(
    rules: engine.Ruleset, promises: list[dict[str, Json]], around: Surroundings, *, seconds: float
) -> list[Finding]:
    """The same of rules that need not be stored."""
    from triage import proofs

    promised: tuple[Promised, ...] = read_promises(promises + _places_kept(rules, around), around.catalogue)
    told = proofs.prove(rules, around.catalogue, promised, seconds=seconds)
    found = [_finding("total", "", told.totality.verdict, told.totality, told.totality.example)]
    unreachable = ", ".join(one.rule for one in told.reachability.unreachable)
    found.append(_finding("reachable", unreachable, told.reachability.verdict, told.reachability))
    for kept in told.promises:
        # A queue that is there is not misspelt, whether some rule sends to it or not.
        misspelt = tuple(code for code in kept.unknown if not around.served(code))
        said = replace(kept, unknown=misspelt)
        found.append(_finding("promise", said.promise, said.verdict, said, said.example))
    return found


def overlaps(ruleset: Ruleset, around: Surroundings, *, seconds: float) -> list[Finding]:
    """Where the order of two rules matters: to be known, not in the way of publishing."""
    from triage import proofs

    rules = compile_rows(ruleset, list(ruleset.rules.all()), around.catalogue)
    told = proofs.find_overlaps(rules, around.catalogue, seconds=seconds)
    found = [
        _finding("overlap", f"{one.first} / {one.second}", "proven", one, one.example)
        for one in list(told)[:MAX_OVERLAPS]
    ]
    if not told.complete:
        found.append(
            Finding("overlap", "", "undecided", (_("There was no time to compare all pairs of rules."),))
        )
    return found


def difference(old: Ruleset, new: Ruleset, *, seconds: float) -> list[str]:
    """Exactly what the new version decides otherwise, each kind of change with a request that shows it."""
    from triage import proofs

    around = Surroundings.present()
    try:
        before, after = (compile_rows(one, list(one.rules.all()), around.catalogue) for one in (old, new))
    except engine.RulesetError as error:
        return [str(problem) for problem in error.problems]
    return list(proofs.compare(before, after, around.catalogue, seconds=seconds).sentences())


def _finding(
    kind: str, name: str, verdict: str, told: Any, example: dict[str, Json] | None = None
) -> Finding:
    return Finding(kind, name, verdict, tuple(told.sentences()), example)


def prove(ruleset: Ruleset, *, seconds: float, with_overlaps: bool, anew: bool = False) -> Proof | None:
    """The stored proof of this ruleset as it is, made now where there is none. None where it has problems."""
    around = Surroundings.present()
    if problems(ruleset, around):
        return None
    proof, is_new = Proof.objects.get_or_create(ruleset=ruleset, digest=digest(ruleset, around))
    if not is_new and proof.state == Proof.State.DONE and not anew:
        decided = all(one["verdict"] != "undecided" for one in proof.report["findings"])
        if decided and ("overlaps" in proof.report or not with_overlaps):
            return proof
    started = monotonic()
    try:
        told = {"findings": [one.to_json() for one in findings(ruleset, around, seconds=seconds)]}
        if with_overlaps:
            told["overlaps"] = [one.to_json() for one in overlaps(ruleset, around, seconds=seconds)]
        proof.state, proof.report, proof.error = Proof.State.DONE, told, ""
    except Exception as error:  # a defect of ours must not look like a proof, and says only its class
        proof.state, proof.error = Proof.State.FAILED, type(error).__name__
    proof.seconds, proof.started_at = round(monotonic() - started, 3), now()
    proof.save()
    return proof
