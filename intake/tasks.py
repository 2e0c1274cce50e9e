"""What the worker runs for intake. Safe to run twice."""

from __future__ import annotations

from intake import emergencies


def call_back() -> int:
    """Every minute: nursing is told of forms that showed an emergency and were left there. Returns how many."""
    return emergencies.call_back_all()
