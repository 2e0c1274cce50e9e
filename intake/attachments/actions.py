"""Every write of attachments. What is added to a draft is part of it: sent with it, or deleted with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from audit.actions import Kind, record
from audit.now import now
from audit.statements import Question
from intake.attachments.cleaning import Clean, NotTaken, not_taken
from intake.attachments.models import Attachment
from intake.attachments.storage import storage
from intake.models import Draft, Submission
from portal.people.models import Patient, User
from portal.people.policies import Refused
from portal.people.prepared import Prepared
from queues.models import Message


@transaction.atomic
def add_to_draft(*, draft: Draft, field: str, file: Clean, several: bool, by: User) -> Attachment:
    """Keep a clean file as an answer to the question `field`; without `several` it takes the place of the one there.

    The same file twice is one: a request that was sent again, or a double click.
    """
    # The lock makes files that arrive at the same moment count each other, and waits for a submit.
    if not Draft.objects.select_for_update().filter(pk=draft.pk, author=by).exists():
        raise Refused(_("This request was sent or deleted meanwhile, so the file was not added to it."))
    there = list(Attachment.objects.filter(draft=draft))
    here = [each for each in there if each.field == field]
    for each in here:
        if each.sha256 == file.sha256:
            return each
    replaced = [] if several else here
    if len(there) - len(replaced) >= settings.ATTACHMENT_MOST_FILES:
        raise not_taken("many")
    _drop(replaced, by=by)
    return _keep(Attachment(draft=draft, field=field, patient_id=draft.patient_id), file, by=by)


@transaction.atomic
def settle_draft(*, draft: Draft, fields: Mapping[UUID, str], gone: Iterable[UUID], by: User) -> None:
    """Delete the files that were taken back, and note which question the others answer now that rows moved up."""
    gone = set(gone)
    if not fields and not gone:
        return
    Draft.objects.select_for_update().filter(pk=draft.pk, author=by).first()
    there = list(Attachment.objects.filter(draft=draft, draft__author=by))
    _drop([each for each in there if each.pk in gone], by=by)
    for each in there:
        if each.pk not in gone and fields.get(each.pk, each.field) != each.field:
            each.field = fields[each.pk]
            each.save(update_fields=["field"])


@transaction.atomic
def discard_of_draft(*, draft: Draft, by: User) -> None:
    """Delete every file of a draft that is thrown away."""
    _drop(list(Attachment.objects.filter(draft=draft)), by=by)


@transaction.atomic(savepoint=False)  # nobody goes on without it
def hand_in(there: list[Attachment], *, submission: Submission, kept: Iterable[UUID], by: User) -> None:
    """Make the files that answer a question part of what is sent, and delete the others that are `there` (`of_draft`).
    Part of the submit."""
    kept = set(kept)
    _drop([each for each in there if each.pk not in kept], by=by)
    sent = [each for each in there if each.pk in kept]
    if not sent:
        return
    Attachment.objects.filter(pk__in=[each.pk for each in sent]).update(
        draft=None, field="", submission=submission
    )
    record(
        "intake.attachment.send",
        by=by,
        kind=Kind.UPDATE,
        patients=[submission.patient_id],
        entity=submission,
        detail={"attachments": [str(each.pk) for each in sent]},
    )


def any_of_draft(draft_key: UUID) -> Question:
    """The question whether a draft has files. Asked behind the lock of the draft, and not with it: a file that was kept
    while the lock was waited for has to be seen."""
    return f"SELECT EXISTS (SELECT 1 FROM {Attachment._meta.db_table} WHERE draft_id = %s)", [draft_key]  # noqa: S608


def of_draft(draft: Draft) -> list[Attachment]:
    """A draft's files, kept for the one who asks until the transaction ends."""
    return _locked(draft=draft.pk)


@Prepared
def _locked(draft: UUID) -> QuerySet[Attachment]:
    return Attachment.objects.select_for_update().filter(draft=draft)


@transaction.atomic
def add_to_message(*, message: Message, files: Sequence[Clean], by: User) -> list[Attachment]:
    """Keep clean files as part of a message that was just stored. Part of the caller's transaction."""
    if len(files) > settings.ATTACHMENT_MOST_FILES:
        raise not_taken("many")
    patient = message.conversation.patient_id
    return [_keep(Attachment(message=message, patient_id=patient), file, by=by) for file in files]


def note_refusal(*, problem: NotTaken, patient: Patient, by: User) -> None:
    """Leave a trace of a file that was not taken: why, never its name."""
    record(
        "intake.attachment.refuse",
        by=by,
        kind=Kind.EXECUTE,
        patients=[patient.pk],
        detail={"why": problem.code},
    )


def _keep(row: Attachment, file: Clean, *, by: User) -> Attachment:
    row.name, row.content_type = file.name, file.content_type
    row.size, row.sha256 = len(file.data), file.sha256
    row.uploaded_by, row.uploaded_at = by, now()
    row.full_clean()
    row.save(force_insert=True)
    storage(row).keep(row, file)
    record(
        "intake.attachment.add",
        by=by,
        kind=Kind.CREATE,
        patients=[row.patient_id],
        entity=row,
        detail={"type": row.content_type, "size": row.size, "sha256": row.sha256},
    )
    return row


def _drop(rows: list[Attachment], *, by: User) -> None:
    if not rows:
        return
    for row in rows:
        record("intake.attachment.delete", by=by, kind=Kind.DELETE, patients=[row.patient_id], entity=row)
        storage(row).drop([row])
    Attachment.objects.filter(pk__in=[row.pk for row in rows]).delete()
