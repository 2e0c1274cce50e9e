"""Every write of triage: deciding, and the life of a ruleset from draft to published to retired."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from audit.actions import Kind, discard, record, store
from audit.now import now
from portal.people.models import User
from portal.people.policies import Refused
from queues.models import Queue
from queues.urgency import Urgency
from triage import engine, signals
from triage.models import Decision, Rule, Ruleset, TextReading

log = logging.getLogger(__name__)


@lru_cache(maxsize=8)
def compiled(ruleset_id: int) -> engine.Ruleset:
    """The ruleset ready to decide. Published ones never change, so each process compiles it once."""
    row = Ruleset.objects.get(pk=ruleset_id)
    return compile_rows(row, list(row.rules.all()))


def compile_rows(ruleset: Ruleset, rules: list[Rule]) -> engine.Ruleset:
    """Raises engine.RulesetError with a sentence a rule and field."""
    return engine.compile_ruleset(
        [rule.as_data() for rule in rules], number=ruleset.number, fallback=ruleset.fallback
    )


def read_texts(texts: Iterable[str], language: str) -> list[signals.Reading]:
    """The red flags of each text that says something, in order. Each text is read once and kept by its hash."""
    texts = [text for text in texts if text.strip()]
    digests = [sha256(f"{signals.VERSION}\n{language}\n{text}".encode()).hexdigest() for text in texts]
    known = {row.digest: row for row in TextReading.objects.filter(digest__in=digests)}
    readings, new = [], []
    for digest, text in zip(digests, texts, strict=True):
        if digest in known:
            readings.append(signals.Reading.from_json(known[digest].result))
            continue
        reading = signals.read(text, language)
        new.append(TextReading(digest=digest, result=reading.to_json(), read_at=now()))
        readings.append(reading)
    # Two tabs may save the same words at once; the second row would say the same.
    TextReading.objects.bulk_create(new, ignore_conflicts=True)
    return readings


def preview(facts: dict[str, Any]) -> engine.Decision:
    """What would be decided now, without keeping it: for the promise a patient reads before sending."""
    return engine.decide(deciding()[1], facts)


def deciding() -> tuple[int, engine.Ruleset]:
    """Key and compiled form of the ruleset that decides now.

    That is the published one. Where it can't be read, the last one before it that can goes on deciding, and the
    log says so: intake never stops for a rule.
    """
    for pk in Ruleset.objects.in_order_of_trust().values_list("pk", flat=True):
        try:
            return pk, compiled(pk)
        except engine.RulesetError:
            log.error("Ruleset row %s can't be read; an earlier one decides.", pk)
    raise Refused(_("We can't take requests online at this moment. Please call us."))


@transaction.atomic
def decide(facts: dict[str, Any], *, submission: Any = None) -> Decision:
    """Decide and keep the decision with its trace. Part of the caller's transaction."""
    pk, ruleset = deciding()
    result = engine.decide(ruleset, facts)
    return Decision.objects.create(
        ruleset_id=pk,
        submission=submission,
        decided_at=now(),
        facts=facts,
        queue=result.queue,
        urgency=Urgency.from_word(result.urgency),
        floor=Urgency.from_word(result.floor),
        result=result.to_json(),
    )


@transaction.atomic
def start_draft(*, by: User, source: Ruleset | None = None, note: str = "") -> Ruleset:
    """A draft that copies the published ruleset, or an earlier one. There is one draft at a time."""
    if Ruleset.objects.filter(status=Ruleset.Status.DRAFT).exists():
        raise Refused(_("There is a draft already: finish it or discard it first."))
    source = source or Ruleset.objects.published().first()
    last = Ruleset.objects.order_by("-number").values_list("number", flat=True).first() or 0
    draft = Ruleset(number=last + 1, note=note, created_by=by, created_at=now())
    if source:
        draft.fallback = source.fallback
    store(draft, by=by, action="triage.ruleset.draft")
    rules = list(source.rules.all()) if source else []
    for rule in rules:
        rule.pk, rule.ruleset, rule._state.adding = None, draft, True
    Rule.objects.bulk_create(rules)
    return draft


def save_rule(rule: Rule, *, by: User) -> None:
    """Store a rule of a draft. Raises Refused when its ruleset is no draft, ValidationError for what is wrong."""
    _check_draft(rule.ruleset)
    store(rule, by=by)


def remove_rule(rule: Rule, *, by: User) -> None:
    _check_draft(rule.ruleset)
    discard(rule, by=by)


def problems(ruleset: Ruleset) -> list[str]:
    """What keeps a ruleset from being published, as sentences; an empty list when nothing does."""
    try:
        rules = compile_rows(ruleset, list(ruleset.rules.all()))
    except engine.RulesetError as error:
        return [str(problem) for problem in error.problems]
    live = set(Queue.objects.live().filter(facility__isnull=True).values_list("code", flat=True))
    per_facility = set(Queue.objects.live().values_list("code", flat=True))
    named = {rules.fallback} | {rule.then.queue for rule in rules.rules if rule.then.queue}
    found = [
        _("No live queue has the code “%(code)s”.") % {"code": code} for code in sorted(named - per_facility)
    ]
    if rules.fallback not in live:
        found.append(
            _("The fallback “%(code)s” must be a queue of the central team.") % {"code": rules.fallback}
        )
    return found


@transaction.atomic
def publish(*, ruleset: Ruleset, by: User, reason: str) -> Ruleset:
    """Let a draft decide from now on; the one before it is retired and kept. Raises Refused with every problem."""
    ruleset = Ruleset.objects.select_for_update().get(pk=ruleset.pk)
    _check_draft(ruleset)
    if not reason.strip():
        raise Refused(_("Say why this version is published."))
    found = problems(ruleset)
    if found:
        raise Refused(" ".join(found))
    # The old one steps down first: the database allows only one published ruleset at any moment.
    for old in Ruleset.objects.select_for_update().published():
        old.status = Ruleset.Status.RETIRED
        old.save(update_fields=["status"])
    ruleset.status, ruleset.note = Ruleset.Status.PUBLISHED, reason.strip()[:300]
    ruleset.published_at, ruleset.published_by = now(), by
    ruleset.save()
    record(
        "triage.ruleset.publish", by=by, kind=Kind.UPDATE, entity=ruleset, detail={"number": ruleset.number}
    )
    return ruleset


@transaction.atomic
def discard_draft(*, ruleset: Ruleset, by: User) -> None:
    _check_draft(ruleset)
    discard(ruleset, by=by)


def _check_draft(ruleset: Ruleset) -> None:
    if ruleset.status != Ruleset.Status.DRAFT:
        raise Refused(
            _("Ruleset %(number)d is %(status)s and can't be changed. Start a draft from it.")
            % {"number": ruleset.number, "status": ruleset.get_status_display()}
        )
