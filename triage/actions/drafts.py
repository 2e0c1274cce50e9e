"""Editing: a draft of the rules and of their promises. There is one draft at a time."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from audit.actions import Kind, discard, record, store
from audit.now import now
from portal.people.models import User
from portal.people.policies import Refused
from portal.people.tasks import nudge
from triage import engine, policies, proving, rules_yaml, signals
from triage.loading import compile_rows
from triage.models import Promise, Rule, Ruleset
from triage.promises import read_promises


@transaction.atomic
def start_draft(*, by: User, source: Ruleset | None = None, note: str = "") -> Ruleset:
    """A draft that copies the published ruleset, or an earlier one. There is one draft at a time."""
    if Ruleset.objects.filter(status=Ruleset.Status.DRAFT).exists():
        raise Refused(_("There is a draft already: finish it or discard it first."))
    source = source or Ruleset.objects.published().first()
    draft = Ruleset(note=note)
    if source:
        draft.fallback = source.fallback
    copy(source, into=draft, by=by, action="triage.ruleset.draft")
    ask_for_proof(draft)
    return draft


def copy(source: Ruleset | None, *, into: Ruleset, by: User | None, action: str) -> None:
    """Store `into` as a new version with the rules and promises of `source`."""
    last = Ruleset.objects.order_by("-number").values_list("number", flat=True).first() or 0
    into.number, into.created_by, into.created_at = last + 1, by, now()
    into.signals_version = signals.VERSION
    store(into, by=by, action=action)
    if by is not None:
        into.authors.add(by)
    if source is None:
        return
    rules, promises = list(source.rules.all()), list(source.promises.all())
    for rule in rules:
        rule.pk, rule.ruleset, rule._state.adding = None, into, True
    for promise in promises:
        promise.pk, promise.ruleset, promise._state.adding = None, into, True
    Rule.objects.bulk_create(rules)
    Promise.objects.bulk_create(promises)


@transaction.atomic
def save_rule(rule: Rule, *, by: User, seen: int | None = None) -> None:
    """Store a rule of a draft. `seen` is the version that the writer looked at.

    Raises Refused when its ruleset is no draft or somebody else changed the rule meanwhile, ValidationError for what
    is wrong.
    """
    _save(rule, rule.ruleset, by=by, seen=seen)


@transaction.atomic
def remove_rule(rule: Rule, *, by: User) -> None:
    draft = _lock(rule.ruleset)
    discard(rule, by=by)
    _touched(draft, by)


@transaction.atomic
def save_promise(promise: Promise, *, by: User, seen: int | None = None) -> None:
    """Store a promise of a draft; as `save_rule`."""
    draft = _check_not_built_in(promise)
    try:
        read_promises([promise.as_data()])
    except engine.RulesetError as error:
        raise ValidationError([str(problem) for problem in error.problems]) from error
    _save(promise, draft, by=by, seen=seen)


@transaction.atomic
def remove_promise(promise: Promise, *, by: User) -> None:
    draft = _lock(_check_not_built_in(promise))
    discard(promise, by=by)
    _touched(draft, by)


def _check_not_built_in(promise: Promise) -> Ruleset:
    """The ruleset that the promise belongs to."""
    stored = Promise.objects.filter(pk=promise.pk).first() if promise.pk else None
    if promise.built_in or (stored and stored.built_in):
        raise Refused(
            _("“%(name)s” is built in: it holds for every ruleset and can't be changed or removed.")
            % {"name": stored.name if stored else promise.name}
        )
    if promise.ruleset is None:
        raise Refused(_("A promise belongs to a draft."))
    return promise.ruleset


def _save(row: Rule | Promise, ruleset: Ruleset, *, by: User, seen: int | None) -> None:
    draft = _lock(ruleset)
    if row.pk is not None:
        # A row can't be carried out of a version that is no draft any more.
        stored = type(row)._default_manager.select_for_update().get(pk=row.pk)
        if stored.ruleset is not None and stored.ruleset_id != draft.pk:
            _lock(stored.ruleset)
        policies.check_seen(stored, seen)
        row.version = stored.version + 1
    row.changed_by, row.changed_at = by, now()
    store(row, by=by)
    _touched(draft, by)


def _lock(ruleset: Ruleset) -> Ruleset:
    """The draft as it is once nobody publishes it meanwhile."""
    locked = Ruleset.objects.select_for_update().get(pk=ruleset.pk)
    policies.check_draft(locked)
    return locked


def _touched(draft: Ruleset, by: User | None) -> None:
    if by is not None:
        draft.authors.add(by)
    ask_for_proof(draft)


def ask_for_proof(draft: Ruleset, *, again: bool = False) -> None:
    """Have a worker prove the draft after this transaction. Many changes in a row ask once, unless `again`."""
    first = Ruleset.objects.filter(pk=draft.pk, prove_asked=False).update(prove_asked=True)
    if first or again:
        nudge("triage.tasks.prove", draft.pk)


@transaction.atomic
def discard_draft(*, ruleset: Ruleset, by: User) -> None:
    policies.check_draft(ruleset)
    discard(ruleset, by=by)


@transaction.atomic
def import_draft(*, text: str, by: User | None, note: str = "") -> Ruleset:
    """The rules and promises of a YAML text as the draft, in place of what the draft had. `by` is None where the
    operator does it.

    Raises Refused with all problems of the text.
    """
    try:
        told = rules_yaml.load(text)
    except engine.RulesetError as error:
        raise Refused("\n".join(str(problem) for problem in error.problems)) from error
    draft = Ruleset.objects.select_for_update().filter(status=Ruleset.Status.DRAFT).first()
    if draft is None:
        draft = Ruleset(note=note)
        copy(None, into=draft, by=by, action="triage.ruleset.draft")
    draft.rules.all().delete()
    draft.promises.all().delete()
    draft.fallback, draft.note = told.ruleset.fallback, note or draft.note
    draft.signals_version = told.ruleset.signals_version
    try:
        draft.full_clean()
        draft.save()
        for place, rule in enumerate(told.ruleset.rules, 1):
            _row(rule, draft, place * 10, by)
        for promise in told.promises:
            row = Promise(ruleset=draft, changed_by=by, **promise.to_json())
            row.full_clean()
            row.save()
    except ValidationError as error:
        raise Refused("\n".join(error.messages)) from error
    told_again = compile_rows(draft, draft.rules.all())
    if {rule.name: rule for rule in told_again.rules} != {rule.name: rule for rule in told.ruleset.rules}:
        raise Refused(_("These rules can't be kept exactly as they are written."))
    broken = proving.problems(draft)
    if broken:
        raise Refused("\n".join(broken))
    record(
        "triage.ruleset.import",
        by=by,
        kind=Kind.UPDATE,
        entity=draft,
        detail={"rules": len(told.ruleset.rules), "promises": len(told.promises)},
    )
    _touched(draft, by)
    return draft


def _row(rule: engine.Rule, draft: Ruleset, position: int, by: User | None) -> None:
    then = rule.then.to_json()
    lines = {word: "\n".join(then.pop(word, [])) for word in ("advice", "ask_back")}
    row = Rule(
        ruleset=draft,
        position=position,
        changed_by=by,
        name=rule.name,
        stage=rule.stage,
        when=rule.to_json()["when"],
        note=rule.note,
        **then,
        **lines,
    )
    try:
        row.full_clean()
    except ValidationError as error:
        raise ValidationError([f"{rule.name}: {sentence}" for sentence in error.messages]) from error
    row.save()
