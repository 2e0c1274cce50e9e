"""What is filed to the record when a request is resolved, as FHIR R4 resources."""

from __future__ import annotations

from typing import Any

from queues.models import Message, Task
from queues.urgency import Urgency

PRIORITY = {Urgency.ROUTINE: "routine", Urgency.SOON: "urgent", Urgency.URGENT: "stat"}


def exchange(task: Task, messages: list[Message]) -> dict[str, Any]:
    """A Bundle of the Task with its outcome and one Communication a message, in the order they were sent."""
    conversation, patient = task.conversation, task.conversation.patient
    subject = {"identifier": {"value": patient.record_number}}
    head = {
        "resourceType": "Task",
        "identifier": [{"value": conversation.reference}],
        "status": "completed",
        "intent": "order",
        "priority": PRIORITY[Urgency(task.urgency)],
        "description": task.plain_title,
        "for": subject,
        "authoredOn": task.opened_at.isoformat(),
        "lastModified": (task.resolved_at or task.opened_at).isoformat(),
        "businessStatus": {"text": task.outcome.label if task.outcome else ""},
    }
    said = [
        {
            "resourceType": "Communication",
            "identifier": [{"value": f"{conversation.reference}/{message.pk}"}],
            "status": "completed",
            "subject": subject,
            "sent": message.sent_at.isoformat(),
            "sender": {"display": message.signature},
            "payload": [{"contentString": message.body}],
        }
        for message in messages
    ]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": each} for each in [head, *said]],
    }
