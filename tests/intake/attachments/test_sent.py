"""Files that were sent: kept as they are, part of a conversation, and shown to few."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from audit.models import Event
from intake.attachments.models import Attachment
from intake.models import Draft, Submission
from queues import actions as queues
from tests.clinic import Clinic
from tests.intake.attachments.files import SVG, added, client_of, file, pdf, picture, send

# ---- sending -------------------------------------------------------------------------------------------------------


def test_what_is_sent_keeps_its_files_and_is_marked_as_not_read(maya: Client, draft: Draft) -> None:
    row = added(maya, draft, file(picture(), "arm.jpg"))
    assert row.draft is not None
    conversation = send(draft)
    row.refresh_from_db()
    assert (row.draft, row.submission) == (None, conversation.submission)
    task = conversation.tasks.get()
    assert not task.screened
    assert task.decision is not None
    assert task.decision.facts["file.unscreened"] is True
    assert task.decision.facts["text.unscreened"] is False
    assert "not-screened" in task.tags
    assert task.decision.facts["answer.rash.photos"] == 1
    line = next(each for each in task.summary if "attachments" in each)
    assert line["attachments"] == [{"id": str(row.pk), "name": "arm.jpg", "is_image": True}]
    assert row.submission is not None
    assert row.submission.response["item"][0]["item"][1]["answer"][0]["valueAttachment"] == {
        "contentType": "image/jpeg",
        "url": f"urn:uuid:{row.pk}",
        "size": row.size,
        "title": "arm.jpg",
        "creation": row.uploaded_at.isoformat(),
    }
    assert reverse("attachment", args=[row.pk]) in maya.get(conversation.get_absolute_url()).content.decode()


def test_without_a_file_nothing_is_marked(draft: Draft) -> None:
    task = send(draft).tasks.get()
    assert task.screened
    assert task.decision is not None
    assert task.decision.facts["file.unscreened"] is False


def test_a_submit_that_fails_leaves_the_files_in_the_draft(
    maya: Client, draft: Draft, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = added(maya, draft)

    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("intake.attachments.actions.record", broken)
    with pytest.raises(RuntimeError):
        send(draft)
    row.refresh_from_db()
    assert row.draft == draft
    assert not Submission.objects.exists()


def test_what_was_sent_is_never_changed_even_with_sql(maya: Client, draft: Draft) -> None:
    row = added(maya, draft)
    send(draft)
    for statement in (
        "DELETE FROM intake_attachmentcontent WHERE attachment_id = %s",
        "UPDATE intake_attachmentcontent SET data = '' WHERE attachment_id = %s",
        "DELETE FROM intake_attachment WHERE id = %s",
        "UPDATE intake_attachment SET name = 'x' WHERE id = %s",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [row.pk])


# ---- a conversation ------------------------------------------------------------------------------------------------


def test_a_photo_can_be_added_later_with_a_caption_that_is_read_for_red_flags(
    maya: Client, clinic: Clinic
) -> None:
    conversation = clinic.send()
    response = maya.post(
        conversation.get_absolute_url(),
        {"body": "My chest pain is crushing", "file": [file(picture(), "c.jpg")]},
    )
    assert response.status_code == 302
    row = Attachment.objects.get()
    assert row.message is not None
    assert row.message.body == "My chest pain is crushing"
    task = conversation.tasks.get()
    assert (task.screened, task.queue) == (False, clinic.urgent)
    assert "c.jpg" in maya.get(conversation.get_absolute_url()).content.decode()
    assert "c.jpg" in client_of(clinic.nurse).get(task.get_absolute_url()).content.decode()


def test_a_photo_without_words_is_a_message_too(maya: Client, clinic: Clinic) -> None:
    conversation = clinic.send()
    assert maya.post(conversation.get_absolute_url(), {"body": " ", "file": file(pdf())}).status_code == 302
    assert conversation.messages.get(from_patient=True).body == "(a file, without words)"


def test_a_bad_file_keeps_the_message_on_the_page_and_sends_nothing(maya: Client, clinic: Clinic) -> None:
    conversation = clinic.send()
    response = maya.post(conversation.get_absolute_url(), {"body": "See this", "file": file(SVG, "rash.svg")})
    html = response.content.decode()
    assert response.status_code == 422
    assert "rash.svg: This is not a photo" in html
    assert "See this</textarea>" in html
    assert not conversation.messages.exists()


# ---- who sees it ---------------------------------------------------------------------------------------------------


def test_a_file_is_served_as_what_it_is_and_can_do_nothing(maya: Client, draft: Draft) -> None:
    row = added(maya, draft, file(pdf(), "Brief ü.pdf"))
    response = maya.get(reverse("attachment", args=[row.pk]))
    assert response.content == bytes(row.content.data)
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"].startswith("attachment; filename")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response["Cache-Control"] == "private, no-store"
    assert maya.get(reverse("attachment-small", args=[row.pk])).status_code == 404
    photo = added(maya, draft)
    response = maya.get(reverse("attachment", args=[photo.pk]))
    assert (response["Content-Type"], response["Content-Disposition"]) == (
        "image/jpeg",
        'inline; filename="photo.jpg"',
    )
    assert maya.get(reverse("attachment-small", args=[photo.pk]))["Content-Type"] == "image/jpeg"


def test_each_view_leaves_an_event(maya: Client, draft: Draft, clinic: Clinic) -> None:
    row = added(maya, draft)
    maya.get(reverse("attachment", args=[row.pk]))
    event = Event.objects.get(action="intake.attachment.read")
    assert (event.agent, event.patient_ids, event.entity_id) == (
        draft.author,
        [clinic.patient.pk],
        str(row.pk),
    )


def test_a_draft_is_its_authors_alone_and_what_was_sent_is_for_those_who_work_it(
    maya: Client, draft: Draft, clinic: Clinic
) -> None:
    row = added(maya, draft)
    where = reverse("attachment", args=[row.pk])
    assert clinic.stranger.user is not None
    outsiders = [clinic.stranger.user, clinic.biller, clinic.physician, clinic.admin]
    for user in [*outsiders, clinic.nurse]:
        assert client_of(user).get(where).status_code == 404
    task = send(draft).tasks.get()
    assert task.queue == clinic.triage
    for user in outsiders:
        assert client_of(user).get(where).status_code == 404
    assert client_of(clinic.nurse).get(where).status_code == 200
    assert maya.get(where).status_code == 200
    assert where in client_of(clinic.nurse).get(task.get_absolute_url()).content.decode()
    assert Client().get(where)["Location"].startswith("/accounts/login/")
    assert maya.get(reverse("attachment", args=[uuid.uuid4()])).status_code == 404


def test_billing_sees_the_photo_of_a_bill_and_never_one_about_health(
    clinic: Clinic, maya: Client, draft: Draft
) -> None:
    about_health = added(maya, draft)
    task = queues.claim(task=send(draft).tasks.get(), by=clinic.nurse)
    queues.hand_over(task=task, queue=clinic.billing, reason="Wants a receipt.", by=clinic.nurse)
    biller = client_of(clinic.biller)
    assert biller.get(reverse("attachment", args=[about_health.pk])).status_code == 404
    assert str(about_health.pk) not in biller.get(task.get_absolute_url()).content.decode()

    conversation = clinic.send("billing")
    maya.post(conversation.get_absolute_url(), {"body": "The bill", "file": file(picture())})
    bill = Attachment.objects.get(message__conversation=conversation)
    assert biller.get(reverse("attachment", args=[bill.pk])).status_code == 200
    maya.post(conversation.get_absolute_url(), {"body": "My chest pain is crushing"})
    assert biller.get(reverse("attachment", args=[bill.pk])).status_code == 404
