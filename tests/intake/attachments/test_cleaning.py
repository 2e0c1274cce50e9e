"""What is taken is clean, and what is not a photo or a paper is refused with a sentence."""

from __future__ import annotations

import io
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.test import Client, override_settings
from PIL import Image

from intake.attachments import cleaning, scanner
from intake.attachments.models import Attachment
from intake.models import Draft
from tests.intake.attachments.files import (
    HTML,
    SVG,
    add,
    archive,
    bomb,
    file,
    hidden_script,
    launch,
    located_photo,
    pdf,
    picture,
    script,
)


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


# ---- the virus scanner ----------------------------------------------------------------------------------------------


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
