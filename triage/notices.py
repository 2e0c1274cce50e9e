"""Saying that the published rules can't be read. An earlier version goes on deciding, so nothing else shows it."""

from __future__ import annotations

from functools import lru_cache
from time import monotonic

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from portal.people.prepared import Prepared
from triage import engine
from triage.loading import compiled
from triage.models import Ruleset

AGAIN = 10  # seconds until a process looks again


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


@lru_cache(maxsize=1)
def _is_unreadable(_when: int) -> bool:
    return bool(unreadable())


def to_staff() -> list[str]:
    """The same without what only an admin can do something about. Every page of the workbench says it, so a process
    looks again after some seconds, and not for each page."""
    if not _is_unreadable(int(monotonic() // AGAIN)):
        return []
    return [_("The newest rules can't be read, so an earlier version sorts requests. The admins are told.")]
