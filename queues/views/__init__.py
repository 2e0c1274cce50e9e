"""The staff's pages. Every lookup starts from what this person works."""

from queues.views.here import here
from queues.views.lead import board, move, targets_fitting
from queues.views.lists import all_queues, changes, claim_next, mine, queue, waiting, work
from queues.views.measures import fairness, measures
from queues.views.mentions import mentions
from queues.views.notices import notices, quiet
from queues.views.places import places
from queues.views.search import search
from queues.views.task import task
from queues.views.together import bulk
from queues.views.verbs import (
    acknowledge,
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
    "acknowledge",
    "fairness",
    "measures",
    "notices",
    "quiet",
    "all_queues",
    "board",
    "bulk",
    "move",
    "changes",
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
    "mentions",
    "note",
    "places",
    "release",
    "reply",
    "search",
    "split",
    "targets_fitting",
    "task",
    "tick",
    "undo",
    "waiting",
    "work",
]
