"""What every staff page has: the door, and the frame with the person's queues."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils.translation import get_language

from audit.now import now
from portal.people.requests import Request
from portal.people.roles import Role
from queues import notices
from queues.lists.counts import Counts, counts
from queues.views.pieces import written


def staff(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Pages of the workbench; to everybody else they don't exist."""

    @wraps(view)
    def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.works_here:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def bench(
    request: Request,
    here: tuple[str, int] = ("", 0),
    *,
    counted: Counts | None = None,
    worked: int = 0,
    words: str = "",
    swapped: bool = False,
) -> dict[str, Any]:
    """What the frame of every staff page shows: the person's queues and how much waits in each. One query.

    `here` is the page; `worked` the queue that the next task is claimed from, where it is one; `words` are what
    is looked for. `swapped`, htmx puts the panel of queues in the place of the one that is there.
    """
    if counted is None:
        counted = counts(request.user, here=here[1] if here[0] == "queue" else 0)
    language, roles = get_language(), request.user.roles
    leads = Role.LEAD in roles
    panel = {
        "counts": counted,
        "here": here,
        "leads": leads,
        "approves": leads or Role.PHYSICIAN in roles,
        "swapped": swapped,
    }
    top = {"signature": request.user.signature, "takes_calls": here[0] == "callers", "worked": worked}
    token = get_token(request)  # asked for once: it is masked anew each time
    filled = {"csrf": token, "page_at": f"{now().timestamp():.6f}", "words": words}
    return {
        "queues_panel": written("queues/queues.html", language, panel),
        "top": written("queues/top.html", language, top, **filled),
        "csrf_token": token,
        "many": counted.many,
        "leads": leads,
        "words": words,
        "said": lambda: _said(request),
        "works": counted.works,
    }


def _said(request: Request) -> str:
    """What is told to the person beside the page itself: mostly nothing. Told once, so asked for when it is shown."""
    sentences = notices.told()
    if not sentences and not messages.get_messages(request):
        return ""
    return render_to_string("queues/_banners.html", {"notices": sentences}, request)
