"""What `manage.py check --database default` says about the queues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Warning
from django.db import DatabaseError


def urgent_work_is_covered(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Warns of queues that receive urgent work without round-the-clock coverage, and of those that nobody works."""
    from queues import watch

    if not databases:
        return []
    try:
        found = [str(problem) for problem in watch.problems()]
    except DatabaseError:
        return []  # not migrated yet, which other checks tell
    return [Warning(sentence, hint="Change the queue in the admin.", id="queues.W001") for sentence in found]
