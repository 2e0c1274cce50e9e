"""What `manage.py check --database default` says about the rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Warning
from django.db import DatabaseError

from triage import publishing
from triage.models import Ruleset


def signals_fit(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Warns where the published rules were written for other signals than those that are installed."""
    if not databases:
        return []
    try:
        published = Ruleset.objects.published().first()
    except DatabaseError:
        return []  # not migrated yet, which other checks tell
    return [
        Warning(sentence, hint="Start a draft, look over its safety rules, and publish it.", id="triage.W001")
        for sentence in (publishing.warnings(published) if published else [])
    ]
