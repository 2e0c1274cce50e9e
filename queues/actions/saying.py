"""Words to the patient's side, and the mail that says no more than that there are some."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import translation
from django.utils.translation import gettext as _

from audit.now import now
from portal.people.actions import post_mail, withdraw_mails
from portal.people.models import Mail, Patient, User
from portal.people.templatetags.porter import one_stop
from queues.attendance import attendance
from queues.models import Conversation, Message, PromiseMove, Task
from queues.spoken import spoken
from queues.urgency import Urgency


def say(task: Task, body: str, *, by: User) -> Message:
    """Words that are seen and mailed at once."""
    message = write(task, body, by=by)
    tell(task)
    return message


def write(task: Task, body: str, *, by: User, after: timedelta = timedelta()) -> Message:
    """Words that the patient's side sees after a while, without a mail. An urgent reply left unread becomes a call."""
    if task.urgency == Urgency.URGENT and task.unread_since is None:
        # Noted on the task for whatever the caller changes next.
        task.unread_since = now()
        task.save(update_fields=["unread_since"])
    return Message.objects.create(
        conversation=task.conversation,
        task=task,
        author=by,
        from_patient=False,
        body=body,
        sent_at=now(),
        shown_at=now() + after,
    )


def say_ourselves(task: Task, what: str, *, due_at: datetime | None = None) -> Message:
    """A line that nobody of the staff wrote, in the reader's language, with its mail. `what` is the reason of a moved
    promise, or “late”, “reminder”, “wait over”."""
    conversation = task.conversation
    # A conversation that the clinic began has an author who is not its reader.
    people = readers_of(conversation)
    reader = next(iter(people), None)
    with translation.override(reader.language if reader else conversation.patient.language):
        message = Message.objects.create(
            conversation=conversation,
            task=task,
            author=None,
            from_patient=False,
            body=one_stop(_line(task, what, due_at or task.due_at)),
            sent_at=now(),
            shown_at=now(),
        )
    _mail(people, conversation)
    return message


def take_back_our_lines(task: Task, *, since: Message) -> None:
    """Take back what Porter itself said about this task after these words, with its mails. Part of the transaction
    that said it, so that nobody has seen it."""
    lines = task.conversation.messages.filter(task=task, author__isnull=True, pk__gt=since.pk)
    if lines.update(withdrawn_at=now()):
        path = task.conversation.get_absolute_url()
        mails = Mail.objects.filter(kind=Mail.Kind.NEW_MESSAGE, path=path, created_at__gte=since.sent_at)
        withdraw_mails(mails.values_list("pk", flat=True))


def _line(task: Task, what: str, due_at: datetime) -> str:
    patient = task.conversation.patient
    team = task.queue.team_in(translation.get_language() or "en")
    told = {
        "team": team,
        "team_first": team[:1].upper() + team[1:],
        "time": spoken(due_at, patient),
        "phone": patient.facility.phone,
        "after_hours": patient.facility.after_hours_phone,
        "emergency": patient.facility.emergency_number,
    }
    match what:
        case PromiseMove.Reason.REOPEN | PromiseMove.Reason.RAISE if opens := _nobody_until(task, due_at):
            told["opens"] = opens
            if what == PromiseMove.Reason.REOPEN:
                return (
                    _(
                        "Your request is open again. Nobody reads it now; %(team)s starts again %(opens)s. If it can't "
                        "wait, call %(after_hours)s now, or %(emergency)s in an emergency."
                    )
                    % told
                )
            return (
                _(
                    "We now treat your request as more urgent, but nobody reads it now; %(team)s starts again "
                    "%(opens)s. Don't wait for us: call %(after_hours)s now, or %(emergency)s in an emergency."
                )
                % told
            )
        case PromiseMove.Reason.REOPEN:
            return _("Your request is open again. %(team_first)s answers by %(time)s.") % told
        case PromiseMove.Reason.PAUSE:
            return (
                _(
                    "While we waited for your answer, our time stood still. %(team_first)s now answers by %(time)s."
                )
                % told
            )
        case PromiseMove.Reason.RAISE:
            return (
                _(
                    "We now treat your request as more urgent. %(team_first)s answers by %(time)s. If it gets worse, "
                    "don't wait for us: call %(emergency)s."
                )
                % told
            )
        case PromiseMove.Reason.HAND_OVER:
            return (
                _("Your request went to %(team)s, who can answer it better. They answer by %(time)s.") % told
            )
        case "late":
            return (
                _(
                    "We promised you an answer by %(time)s, and we are late. We are sorry. Your request is not lost, "
                    "and we go on with it. If it can't wait, call us: %(phone)s, or %(after_hours)s when we are "
                    "closed. In an emergency call %(emergency)s."
                )
                % told
            )
        case "here again":
            return (
                _(
                    "%(team_first)s is here again. Your request is urgent, and it has no answer yet. We are sorry. If "
                    "it can't wait, call us now: %(phone)s. In an emergency call %(emergency)s."
                )
                % told
            )
        case "reminder":
            return _("We asked you something and need your answer to go on. Please write it here.") % told
        case "wait over":
            return (
                _(
                    "We had no answer from you yet, so we go on with what we know. %(team_first)s answers by %(time)s. "
                    "You can still write here."
                )
                % told
            )
    raise ValueError(what)


def _nobody_until(task: Task, due_at: datetime) -> str:
    """When somebody reads again, where nobody does until a time promised now; "" where that time holds."""
    there = attendance(task.queue, Urgency(task.urgency))
    if there.tells(due_at, now()):
        return ""
    opens = there.opens(now())
    return spoken(opens, task.conversation.patient) if opens else _("at a time we don't know yet")


def tell(task: Task, *, after: timedelta = timedelta()) -> list[Mail]:
    """A notice to the one who wrote, as long as they may still act for the patient; else to who may read it."""
    return _mail(readers_of(task.conversation), task.conversation, after=after)


def _mail(people: list[User], conversation: Conversation, *, after: timedelta = timedelta()) -> list[Mail]:
    path = conversation.get_absolute_url()
    posted = [
        post_mail(recipient=reader, kind=Mail.Kind.NEW_MESSAGE, path=path, after=after) for reader in people
    ]
    return [mail for mail in posted if mail is not None]


def readers_of(conversation: Conversation) -> list[User]:
    """Who gets what the clinic says here: who wrote, while they may still act for the patient; else who may read it."""
    author = conversation.author
    if conversation.is_reachable_by(author):
        return [author]
    return readers(
        conversation.patient, request_type=conversation.request_type, confidential=conversation.confidential
    )


def readers(patient: Patient, *, request_type: str, confidential: bool = False) -> list[User]:
    """Who reads what the clinic says to this patient unasked: themselves, or who acts for them in requests of this
    type. What is confidential is nobody's but the patient's."""
    if patient.user_id is not None:
        return [User.objects.get(pk=patient.user_id)]
    if confidential:
        return []
    grants = patient.proxies.open().for_type(request_type).order_by("user").select_related("user")
    return list(dict.fromkeys(grant.user for grant in grants))
