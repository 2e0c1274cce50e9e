"""What every staff page has: the door, and the frame with the person's queues."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpResponse

from audit.now import now
from portal.people.requests import Request
from portal.people.roles import Role
from queues import notices
from queues.lists.counts import Counts, counts


def staff(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Pages of the workbench; to everybody else they don't exist."""

    @wraps(view)
    def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.works_here:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def bench(
    request: Request, here: tuple[str, int] = ("", 0), *, counted: Counts | None = None
) -> dict[str, Any]:
    """What the frame of every staff page shows: the person's queues and how much waits in each. One query."""
    if counted is None:
        counted = counts(request.user, here=here[1] if here[0] == "queue" else 0)
    roles = request.user.roles
    return {
        "counts": counted,
        "here": here,
        "page_at": f"{now().timestamp():.6f}",
        "notices": notices.told(),
        "works": counted.works,
        "leads": Role.LEAD in roles,
        "approves": Role.LEAD in roles or Role.PHYSICIAN in roles,
    }
