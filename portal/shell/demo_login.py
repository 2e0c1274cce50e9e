"""The demo's door: anybody at this computer may be anybody of the demo clinic, with one click and no password."""

from __future__ import annotations

from ipaddress import ip_address

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from audit.actions import Kind, record
from portal.people.models import User
from portal.shell.demo.logins import PASSWORD, logins
from portal.shell.models import DemoClinic

BACKEND = "portal.people.backends.Backend"
# What a proxy adds. With one in front, every client looks as if it sat at this computer.
FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_VIA")


def may_enter(request: HttpRequest) -> bool:
    """Whether the door is there for this client: in the demo's mode, and for somebody at this very computer."""
    if settings.MODE != "demo" or any(header in request.META for header in FORWARDED):
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def demo_login(request: HttpRequest) -> HttpResponse:
    """Everybody one can be; a click logs in. On any other Porter there is no such page."""
    marker = DemoClinic.objects.defer("unfinished").first() if may_enter(request) else None
    if marker is None:
        raise Http404
    everybody = logins(marker)
    if request.method == "POST":
        chosen = next((each for each in everybody if each.code == request.POST.get("as")), None)
        user = User.objects.filter(email=chosen.email, is_active=True).first() if chosen else None
        if user is None:
            raise Http404
        login(request, user, backend=BACKEND)
        record("shell.demo.enter", by=user, kind=Kind.EXECUTE, entity=user)
        return redirect("/")
    return render(
        request,
        "shell/demo_login.html",
        {
            "patients": [each for each in everybody if each.is_patient],
            "staff": [each for each in everybody if not each.is_patient],
            "password": PASSWORD,
        },
    )
