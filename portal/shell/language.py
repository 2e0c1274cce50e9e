"""Which language a page speaks: the one that somebody logged in has chosen, else what their browser asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from portal.people import actions
from portal.people.models import LANGUAGES, User


class OwnLanguage:
    """Behind Django's LocaleMiddleware, which goes by the cookie and the browser. Who is logged in has said more."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated:
            speak(request, request.user)
        return self.get_response(request)


def speak(request: HttpRequest, user: User) -> None:
    """From here on this request is answered in the user's language."""
    translation.activate(user.language)
    request.LANGUAGE_CODE = translation.get_language() or user.language


@receiver(user_logged_in)
def greet(sender: Any, request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    """What is said at the log-in itself is read on the first page behind it."""
    if request is not None:
        speak(request, user)


@login_not_required
@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """The switch at the foot of a page. It is kept for who is logged in, and in this browser for the log-in page."""
    language = request.POST.get("language", "")
    if language not in dict(LANGUAGES):
        raise Http404
    if request.user.is_authenticated:
        actions.choose_language(user=request.user, language=language, by=request.user)
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = "/"
    response = redirect(back)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        path=settings.LANGUAGE_COOKIE_PATH,
        domain=settings.LANGUAGE_COOKIE_DOMAIN,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite=settings.LANGUAGE_COOKIE_SAMESITE,  # type: ignore[arg-type]
    )
    return response
