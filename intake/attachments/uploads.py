"""Stops an upload that is too large while it arrives, so that it fills neither memory nor disk.

Set in FILE_UPLOAD_HANDLERS before Django's own, because the body is read before a view is known: the check of the
form's token needs it.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest

FIELDS = 6 * 1024 * 1024  # what the answers of a page may need beside its files


class TooLarge(UploadedFile):
    """Stands where a file would be that was let go while it arrived."""


class LimitedUpload(FileUploadHandler):
    """Lets go of a file from the byte on that is one too many; the page's other answers still arrive.

    A request that says it is larger than all the files one may add is not read at all beyond its first fields.
    """

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self.most = settings.ATTACHMENT_MOST_MB * 1024 * 1024
        self.whole = 0
        self.too_large = False

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, str],
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        self.whole = content_length

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.too_large = False
        if self.whole > self.most * settings.ATTACHMENT_MOST_FILES + FIELDS:
            self._tell("large")
            raise StopUpload(connection_reset=True)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        self.too_large = self.too_large or start + len(raw_data) > self.most
        return None if self.too_large else raw_data

    def file_complete(self, file_size: int) -> UploadedFile | None:
        return TooLarge(name=self.file_name, size=file_size) if self.too_large else None

    def upload_interrupted(self) -> None:
        self._tell("cut")

    def _tell(self, code: str) -> None:
        if self.request is not None:
            self.request.META["porter.upload"] = code


def stopped(request: HttpRequest) -> str:
    """Why the upload of this request was stopped: "large", "cut", or "" when everything arrived."""
    _body = request.FILES  # reading it is what finds out
    return str(request.META.get("porter.upload", ""))
