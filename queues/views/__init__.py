"""The staff's pages. Every lookup starts from what this person works."""

from queues.views.here import here
from queues.views.lists import claim_next, mine, queue, search, waiting, work
from queues.views.task import answer, claim, escalate, hand_over, release, reply, task

__all__ = [
    "answer",
    "claim",
    "claim_next",
    "escalate",
    "hand_over",
    "here",
    "mine",
    "queue",
    "release",
    "reply",
    "search",
    "task",
    "waiting",
    "work",
]
