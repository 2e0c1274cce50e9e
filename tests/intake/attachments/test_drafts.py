"""Files in a draft: each is one answer, and a bad one leaves all else alone."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client, override_settings
from django.urls import reverse

from audit.models import Event
from intake import actions
from intake.attachments.models import Attachment, AttachmentContent
from intake.models import Draft
from tests import factories as make
from tests.clinic import Clinic
from tests.intake.attachments.files import (
    HTML,
    ROWS,
    SVG,
    add,
    added,
    bomb,
    client_of,
    file,
    page_of,
    pdf,
    picture,
    send,
)


def test_a_photo_is_part_of_the_draft_and_shown_with_a_button_that_takes_it_back(
    maya: Client, draft: Draft
) -> None:
    row = added(maya, draft, file(picture(), "arm.jpg"))
    assert (row.name, row.content_type, row.field) == ("arm.jpg", "image/jpeg", "i.photos")
    assert row.size == len(row.content.data)
    html = maya.get(page_of(draft)).content.decode()
    assert f'value="{row.pk}"' in html
    assert "Remove arm.jpg" in html
    assert reverse("attachment-small", args=[row.pk]) in html
    # Another device, a day later.
    assert str(row.pk) in client_of(draft.author).get(page_of(draft)).content.decode()
    assert (
        reverse("attachment", args=[row.pk]) in maya.get(reverse("review", args=[draft.pk])).content.decode()
    )


def test_one_of_several_files_that_is_refused_takes_nothing_from_the_others(
    maya: Client, draft: Draft
) -> None:
    response = add(
        maya, draft, file(picture(), "a.jpg"), file(SVG, "b.svg"), file(pdf(), "c.pdf"), **{"i.where": "Neck"}
    )
    html = response.content.decode()
    assert response.status_code == 422
    assert "b.svg: This is not a photo or a PDF" in html
    assert 'href="#i.photos"' in html
    assert sorted(Attachment.objects.values_list("name", flat=True)) == ["a.jpg", "c.pdf"]
    draft.refresh_from_db()
    assert (draft.raw["i.where"], draft.raw["i.itchy"]) == (["Neck"], ["yes"])
    assert Event.objects.get(action="intake.attachment.refuse").detail == {"why": "kind"}


def test_with_htmx_the_fragment_says_it_with_a_status_that_is_swapped_in(maya: Client, draft: Draft) -> None:
    response = maya.post(page_of(draft), {"i.photos:file": file(SVG)}, headers={"HX-Request": "true"})
    assert response.status_code == 200
    assert "This is not a photo or a PDF" in response.content.decode()
    # The page saves itself a moment later, and the sentence stays until another file is added.
    for post, stays in (
        ({"i.where": "Neck"}, True),
        ({"i.photos:file": file(picture())}, False),
        ({}, False),
    ):
        response = maya.post(page_of(draft), post, headers={"HX-Request": "true"})
        assert ("This is not a photo or a PDF" in response.content.decode()) is stays


@pytest.mark.parametrize("data", [bomb(), SVG, HTML, b"", pdf() + HTML, b"\xff\xd8\xff\x00"])
def test_a_bad_file_stores_nothing_and_leaves_the_draft_alone(
    maya: Client, draft: Draft, data: bytes
) -> None:
    response = add(maya, draft, file(data, "x.pdf"), go="next")
    assert response.status_code == 422
    assert not Attachment.objects.exists()
    assert not AttachmentContent.objects.exists()
    draft.refresh_from_db()
    assert draft.raw["i.where"] == ["On the elbow"]


def test_a_page_left_open_in_another_tab_takes_back_nothing(maya: Client, draft: Draft) -> None:
    row = added(maya, draft)
    maya.post(page_of(draft), {"i.where": "Knee", "_asked": ["i.photos", "i.itchy"], "i.itchy": "no"})
    actions.save_draft(draft=draft, raw={"i.where": ["Knee"]}, by=draft.author)
    assert Attachment.objects.filter(pk=row.pk).exists()
    assert str(row.pk) in maya.get(page_of(draft)).content.decode()


def test_the_remove_button_means_the_file_that_the_page_showed(maya: Client, draft: Draft) -> None:
    first, second = added(maya, draft), added(maya, draft, file(picture(colour="blue")))
    shown = {"i.photos": [str(first.pk), str(second.pk)], "_asked": ["i.photos"]}
    maya.post(page_of(draft), {**shown, "_remove": "i.photos.0"})
    assert list(Attachment.objects.all()) == [second]
    # The same button on the same old page once more: the second file isn't in the first one's place now.
    maya.post(page_of(draft), {**shown, "_remove": "i.photos.0"})
    assert list(Attachment.objects.all()) == [second]
    assert AttachmentContent.objects.count() == 1
    assert Event.objects.filter(action="intake.attachment.delete", entity_id=str(first.pk)).exists()


def test_the_same_photo_twice_is_one_and_a_single_place_holds_the_last(maya: Client, draft: Draft) -> None:
    added(maya, draft), added(maya, draft)
    assert Attachment.objects.count() == 1
    add(maya, draft, file(pdf()), field="letter")
    add(maya, draft, file(pdf(pages=2)), field="letter")
    assert Attachment.objects.filter(field="i.letter").count() == 1


def test_there_is_a_most_for_the_number_of_files(maya: Client, draft: Draft) -> None:
    with override_settings(ATTACHMENT_MOST_FILES=2):
        response = add(maya, draft, *(file(picture(colour=(n, 0, 0))) for n in (0, 90, 180)))
    assert "2 files at most" in response.content.decode()
    assert Attachment.objects.count() == 2


def test_a_file_for_a_question_that_is_not_on_the_page_is_refused(maya: Client, draft: Draft) -> None:
    for name in ("i.where:file", "i.where", "i.invented:file", "else"):
        assert maya.post(page_of(draft), {name: file(picture())}).status_code == 400
    assert not Attachment.objects.exists()


def test_ids_that_a_browser_makes_up_are_not_believed(maya: Client, draft: Draft, clinic: Clinic) -> None:
    assert clinic.stranger.user is not None
    other = actions.start_draft(
        request_type=draft.request_type, patient=clinic.stranger, by=clinic.stranger.user
    )
    row = added(client_of(clinic.stranger.user), other)
    maya.post(page_of(draft), {"i.photos": [str(row.pk), str(uuid.uuid4())], "_remove": "i.photos.0"})
    assert Attachment.objects.get(pk=row.pk).draft == other
    conversation = send(draft)
    assert conversation.submission is not None
    assert not conversation.submission.attachments.exists()


def test_a_file_goes_with_the_row_it_is_in(maya: Client, clinic: Clinic) -> None:
    bills = make.request_type("bills", ROWS, clinical=False)
    draft = actions.start_draft(request_type=bills, patient=clinic.patient, by=clinic.patient.user)
    maya.post(page_of(draft), {"_add": "i.bill"})
    maya.post(page_of(draft), {"i.bill.0.scan:file": file(pdf()), "i.bill.1.scan:file": file(pdf(pages=2))})
    second = Attachment.objects.get(field="i.bill.1.scan")
    maya.post(page_of(draft), {"_remove": "i.bill.0"})
    assert [(row.pk, row.field) for row in Attachment.objects.all()] == [(second.pk, "i.bill.0.scan")]


def test_a_discarded_draft_takes_its_files_along(maya: Client, draft: Draft) -> None:
    added(maya, draft)
    maya.post(reverse("discard", args=[draft.pk]))
    assert not Attachment.objects.exists()
    assert not AttachmentContent.objects.exists()
