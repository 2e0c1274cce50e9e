"""Two versions of the rules beside each other: which rules and promises are new, gone or changed, field by field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from triage import explain
from triage.models import Promise, Rule, Ruleset

Kind = Literal["added", "removed", "changed"]
KINDS = {
    "added": gettext_lazy("new"),
    "removed": gettext_lazy("gone"),
    "changed": gettext_lazy("changed"),
}


@dataclass(frozen=True)
class Changed:
    """One rule or promise that differs; each line is a field's name and how it was and is, in plain words."""

    kind: Kind
    what: str
    name: str
    lines: list[tuple[str, str, str]]

    @property
    def word(self) -> str:
        return str(KINDS[self.kind])


def changes(old: Ruleset | None, new: Ruleset) -> list[Changed]:
    """Everything that differs between two versions."""
    found = list(_named(_("Rule"), _rules(old), _rules(new)))
    found += _named(_("Promise"), _promises(old), _promises(new))
    if old is not None and old.fallback != new.fallback:
        line = (_("Fallback queue"), old.fallback, new.fallback)
        found.append(Changed("changed", _("Ruleset"), _("Fallback queue"), [line]))
    return found


def safety_changes(old: Ruleset | None, new: Ruleset) -> list[Changed]:
    """What differs in the safety stage and in the promises."""
    found = list(_named(_("Rule"), _rules(old, Rule.Stage.SAFETY), _rules(new, Rule.Stage.SAFETY)))
    return found + list(_named(_("Promise"), _promises(old), _promises(new)))


Told = Mapping[str, str]


def _named(what: str, old: Mapping[str, Told], new: Mapping[str, Told]) -> Iterable[Changed]:
    for name in dict.fromkeys((*new, *old)):
        before, after = old.get(name, {}), new.get(name, {})
        lines = [
            (word, before.get(word, ""), after.get(word, ""))
            for word in dict.fromkeys((*before, *after))
            if before.get(word, "") != after.get(word, "")
        ]
        if lines:
            yield Changed("added" if not before else "removed" if not after else "changed", what, name, lines)


def _rules(ruleset: Ruleset | None, stage: str = "") -> dict[str, Told]:
    rows = list(ruleset.rules.all()) if ruleset else []
    found: dict[str, Told] = {}
    places: dict[str, int] = {}
    for row in rows:
        places[row.stage] = places.get(row.stage, 0) + 1
        if stage in ("", row.stage):
            found[row.name] = _rule(row, places[row.stage])
    return found


def _rule(row: Rule, place: int) -> Told:
    then: dict[str, Any] = row.as_data()["then"]
    told = {
        _("Stage"): row.stage,
        _("Place in the stage"): str(place),
        _("When"): explain.condition(row.when),
        _("Queue"): row.queue,
        _("Urgency"): row.urgency,
        _("Category"): row.category,
        _("Minutes to the answer"): str(row.respond_within or ""),
        _("Tags"): ", ".join(row.tags),
        _("Protocol"): row.protocol,
        _("Advice"): " / ".join(then.get("advice", [])),
        _("Questions back"): " / ".join(then.get("ask_back", [])),
        _("Note"): row.note,
    }
    return {word: value for word, value in told.items() if value}


def _promises(ruleset: Ruleset | None) -> dict[str, Told]:
    rows: list[Promise] = list(ruleset.promises.all()) if ruleset else []
    return {
        row.name: {
            _("Whenever"): explain.condition(row.whenever),
            _("Never"): explain.condition(row.never),
        }
        | ({_("Note"): row.note} if row.note else {})
        for row in rows
    }
