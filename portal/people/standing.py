"""The standing work of the workers: functions that the scheduler runs every so many minutes, or each night."""

from __future__ import annotations

from typing import Any

from django.db.migrations import RunPython


def standing(name: str, func: str, *, minutes: int = 1, nightly: bool = False) -> RunPython:
    """A migration's step that has `func` (its path with dots) run from now on. It needs django_q's tables."""
    when = {"schedule_type": "D"} if nightly else {"schedule_type": "I", "minutes": minutes}

    def add(apps: Any, _schema_editor: Any) -> None:
        apps.get_model("django_q", "Schedule").objects.update_or_create(
            name=name, defaults={"func": func} | when
        )

    def remove(apps: Any, _schema_editor: Any) -> None:
        apps.get_model("django_q", "Schedule").objects.filter(name=name).delete()

    return RunPython(add, remove)
