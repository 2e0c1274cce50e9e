"""Photos and PDFs: what is taken is clean and shown to few; what isn't gives a sentence and leaves all else alone."""

from __future__ import annotations

import io
import socket
import struct
import threading
import uuid
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test import Client, override_settings
from django.urls import reverse
from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from audit.models import Event
from intake import actions
from intake.attachments import cleaning, scanner
from intake.attachments.models import Attachment, AttachmentContent
from intake.models import Draft, RequestType, Submission
from portal.people.models import User
from queues import actions as queues
from queues.models import Conversation
from tests import factories as make
from tests.clinic import Clinic

RASH: dict[str, Any] = {
    "resourceType": "Questionnaire",
    "status": "active",
    "title": "Rash",
    "item": [
        {
            "linkId": "skin",
            "type": "group",
            "text": "Your skin",
            "item": [
                {"linkId": "where", "type": "string", "text": "Where is it?"},
                {"linkId": "photos", "type": "attachment", "text": "Photos of it", "repeats": True},
                {"linkId": "letter", "type": "attachment", "text": "A letter about it"},
                {
                    "linkId": "itchy",
                    "type": "choice",
                    "text": "Does it itch?",
                    "answerOption": [{"valueCoding": {"code": "yes"}}, {"valueCoding": {"code": "no"}}],
                },
            ],
        }
    ],
}
ROWS: dict[str, Any] = {
    "resourceType": "Questionnaire",
    "status": "active",
    "title": "Bills",
    "item": [
        {
            "linkId": "bill",
            "type": "group",
            "text": "Bills",
            "repeats": True,
            "required": True,
            "item": [
                {"linkId": "amount", "type": "string", "text": "How much?"},
                {"linkId": "scan", "type": "attachment", "text": "The bill"},
            ],
        }
    ],
}


# ---- bytes -----------------------------------------------------------------------------------------------------


def picture(kind: str = "JPEG", size: tuple[int, int] = (60, 40), colour: Any = "red", **more: Any) -> bytes:
    out = io.BytesIO()
    mode = "RGBA" if kind == "PNG" else "RGB"
    Image.new(mode, size, colour).save(out, kind, **more)
    return out.getvalue()


def located_photo() -> bytes:
    """A photo that was taken sideways and says where and by what."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 30.0)
    exif.get_ifd(0x8825)[1] = "N"
    return picture(exif=exif, comment=b"home address")


def pdf(*, change: Any = None, **more: Any) -> bytes:
    writer = PdfWriter()
    for _page in range(more.get("pages", 1)):
        writer.add_blank_page(200, 200)
    if change is not None:
        change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def script(writer: PdfWriter) -> None:
    action = DictionaryObject(
        {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("app.alert(1)")}
    )
    writer.root_object[NameObject("/AA")] = DictionaryObject({NameObject("/WC"): action})


def launch(writer: PdfWriter) -> None:
    action = DictionaryObject(
        {NameObject("/S"): NameObject("/Launch"), NameObject("/F"): TextStringObject("cmd.exe")}
    )
    writer.root_object[NameObject("/OpenAction")] = action


def hidden_script() -> bytes:
    """A script whose name is written in escapes, in an object that no page leads to, packed into a stream."""
    packed = zlib.compress(b"9 0 << /S /#4aavaScript /#4a#53 (app.alert(1)) >>")
    body = b"%PDF-1.7\n"
    offsets = {}
    parts = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>",
        4: b"<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream"
        % (len(packed), packed),
    }
    for number, text in parts.items():
        offsets[number] = len(body)
        body += b"%d 0 obj\n%s\nendobj\n" % (number, text)
    start = len(body)
    table = struct.pack(">BHB", 0, 0, 0)
    for number in parts:
        table += struct.pack(">BHB", 1, offsets[number], 0)
    for _unused in range(5, 9):
        table += struct.pack(">BHB", 0, 0, 0)
    table += struct.pack(">BHB", 2, 4, 0) + struct.pack(">BHB", 1, start, 0)
    return body + (
        b"10 0 obj\n<< /Type /XRef /Size 11 /W [1 2 1] /Root 1 0 R /Length %d >>\nstream\n%s\nendstream\nendobj\n"
        b"startxref\n%d\n%%%%EOF\n" % (len(table), table, start)
    )


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("evil.class", "CAFEBABE")
    return out.getvalue()


def bomb() -> bytes:
    """A PNG of a few hundred bytes that says it is 60,000 pixels wide and high."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><html><script>alert(1)</script></html>"


# ---- a clinic that asks for photos ------------------------------------------------------------------------------


@pytest.fixture
def rash(clinic: Clinic) -> RequestType:
    return make.request_type("rash", RASH, name="Rash", title_items=["where"])


@pytest.fixture
def draft(clinic: Clinic, rash: RequestType) -> Draft:
    draft = actions.start_draft(request_type=rash, patient=clinic.patient, by=clinic.patient.user)
    actions.save_draft(draft=draft, raw={"i.where": ["On the elbow"], "i.itchy": ["yes"]}, by=draft.author)
    return draft


def client_of(user: User, **kwargs: Any) -> Client:
    client = Client(headers={"Origin": "http://testserver"}, **kwargs)
    client.force_login(user)
    return client


@pytest.fixture
def maya(clinic: Clinic) -> Client:
    return client_of(clinic.patient.user)


def page_of(draft: Draft) -> str:
    return reverse("draft", args=[draft.pk, "p1"])


def file(data: bytes, name: str = "photo.jpg", type_: str = "image/jpeg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, type_)


def add(client: Client, draft: Draft, *files: SimpleUploadedFile, field: str = "photos", **more: Any) -> Any:
    return client.post(
        page_of(draft),
        {
            "i.where": "On the elbow",
            "_asked": ["i.photos", "i.letter", "i.itchy"],
            "i.itchy": "yes",
            f"i.{field}:file": list(files),
            "go": "stay",
            **more,
        },
    )


def added(client: Client, draft: Draft, *files: SimpleUploadedFile) -> Attachment:
    assert add(client, draft, *(files or [file(picture())])).status_code == 302
    return Attachment.objects.filter(draft=draft).latest("uploaded_at")


def send(draft: Draft) -> Conversation:
    return actions.submit(draft_id=draft.pk, by=draft.author)


# ---- cleaning --------------------------------------------------------------------------------------------------


def test_a_photo_loses_its_place_and_camera_and_is_turned_upright() -> None:
    taken = cleaning.clean(file(located_photo()))
    assert (taken.content_type, taken.small is not None) == ("image/jpeg", True)
    for data in (taken.data, taken.small or b""):
        assert b"Secret" not in data
        assert b"home address" not in data
        assert b"Exif" not in data
    with Image.open(io.BytesIO(taken.data)) as kept:
        assert kept.size == (40, 60)
        assert not kept.getexif()


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        (picture("JPEG"), "image/jpeg"),
        (picture("PNG"), "image/png"),
        (picture("WEBP"), "image/jpeg"),
        (pdf(), "application/pdf"),
        (pdf(pages=3), "application/pdf"),
    ],
)
def test_the_type_is_found_in_the_bytes_and_not_in_the_name(data: bytes, kept: str) -> None:
    taken = cleaning.clean(file(data, "holiday.txt", "text/html"))
    assert taken.content_type == kept
    assert taken.name == "holiday" + cleaning.ENDINGS[kept]


def test_colours_that_only_a_profile_explains_come_out_as_screens_show_them() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    taken = cleaning.clean(file(picture(icc_profile=profile)))
    assert b"ICC_PROFILE" not in taken.data


def test_a_large_picture_is_made_smaller_and_a_small_one_is_not_made_larger() -> None:
    taken = cleaning.clean(file(picture(size=(5000, 2500))))
    with Image.open(io.BytesIO(taken.data)) as kept:
        assert kept.size == (4096, 2048)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (bomb(), "pixels"),
        (picture()[:300], "damaged"),
        (b"\xff\xd8\xff" + b"rubbish" * 20, "damaged"),
        (SVG, "kind"),
        (HTML, "kind"),
        (archive(), "kind"),
        (b"GIF89a" + b"\0" * 50, "kind"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "heic"),
        (HTML + pdf(), "mixed"),
        (pdf() + HTML, "mixed"),
        (pdf() + archive(), "mixed"),
        (pdf() + archive() + b"\nstartxref\n9\n%%EOF", "mixed"),
        (pdf().replace(b"%PDF-1.3\n", b"%PDF-1.3\n%<script>alert(1)</script>\n"), "mixed"),
        (pdf(change=script), "pdf-active"),
        (pdf(change=launch), "pdf-active"),
        (pdf(change=lambda w: w.add_attachment("evil.exe", b"MZ")), "pdf-active"),
        (hidden_script(), "pdf-active"),
        (pdf(change=lambda w: w.encrypt("secret")), "pdf-locked"),
        (pdf(pages=101), "pdf-pages"),
        (pdf()[:200], "pdf-damaged"),
        (b"%PDF-1.7\n" + b"[" * 200_000 + b"\nstartxref\n9\n%%EOF\n", "pdf-damaged"),
    ],
)
def test_what_is_not_a_photo_or_a_paper_is_refused_with_a_sentence(data: bytes, code: str) -> None:
    with pytest.raises(cleaning.NotTaken) as refused:
        cleaning.clean(file(data, "scan.pdf", "application/pdf"))
    assert refused.value.code == code
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize("tail", [HTML, archive(), b"<script>alert(1)</script>"])
def test_what_hangs_behind_a_photo_is_gone(tail: bytes) -> None:
    taken = cleaning.clean(file(picture() + tail))
    assert tail not in taken.data
    assert b"<script" not in taken.data
    assert b"PK" not in taken.data


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\x00b.jpg", "a b.jpg"),
        ("../../etc/passwd", "passwd.jpg"),
        ("C:\\Users\\maya\\rash.png", "rash.jpg"),
        ("photo\u202egpj.exe", "photo gpj.jpg"),
        ("", "File.jpg"),
        (".jpg", "jpg.jpg"),
        ("<img src=x>.jpg", "<img src=x>.jpg"),
        ("x" * 500 + ".jpg", "x" * 76 + ".jpg"),
        ("mi piel \ud800.jpeg", "mi piel.jpg"),
    ],
)
def test_a_name_is_only_ever_shown_and_holds_nothing_that_cannot_be_seen(name: str, shown: str) -> None:
    assert cleaning.shown_name(name, "image/jpeg") == shown


def test_reading_a_file_knows_no_setting_and_may_not_take_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "SECONDS", 0.001)
    with pytest.raises(cleaning.NotTaken) as refused:
        cleaning.clean(file(picture()))
    assert refused.value.code == "slow"


# ---- the virus scanner -----------------------------------------------------------------------------------------


@contextmanager
def daemon(answer: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A scanner that says `answer` to whatever it gets, and what it got."""
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            peer, _address = server.accept()
            with peer, peer.makefile("rb") as stream:
                command = stream.read(10)
                data = b""
                while size := struct.unpack(">I", stream.read(4))[0]:
                    data += stream.read(size)
                got.extend([command, data])
                peer.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}", got
        thread.join(5)


def test_the_scanner_gets_what_arrived_and_its_word_counts() -> None:
    data = picture(size=(900, 900), quality=100) + b"tail"
    with daemon(b"stream: OK\0") as (address, got):
        assert scanner.scan(data, address).clean
    assert got == [b"zINSTREAM\0", data]
    with (
        daemon(b"stream: Eicar-Test-Signature FOUND\0") as (address, _got),
        override_settings(PORTER_CLAMAV=address),
        pytest.raises(cleaning.NotTaken) as refused,
    ):
        cleaning.clean(file(data))
    assert refused.value.code == "virus"


@pytest.mark.parametrize("answer", [b"", b"INSTREAM size limit exceeded. ERROR\0", b"stream: OK but\0"])
def test_another_word_than_a_verdict_is_none(answer: bytes) -> None:
    with daemon(answer) as (address, _got), pytest.raises(scanner.Unavailable):
        scanner.scan(b"data", address)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "/nowhere/clamd.sock", "nonsense"])
def test_nothing_is_stored_while_the_scanner_cannot_be_reached(
    maya: Client, draft: Draft, address: str
) -> None:
    with override_settings(PORTER_CLAMAV=address):
        response = add(maya, draft, file(picture()))
    assert response.status_code == 422
    assert "checked for viruses" in response.content.decode()
    assert not Attachment.objects.exists()


# ---- a draft ---------------------------------------------------------------------------------------------------


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


# ---- sending ---------------------------------------------------------------------------------------------------


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


# ---- a conversation --------------------------------------------------------------------------------------------


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


# ---- who sees it -----------------------------------------------------------------------------------------------


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


# ---- uploads that are too large, or never end -------------------------------------------------------------------


class Endless(io.RawIOBase):
    """A body of `size` bytes that begins with `head`; counts what was read of it."""

    def __init__(self, head: bytes, size: int, tail: bytes = b"") -> None:
        self.head, self.size, self.tail, self.at = head, size, tail, 0

    def read(self, most: int = -1) -> bytes:
        most = min(most if most >= 0 else 65536, self.size - self.at)
        if most <= 0:
            return b""
        if self.at < len(self.head):
            part = self.head[self.at : self.at + most]
        elif self.at < self.size - len(self.tail):
            part = b"\xff" * min(most, self.size - len(self.tail) - self.at)
        else:
            start = self.at - (self.size - len(self.tail))
            part = self.tail[start : start + most]
        self.at += len(part)
        return part


def body(draft: Draft, *, before: dict[str, str], after: dict[str, str]) -> tuple[bytes, bytes]:
    def field(name: str, value: str) -> bytes:
        return f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()

    head = b"".join(field(*each) for each in before.items())
    head += b'--B\r\nContent-Disposition: form-data; name="i.photos:file"; filename="film.jpg"\r\n\r\n\xff\xd8\xff'
    return head, b"\r\n" + b"".join(field(*each) for each in after.items()) + b"--B--\r\n"


def post_stream(client: Client, draft: Draft, stream: Endless, length: int) -> Any:
    more: dict[str, Any] = {
        "wsgi.input": stream,
        "CONTENT_LENGTH": str(length),
        "CONTENT_TYPE": "multipart/form-data; boundary=B",
    }
    return client.generic("POST", page_of(draft), **more)


def test_two_gigabytes_are_stopped_after_the_first_bytes(maya: Client, draft: Draft) -> None:
    head, tail = body(draft, before={"i.where": "Neck"}, after={"go": "next"})
    size = 2 * 1024**3
    stream = Endless(head, size, tail)
    response = post_stream(maya, draft, stream, size)
    assert response.status_code == 422
    assert "too large. The most is 10 MB" in response.content.decode()
    assert stream.at < 1024 * 1024
    assert not Attachment.objects.exists()
    draft.refresh_from_db()
    assert (draft.raw["i.where"], draft.raw["i.itchy"]) == (["Neck"], ["yes"])


@override_settings(ATTACHMENT_MOST_MB=1)
def test_a_file_over_the_limit_is_let_go_and_the_rest_of_the_page_is_kept(maya: Client, draft: Draft) -> None:
    head, tail = body(draft, before={}, after={"i.where": "Neck", "go": "next"})
    size = 3 * 1024 * 1024
    response = post_stream(maya, draft, Endless(head, size, tail), size)
    assert "film.jpg: This file is too large. The most is 1 MB" in response.content.decode()
    assert not Attachment.objects.exists()
    draft.refresh_from_db()
    assert draft.raw["i.where"] == ["Neck"]


def test_a_connection_that_drops_in_the_middle_of_a_file_stores_none_of_it(
    maya: Client, draft: Draft
) -> None:
    head, _tail = body(draft, before={"i.where": "Neck"}, after={})
    stream = Endless(head, len(head) + 5000)
    response = post_stream(maya, draft, stream, 500_000)
    assert "did not arrive completely" in response.content.decode()
    assert not Attachment.objects.exists()


def test_a_message_with_a_file_too_large_is_not_sent(maya: Client, clinic: Clinic) -> None:
    conversation = clinic.send()
    with override_settings(ATTACHMENT_MOST_MB=1):
        response = maya.post(
            conversation.get_absolute_url(), {"body": "See", "file": file(b"\xff\xd8\xff" * 700_000)}
        )
    assert response.status_code == 422
    assert "too large" in response.content.decode()
    assert not conversation.messages.exists()


def test_the_form_can_carry_files_without_javascript(maya: Client, draft: Draft, clinic: Clinic) -> None:
    html = maya.get(page_of(draft)).content.decode()
    assert 'enctype="multipart/form-data"' in html
    assert 'hx-encoding="multipart/form-data"' in html
    assert ">Upload</button>" in html
    assert 'enctype="multipart/form-data"' in maya.get(clinic.send().get_absolute_url()).content.decode()
