"""Every write to queues and tasks. Each verb locks the task, checks the table of states, changes it and leaves a
step and an audit event in the same transaction; what follows later (mail, filing) is a row written here too."""

from queues.actions.asking import take_in
from queues.actions.callbacks import join_callback
from queues.actions.claiming import claim_next
from queues.actions.digests import choose_quiet
from queues.actions.escalations import acknowledge, answer, escalate, see_notices, take_over
from queues.actions.holding import settle, undo
from queues.actions.incoming import (
    hear_from_patient,
    keep_after_all,
    mark_read,
    open_task,
    raise_urgency,
    withdraw,
)
from queues.actions.leading import assign
from queues.actions.looking import look_soon
from queues.actions.measuring import count_all, count_changes
from queues.actions.notes import add_note, log_call, see_mentions, tick
from queues.actions.places import (
    again_if_retired,
    hand_everything_on,
    retire_queue,
    save_queue,
    serving,
    set_members,
)
from queues.actions.starting import split, start_conversation
from queues.actions.together import claim_all, hand_over_all, resolve_all, sort_out
from queues.actions.working import ask_back, claim, hand_over, release, reply, resolve

__all__ = [
    "acknowledge",
    "add_note",
    "again_if_retired",
    "answer",
    "ask_back",
    "assign",
    "choose_quiet",
    "claim",
    "claim_all",
    "claim_next",
    "count_all",
    "count_changes",
    "escalate",
    "hand_everything_on",
    "hand_over",
    "hand_over_all",
    "hear_from_patient",
    "join_callback",
    "keep_after_all",
    "log_call",
    "look_soon",
    "mark_read",
    "open_task",
    "raise_urgency",
    "release",
    "reply",
    "resolve",
    "resolve_all",
    "retire_queue",
    "save_queue",
    "see_mentions",
    "see_notices",
    "serving",
    "set_members",
    "settle",
    "sort_out",
    "split",
    "start_conversation",
    "take_in",
    "take_over",
    "tick",
    "undo",
    "withdraw",
]
