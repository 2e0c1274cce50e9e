"""Uploads that are too large, or never end."""

from __future__ import annotations

import io
from typing import Any

from django.test import Client, override_settings

from intake.attachments.models import Attachment
from intake.models import Draft
from tests.clinic import Clinic
from tests.intake.attachments.files import file, page_of


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
