"""What a browser has on its screen of a list, signed, so that a poll can be answered without looking anybody up.

A poll that finds nothing new is by far the commonest request of a working day. It brings back what the page gave it:
which list, which rows at which version, for whom and in which session. One indexed query then says whether the rows
are the same, and also whether the session and the account still are alive; the answer has no word in it. Anything
else goes the ordinary way, with log-in, scope and audit event.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core import signing
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from portal.people import prepared
from queues.lists.choices import Choices
from queues.lists.reading import MARK, PAGE, Asked, Mark, statement

SALT = "queues.lists.seen"
HEADER = "X-Seen"

# Beside the rows, the door: without a living session of an active account there are no queues, and so no rows.
DOOR = f"""
    EXISTS (
        SELECT 1 FROM {Session._meta.db_table} s WHERE s.session_key = %(session)s AND s.expire_date > %(clock)s
    ) AND EXISTS (SELECT 1 FROM people_user u WHERE u.id = %(user)s AND u.is_active)
"""  # noqa: S608 - put together from constants; every value is a parameter


def seal(request: HttpRequest, asked: Asked, rows: list[Mark]) -> str:
    """What the page shows, for the browser to bring back. Keys and numbers only, bound to this session."""
    told = vars(asked) | {"choices": asked.choices.chosen(), "door": _door(request.session.session_key)}
    return signing.dumps([told, rows], salt=SALT, compress=True)


def read(request: HttpRequest) -> tuple[Asked, list[Mark]] | None:
    """What the browser brings back; None when it isn't ours, isn't this session's, or is older than a session."""
    try:
        told, rows = signing.loads(
            request.headers.get(HEADER, ""), salt=SALT, max_age=settings.SESSION_COOKIE_AGE
        )
        door = told.pop("door")
        asked = Asked(**told | {"choices": Choices.read(told["choices"])})
    except (signing.BadSignature, ValueError, TypeError, KeyError):
        return None
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    return (asked, rows) if key and constant_time_compare(door, _door(key)) else None


def unchanged(request: HttpRequest) -> bool:
    """Whether the rows on this browser's screen are those that it would get now. One query."""
    brought = read(request)
    if brought is None:
        return False
    asked, before = brought
    return before == _marks_behind_the_door(asked, request.COOKIES[settings.SESSION_COOKIE_NAME])


def _marks_behind_the_door(asked: Asked, session: str) -> list[Any]:
    sql, values = statement(asked, MARK, "", door=f" AND {DOOR}")
    # A session ends by the real clock, whatever time a demo tells.
    found = prepared.rows(sql, values | {"session": session, "clock": timezone.now()})
    return [list(row) for row in found[:PAGE]]


def _door(session_key: str | None) -> str:
    return salted_hmac(SALT, session_key or "").hexdigest()[:24]
