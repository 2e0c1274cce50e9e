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
    REOPENED = "reopened", _("reopened")


UNCLAIMED = (State.OPEN, State.REOPENED)
OWNED = (State.CLAIMED, State.WAITING, State.ESCALATED)
LIVE = (*UNCLAIMED, *OWNED)
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
        Transition("claim", UNCLAIMED, State.CLAIMED),
        Transition("release", (State.CLAIMED,), State.OPEN),
        # The owner's silence does it, not the owner.
        Transition("fall asleep", (State.CLAIMED,), State.OPEN),
        Transition("ask back", (State.CLAIMED,), State.WAITING),
        Transition("hear from patient", (State.WAITING,), State.CLAIMED),
        # Whoever waits and reaches the patient on the phone has the answer, too.
        Transition("reach", (State.WAITING,), State.CLAIMED),
        Transition("stop waiting", (State.WAITING,), State.OPEN),
        Transition("escalate", (State.CLAIMED,), State.ESCALATED),
        Transition("answer", (State.ESCALATED,), State.CLAIMED),
        Transition("take over", (State.ESCALATED,), State.CLAIMED),
        Transition("undo", (State.CLAIMED, State.WAITING, State.RESOLVED), State.CLAIMED),
        Transition("hand over", (*UNCLAIMED, State.CLAIMED), State.OPEN),
        # A queue that ends, or that loses its people, gives everything away, whatever state it is in.
        Transition("transfer", LIVE, State.OPEN),
        # A lead gives it to somebody, from whoever had it.
        Transition("assign", (*UNCLAIMED, State.CLAIMED), State.CLAIMED),
        Transition("resolve", (State.CLAIMED,), State.RESOLVED),
        Transition("withdraw", LIVE, State.WITHDRAWN),
        Transition("reopen", DONE, State.REOPENED),
        Transition("raise", LIVE, State.OPEN),
    )
}


def diagram() -> str:
    """The table as a Mermaid state diagram: one arrow for each pair of states, with the verbs that lead along it."""
    arrows: dict[tuple[State, State], list[str]] = {}
    for row in TRANSITIONS.values():
        for source in row.sources:
            arrows.setdefault((source, row.target), []).append(row.verb)
    lines = ["stateDiagram-v2", f"    [*] --> {State.OPEN.value}: submit"]
    lines += [
        f"    {source.value} --> {target.value}: {', '.join(verbs)}"
        for (source, target), verbs in arrows.items()
    ]
    lines += [f"    {state.value} --> [*]" for state in DONE]
    lines += [f"    {state.value}: {State(state).label}" for state in State if state.value != state.label]
    return "\n".join(lines)
