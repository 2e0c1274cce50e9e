"""What requests are about, as the rules sort them: for staff, who say whether it was sorted right."""

from __future__ import annotations

from triage import catalogue
from triage.models import Rule, Ruleset


def known() -> list[tuple[str, str]]:
    """The categories that the published rules give, or the subjects that the signals know where they give none."""
    published = Ruleset.objects.published().order_by().values("pk")
    given = Rule.objects.filter(ruleset__in=published).exclude(category="").order_by()
    codes = sorted(set(given.values_list("category", flat=True)))
    names = dict(catalogue.CATEGORIES)
    return [(code, names.get(code, code.replace("-", " "))) for code in codes] or catalogue.CATEGORIES
