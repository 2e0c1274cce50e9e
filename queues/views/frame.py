"""What every staff page has: the door, and the frame with the person's queues."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

from django.http import Http404, HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from django.utils.translation import get_language

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


def written(piece: str, language: str | None, **told: Any) -> str:
    """A compiled piece as HTML, kept for as long as all that it is told stays the same.

    A list is asked for again with every action and by everybody who works the queue, and hardly any row of it has
    changed since: writing fifty took longer than all else of the page. `language` is the one that is spoken.
    """
    return _written(piece, language, tuple(told.items()))


@lru_cache(maxsize=5_000)
def _written(piece: str, _language: str | None, told: tuple[tuple[str, Any], ...]) -> str:
    return mark_safe(render_to_string(piece, dict(told), using="compiled"))  # noqa: S308 - it escaped them


def bench(
    request: Request,
    here: tuple[str, int] = ("", 0),
    *,
    counted: Counts | None = None,
    swapped: bool = False,
) -> dict[str, Any]:
    """What the frame of every staff page shows: the person's queues and how much waits in each. One query. `swapped`,
    htmx puts the panel of queues in the place of the one that is there."""
    if counted is None:
        counted = counts(request.user, here=here[1] if here[0] == "queue" else 0)
    roles = request.user.roles
    told = {
        "counts": counted,
        "here": here,
        "leads": Role.LEAD in roles,
        "approves": Role.LEAD in roles or Role.PHYSICIAN in roles,
    }
    return told | {
        "queues_panel": written("queues/queues.html", get_language(), swapped=swapped, **told),
        "page_at": f"{now().timestamp():.6f}",
        "notices": notices.told(),
        "works": counted.works,
    }
