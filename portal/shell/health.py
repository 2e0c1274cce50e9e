"""Two answers for whoever watches the process. Neither holds data, and neither needs a log-in."""

import logging

from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from triage.notices import unreadable

logger = logging.getLogger(__name__)


@login_not_required
@never_cache
@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    """The process answers. It says nothing of the database: restarting the process wouldn't help that."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """The database answers too, so requests may be sent here."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        logger.error("Not ready: the database doesn't answer (%s)", type(error).__name__)
        return HttpResponse("the database doesn't answer\n", status=503, content_type="text/plain")
    # Requests are still served, so this is no failure; but who watches the process must read it.
    said = "rules: the published version can't be read; an earlier version decides\n" if unreadable() else ""
    return HttpResponse("ok\n" + said, content_type="text/plain")


@login_not_required
@require_safe
def icon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for this address by themselves, on pages that are not ours to edit."""
    return redirect(static("porter/mark.svg"), permanent=True)
