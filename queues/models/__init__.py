"""The tables of this room."""

from queues.models.alerts import Alert, Coverage, Notice, Quiet
from queues.models.asking import FollowUp, FollowUpForm
from queues.models.assessments import Assessment
from queues.models.calls import Call
from queues.models.conversations import Conversation, ConversationQuerySet, Message, MessageQuerySet
from queues.models.escalations import Escalation
from queues.models.filing import Filing
from queues.models.holds import Hold
from queues.models.measures import FormerRouting, MeasureCell, MeasureMark, TaskMeasure
from queues.models.notes import Mention, Note
from queues.models.places import (
    DEFAULT_TARGETS,
    Outcome,
    Queue,
    QueueGroupPermission,
    QueueQuerySet,
    QueueUserPermission,
    ServiceTarget,
    place_name,
)
from queues.models.presence import Presence
from queues.models.protocols import Protocol, ProtocolStep, Tick
from queues.models.searching import SearchDocument
from queues.models.steps import Leg, PromiseMove, Step
from queues.models.tasks import Task, TaskQuerySet
from queues.models.templates import ReplyTemplate

__all__ = [
    "Alert",
    "Assessment",
    "Call",
    "Conversation",
    "ConversationQuerySet",
    "Coverage",
    "DEFAULT_TARGETS",
    "Escalation",
    "Filing",
    "FollowUp",
    "FollowUpForm",
    "FormerRouting",
    "Hold",
    "Leg",
    "MeasureCell",
    "MeasureMark",
    "Mention",
    "Message",
    "MessageQuerySet",
    "Note",
    "Notice",
    "Outcome",
    "Presence",
    "PromiseMove",
    "Protocol",
    "ProtocolStep",
    "Queue",
    "QueueGroupPermission",
    "QueueQuerySet",
    "QueueUserPermission",
    "Quiet",
    "ReplyTemplate",
    "SearchDocument",
    "ServiceTarget",
    "Step",
    "Task",
    "TaskMeasure",
    "TaskQuerySet",
    "Tick",
    "place_name",
]
