"""The staff's pages. Every lookup starts from what this person works."""

from queues.views.here import here
from queues.views.lists import claim_next, mine, queue, search, waiting, work
from queues.views.task import task
from queues.views.verbs import (
    answer,
    ask_back,
    call,
    claim,
    escalate,
    hand_over,
    note,
    release,
    reply,
    split,
    tick,
    undo,
)

__all__ = [
    "answer",
    "ask_back",
    "call",
    "claim",
    "claim_next",
    "escalate",
    "hand_over",
    "here",
    "mine",
    "queue",
    "note",
    "release",
    "reply",
    "search",
    "split",
    "task",
    "tick",
    "undo",
    "waiting",
    "work",
]
