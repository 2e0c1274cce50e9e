"""Files of every kind as bytes, a form that asks for some, and what a browser does with them."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from intake import actions
from intake.attachments.models import Attachment
from intake.models import Draft
from portal.people.models import User
from queues.models import Conversation

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


def client_of(user: User, **kwargs: Any) -> Client:
    client = Client(headers={"Origin": "http://testserver"}, **kwargs)
    client.force_login(user)
    return client


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
