"""What the worker runs for the queues: the clock's looks, alerts, digests, the nightly check. Safe to run twice."""

from __future__ import annotations


def look(task_id: int) -> None:
    """Look at one task whose next step is due."""


def sweep() -> int:
    return 0


def send_alerts() -> int:
    return 0


def send_digests() -> int:
    return 0


def check_nightly() -> int:
    return 0
