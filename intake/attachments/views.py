"""Serves one file to those who may see it, in a way that no browser can take it for a page."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from audit.actions import record_read
from intake.attachments.models import Attachment
from intake.attachments.storage import storage
from portal.people.requests import Request


@require_GET
@transaction.atomic
def attachment(request: Request, pk: UUID, small: bool = False) -> HttpResponse:
    """The file, or the small picture of it. Who may not see it learns nothing, not even that it is there."""
    row = _attachment(request, pk)
    if small and not row.is_image:
        raise Http404
    record_read(
        "intake.attachment.read",
        by=request.user,
        patients=[row.patient_id],
        entity=row,
        detail={"small": small},
    )
    # From our own list, never from what was uploaded. The small picture is always a JPEG.
    content_type = Attachment.Type.JPEG if small else Attachment.Type(row.content_type)
    response = HttpResponse(storage(row).read(row, small=small), content_type=content_type.value)
    response["Content-Disposition"] = content_disposition_header(not row.is_image, row.name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, no-store"
    return response


def _attachment(request: Request, pk: UUID) -> Attachment:
    found = Attachment.objects.reachable_by(request.user).filter(pk=pk).first()
    if found is None and request.user.works_here:
        found = Attachment.objects.visible_to(request.user).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found
