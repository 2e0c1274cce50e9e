"""Words to the patient's side, and the mail that says no more than that there are some."""

from __future__ import annotations

from audit.now import now
from portal.people.actions import post_mail
from portal.people.models import Mail, User
from queues.models import Message, Task


def say(task: Task, body: str, *, by: User) -> Message:
    message = Message.objects.create(
        conversation=task.conversation, task=task, author=by, from_patient=False, body=body, sent_at=now()
    )
    tell(task)
    return message


def tell(task: Task) -> None:
    """A notice to the one who wrote, as long as they may still act for the patient."""
    conversation = task.conversation
    author = conversation.author
    if conversation.patient.is_reachable_by(author):
        post_mail(recipient=author, kind=Mail.Kind.NEW_MESSAGE, path=conversation.get_absolute_url())
    elif conversation.patient.user_id is not None:
        post_mail(
            recipient=User.objects.get(pk=conversation.patient.user_id),
            kind=Mail.Kind.NEW_MESSAGE,
            path=conversation.get_absolute_url(),
        )
