"""What `manage.py check --database default` says about the rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError

from triage import notices, proving, publishing, signals
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


def rules_decide(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """An error where the published rules can't be read; a warning a rule that asks for what is not there any more."""
    if not databases:
        return []
    try:
        published = Ruleset.objects.published().first()
        broken = notices.unreadable()
        problems = proving.problems(published) if published is not None and not broken else []
    except DatabaseError:
        return []  # not migrated yet, which other checks tell
    hint = "Start a draft from an earlier version, mend it, and publish it."
    return [
        *(Error(sentence, hint=hint, id="triage.E001") for sentence in broken),
        *(Warning(sentence, hint=hint, id="triage.W002") for sentence in problems),
    ]


def signals_whole(**kwargs: Any) -> list[CheckMessage]:
    """Warns where messages are read with less than everything: phrases go on, but find fewer emergencies."""
    why = signals.trouble()
    hint = "Install the locked requirements; after changing examples run `python -m triage.signals.learn`."
    return [Warning(why, hint=hint, id="triage.W003")] if why else []
