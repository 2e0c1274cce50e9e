"""Words to the patient's side, and the mail that says no more than that there are some."""

from __future__ import annotations

from datetime import timedelta

from audit.now import now
from portal.people.actions import post_mail
from portal.people.models import Mail, Patient, User
from queues.models import Message, Task


def say(task: Task, body: str, *, by: User) -> Message:
    """Words that are seen and mailed at once."""
    message = write(task, body, by=by)
    tell(task)
    return message


def write(task: Task, body: str, *, by: User, after: timedelta = timedelta()) -> Message:
    """Words that the patient's side sees after a while, without a mail."""
    return Message.objects.create(
        conversation=task.conversation,
        task=task,
        author=by,
        from_patient=False,
        body=body,
        sent_at=now(),
        shown_at=now() + after,
    )


def tell(task: Task, *, after: timedelta = timedelta()) -> list[Mail]:
    """A notice to the one who wrote, as long as they may still act for the patient; else to who may read it."""
    conversation = task.conversation
    posted = [
        post_mail(
            recipient=reader, kind=Mail.Kind.NEW_MESSAGE, path=conversation.get_absolute_url(), after=after
        )
        for reader in _readers(conversation.patient, conversation.author)
    ]
    return [mail for mail in posted if mail is not None]


def _readers(patient: Patient, author: User) -> list[User]:
    if patient.is_reachable_by(author):
        return [author]
    return readers(patient)


def readers(patient: Patient) -> list[User]:
    """Who reads what the clinic says to this patient unasked: themselves, or who acts for them."""
    if patient.user_id is not None:
        return [User.objects.get(pk=patient.user_id)]
    proxies = User.objects.filter(proxies__in=patient.proxies.running()).order_by("pk").distinct()
    return [user for user in proxies if patient.is_reachable_by(user)]
