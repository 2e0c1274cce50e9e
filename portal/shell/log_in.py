"""Log-in required everywhere, and nothing typed is lost when it, or the page, has run out."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from portal.people import kept


class LoginRequired(LoginRequiredMiddleware):
    """Django's own, with two courtesies: a fragment request is told, not sent a log-in page; a post is kept."""

    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Any
    ) -> HttpResponseBase:
        if request.headers.get("HX-Request"):
            return HttpResponse(status=401)
        if kept.keep(request):
            messages.info(request, _("You were logged out. Log in again: what you wrote is kept."))
        return super().handle_no_permission(request, view_func)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """A post without a valid token. From our own page it is an old one: show the page again with what was typed."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=403)
    if kept.keep(request):
        messages.warning(request, _("The page had run out. What you wrote is kept: look it over and go on."))
        return redirect(request.path)
    return render(request, "403_csrf.html", status=403)
