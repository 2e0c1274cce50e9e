"""Saying that the published rules can't be read. An earlier version goes on deciding, so nothing else shows it."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from portal.people.prepared import Prepared
from triage import engine
from triage.loading import compiled
from triage.models import Ruleset


@Prepared
def _published() -> QuerySet[Ruleset]:
    return Ruleset.objects.published().order_by().only("number")[:1]


def unreadable() -> list[str]:
    """Why the published version does not decide, as sentences with the rule and the field; empty while it does."""
    published = next(iter(_published()), None)
    if published is None:
        return []
    try:
        compiled(published.pk)
    except engine.RulesetError as error:
        what = " ".join(str(problem) for problem in error.problems[:3])
        return [
            _("Ruleset %(number)d can't be read, so an earlier version decides. %(what)s")
            % {"number": published.number, "what": what}
        ]
    return []


def to_staff() -> list[str]:
    """The same without what only an admin can do something about."""
    if not unreadable():
        return []
    return [_("The newest rules can't be read, so an earlier version sorts requests. The admins are told.")]
