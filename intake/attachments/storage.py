"""Where the bytes are. In the database, so that one backup holds everything; the two functions are all that another
place, such as S3, would have to offer (`attachment.stored_in` says which place has them)."""

from __future__ import annotations

from typing import Protocol

from intake.attachments.cleaning import Clean
from intake.attachments.models import Attachment, AttachmentContent

DATABASE = "database"


class Storage(Protocol):
    """Keeps bytes by the attachment's id. `keep` and `drop` are called inside the transaction of the row."""

    def keep(self, attachment: Attachment, file: Clean) -> None: ...
    def read(self, attachment: Attachment, *, small: bool) -> bytes: ...
    def drop(self, attachments: list[Attachment]) -> None: ...


class DatabaseStorage:
    """Bytes in a table of their own, which no list of attachments ever reads."""

    def keep(self, attachment: Attachment, file: Clean) -> None:
        AttachmentContent.objects.create(attachment=attachment, data=file.data, small=file.small)

    def read(self, attachment: Attachment, *, small: bool) -> bytes:
        column = "small" if small else "data"
        return bytes(AttachmentContent.objects.values_list(column, flat=True).get(attachment=attachment))

    def drop(self, attachments: list[Attachment]) -> None:
        AttachmentContent.objects.filter(attachment__in=attachments).delete()


STORAGES: dict[str, Storage] = {DATABASE: DatabaseStorage()}


def storage(attachment: Attachment) -> Storage:
    return STORAGES[attachment.stored_in]
