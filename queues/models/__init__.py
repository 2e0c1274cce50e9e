"""The tables of this room."""

from queues.models.assessments import Assessment
from queues.models.conversations import Conversation, ConversationQuerySet, Message
from queues.models.filing import Filing
from queues.models.places import (
    DEFAULT_TARGETS,
    Outcome,
    Queue,
    QueueGroupPermission,
    QueueQuerySet,
    QueueUserPermission,
    ServiceTarget,
)
from queues.models.presence import Presence
from queues.models.tasks import Escalation, Step, Task, TaskQuerySet

__all__ = [
    "Assessment",
    "Conversation",
    "ConversationQuerySet",
    "DEFAULT_TARGETS",
    "Escalation",
    "Filing",
    "Message",
    "Outcome",
    "Presence",
    "Queue",
    "QueueGroupPermission",
    "QueueQuerySet",
    "QueueUserPermission",
    "ServiceTarget",
    "Step",
    "Task",
    "TaskQuerySet",
]
