"""Saying that the published rules can't be read. An earlier version goes on deciding, so nothing else shows it."""

from __future__ import annotations

from django.utils.translation import gettext as _

from triage import engine
from triage.loading import compiled
from triage.models import Ruleset


def unreadable() -> list[str]:
    """Why the published version does not decide, as sentences with the rule and the field; empty while it does."""
    published = Ruleset.objects.published().order_by().values_list("pk", "number").first()
    if published is None:
        return []
    pk, number = published
    try:
        compiled(pk)
    except engine.RulesetError as error:
        what = " ".join(str(problem) for problem in error.problems[:3])
        return [
            _("Ruleset %(number)d can't be read, so an earlier version decides. %(what)s")
            % {"number": number, "what": what}
        ]
    return []


def to_staff() -> list[str]:
    """The same without what only an admin can do something about."""
    if not unreadable():
        return []
    return [_("The newest rules can't be read, so an earlier version sorts requests. The admins are told.")]
