"""A file that is still being kept when somebody sends the form: it is part of what is sent."""

from __future__ import annotations

from threading import Event

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction

from intake import actions as intake
from intake.attachments.actions import add_to_draft
from intake.attachments.cleaning import clean
from intake.attachments.models import Attachment
from queues.models import Conversation
from tests import factories as make
from tests.clinic import open_clinic
from tests.intake.attachments.files import RASH, pdf
from tests.queues.test_races import at_once


def test_a_submit_that_waits_for_a_file_sends_it(committed_db: str, settings, tmp_path) -> None:
    settings.MEDIA_ROOT = tmp_path
    clinic = open_clinic()
    kind = make.request_type("rash", RASH, name="Rash", title_items=["where"])
    draft = intake.start_draft(request_type=kind, patient=clinic.patient, by=clinic.patient.user)
    intake.save_draft(draft=draft, raw={"i.where": ["On the elbow"]}, by=draft.author)
    file = clean(SimpleUploadedFile("elbow.pdf", pdf()))
    kept = Event()

    def keep() -> None:
        with transaction.atomic():
            add_to_draft(draft=draft, field="i.photos", file=file, several=True, by=draft.author)
            kept.set()
            with connection.cursor() as cursor:
                waiting = 0
                while not waiting:  # until the submit has met the draft's lock
                    cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
                    (waiting,) = cursor.fetchone()

    def send() -> Conversation:
        kept.wait(20)
        return intake.submit(draft_id=draft.pk, by=draft.author)

    failed, sent = at_once(keep, send)
    assert failed is None, failed
    assert isinstance(sent, Conversation), sent
    assert Attachment.objects.get().submission == sent.submission
