"""What staff add to a request for each other: notes with mentions, ticks of a checklist, calls."""

from __future__ import annotations

import re

from django.db import transaction
from django.utils.translation import gettext as _

from audit.actions import Kind, record
from audit.now import now
from portal.people.actions import post_mail
from portal.people.models import Mail, User
from portal.people.policies import Refused
from queues import policies
from queues.actions.path import change, lock, move
from queues.actions.telling import until_quiet_ends
from queues.actions.timing import answered, end_wait
from queues.models import Call, Mention, Note, ProtocolStep, Quiet, Task, Tick
from queues.states import State

# An @ that begins a word: one inside a mail address names nobody.
AT = re.compile(r"(?<![\w.])@(?=\w)")


@transaction.atomic
def add_note(*, task: Task, body: str, by: User) -> Note:
    """A note for colleagues. Who is named with @ is told in the portal and by a mail without content.

    Refused where a name after an @ is nobody who works the task: a note that its reader never gets is worse than none.
    """
    policies.check_sees(task, by)
    body = policies.check_words(body, limit=4000)
    mentioned = _named(body, policies.people_of(task)) if "@" in body else []
    note = Note.objects.create(
        conversation=task.conversation, task=task, author=by, body=body, clinical=by.is_clinical, at=now()
    )
    for user in mentioned:
        Mention.objects.create(note=note, user=user)
        quiet = Quiet.objects.filter(user=user).first()
        path = task.get_absolute_url()
        post_mail(recipient=user, kind=Mail.Kind.MENTION, path=path, after=until_quiet_ends(quiet))
    record(
        "queues.note.add",
        by=by,
        kind=Kind.CREATE,
        patients=[task.conversation.patient_id],
        entity=note,
        detail={"task": task.pk, "mentioned": [user.pk for user in mentioned]},
    )
    return note


def _named(body: str, people: list[User]) -> list[User]:
    """Everybody named with @: by full name, or by first name where only one has it."""
    firsts = [person.get_short_name().casefold() for person in people]
    found: dict[int, User] = {}
    for at in AT.finditer(body):
        rest = body[at.end() :].casefold()
        full = [each for each in people if _begins(rest, each.name.casefold())]
        first = [
            each
            for each in people
            if _begins(rest, each.get_short_name().casefold())
            and firsts.count(each.get_short_name().casefold()) == 1
        ]
        person = next(iter(full or first), None)
        if person is None:
            word = re.match(r"[\w'’-]+", body[at.end() :])
            raise Refused(
                _("“@%(name)s” is nobody who works this task. You can mention: %(people)s.")
                % {"name": word[0] if word else "", "people": ", ".join(each.name for each in people)}
            )
        found[person.pk] = person
    return list(found.values())


def _begins(rest: str, name: str) -> bool:
    return rest.startswith(name) and not rest[len(name) : len(name) + 1].isalnum()


@transaction.atomic
def see_mentions(*, conversation_id: int, by: User) -> None:
    """The notes were shown to who is mentioned in them."""
    Mention.objects.filter(note__conversation=conversation_id, user=by, seen_at__isnull=True).update(
        seen_at=now()
    )


@transaction.atomic
def tick(*, task: Task, step: ProtocolStep, done: bool, by: User) -> None:
    """Tick a step of the task's protocol, or take the tick back. Doing it twice changes nothing."""
    task = lock(task)
    policies.check_not_done(task)
    policies.check_sees(task, by)
    protocol = policies.protocol_of(task)
    if protocol is None or step.protocol_id != protocol.pk or step.retired:
        raise Refused(_("This step is not part of the task's protocol any more. Look again."))
    if done:
        _row, changed = Tick.objects.get_or_create(task=task, step=step, defaults={"by": by, "at": now()})
    else:
        changed = bool(Tick.objects.filter(task=task, step=step).delete()[0])
    if changed:
        record(
            "queues.protocol.tick" if done else "queues.protocol.untick",
            by=by,
            kind=Kind.UPDATE,
            patients=[task.conversation.patient_id],
            entity=task,
            detail={"step": step.pk},
        )


@transaction.atomic
def log_call(*, task: Task, result: str, by: User, note: str = "") -> Call:
    """Write down a call to the patient. One that reached them is an answer, and ends a wait for theirs; any shows that
    somebody is at it."""
    task = lock(task)
    policies.check_sees(task, by)
    if result not in Call.Result.values:
        raise Refused(_("Say how the call went: reached, voicemail, or no answer."))
    call = Call.objects.create(
        conversation=task.conversation,
        task=task,
        by=by,
        at=now(),
        result=result,
        note=policies.check_words(note, limit=2000, empty=True),
        clinical=by.is_clinical,
    )
    reached = result == Call.Result.REACHED and task.is_live and task.owner_id is not None
    # Reached, the patient knows what the unread answer says; otherwise the call is still to be made.
    told = {"unread_since": None, "call_since": None} if result == Call.Result.REACHED else {}
    change(task, "call", by=by, note=result, **told, **(answered(task) if reached else {}))
    if reached and task.state == State.WAITING:
        move(task, "reach", by=by, **end_wait(task))
    return call
