"""What somebody had typed when their log-in or their page ran out: kept in the session until they are back.

Only posts from our own pages are kept. They are shown again, never carried out: the person looks and presses the
button once more.
"""

from __future__ import annotations

import time
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, QueryDict

KEY = "kept-post"
SECONDS = 60 * 60
MOST = 300_000  # characters; a page's answers are far below


def from_our_page(request: HttpRequest) -> bool:
    """Whether the browser says that one of our own pages sent this."""
    origin = request.headers.get("Origin") or request.headers.get("Referer", "")
    return urlsplit(origin).netloc == request.get_host()


def keep(request: HttpRequest) -> bool:
    """Keep this post for later; False where it is not ours to keep."""
    if request.method != "POST" or not from_our_page(request):
        return False
    data = request.POST.copy()
    data.pop("csrfmiddlewaretoken", None)
    encoded = data.urlencode()
    if not encoded or len(encoded) > MOST:
        return False
    request.session[KEY] = {"path": request.path, "data": encoded, "at": int(time.time())}
    return True


def put(request: HttpRequest, path: str, data: dict[str, str]) -> None:
    """Keep words of our own choosing for a page: what somebody took back, or a template to go on with."""
    request.session[KEY] = {"path": path, "data": urlencode(data), "at": int(time.time())}


def take(request: HttpRequest, *paths: str) -> QueryDict | None:
    """The kept post for this page (or one of `paths`), once; None where there is none or it is too old."""
    kept = request.session.get(KEY)
    if not kept or kept["path"] not in (request.path, *paths):
        return None
    del request.session[KEY]
    if time.time() - kept["at"] > SECONDS:
        return None
    return QueryDict(kept["data"])
