"""The states of a task as one table. Nothing else changes a task's state; `move` is the only path."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    OPEN = "open", _("open")
    CLAIMED = "claimed", _("claimed")
    WAITING = "waiting", _("waiting for patient")
    ESCALATED = "escalated", _("with physician")
    RESOLVED = "resolved", _("resolved")
    WITHDRAWN = "withdrawn", _("withdrawn")


LIVE = (State.OPEN, State.CLAIMED, State.WAITING, State.ESCALATED)
OWNED = (State.CLAIMED, State.WAITING, State.ESCALATED)
DONE = (State.RESOLVED, State.WITHDRAWN)


@dataclass(frozen=True)
class Transition:
    """One verb: the states it may start from and the state it ends in."""

    verb: str
    sources: tuple[State, ...]
    target: State


TRANSITIONS: dict[str, Transition] = {
    row.verb: row
    for row in (
        Transition("claim", (State.OPEN,), State.CLAIMED),
        Transition("release", (State.CLAIMED,), State.OPEN),
        Transition("ask back", (State.CLAIMED,), State.WAITING),
        Transition("hear from patient", (State.WAITING,), State.CLAIMED),
        Transition("stop waiting", (State.WAITING,), State.OPEN),
        Transition("escalate", (State.CLAIMED,), State.ESCALATED),
        Transition("answer", (State.ESCALATED,), State.CLAIMED),
        Transition("take over", (State.ESCALATED,), State.CLAIMED),
        Transition("undo", (State.CLAIMED, State.WAITING, State.RESOLVED), State.CLAIMED),
        Transition("hand over", (State.OPEN, State.CLAIMED), State.OPEN),
        Transition("resolve", (State.CLAIMED,), State.RESOLVED),
        Transition("withdraw", LIVE, State.WITHDRAWN),
        Transition("reopen", (State.RESOLVED, State.WITHDRAWN), State.OPEN),
        Transition("raise", LIVE, State.OPEN),
    )
}
