"""Sessions in the database, as Django keeps them, read in one statement with whoever is logged in: every request asks
for both."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware, get_user
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from portal.people.backends import just_read, with_roles
from portal.people.models import User
from portal.people.prepared import Prepared


@Prepared
def _session(key: str) -> QuerySet[Session]:
    return Session.objects.filter(pk=key)


@Prepared
def _with_session(key: str) -> QuerySet[User]:
    # allauth notes at each log-in whose session it is.
    session = Session.objects.filter(pk=OuterRef("usersession__session_key"))
    return with_roles(User.objects.filter(usersession__session_key=key)).annotate(
        session_data=Subquery(session.values("session_data")),
        expire_date=Subquery(session.values("expire_date")),
    )


class SessionStore(db.SessionStore):
    user: User | None = None  # who logged in with this session, as they were when it was read

    def _get_session_from_db(self) -> Any:
        key: Any = self.session_key
        user: Any = next(iter(_with_session(key=key)), None)
        if user is not None and user.session_data is not None:
            found: Any = Session(key, user.session_data, user.expire_date)
            self.user = user
        else:
            found = next(iter(_session(key=key)), None)
        # A session ends by the real clock, whatever time a demo tells.
        if found is not None and found.expire_date > timezone.now():
            return found
        self._session_key = None
        return None


class LoggedIn(AuthenticationMiddleware):
    """Django's own, which needs not ask for a user who came with the session."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: _user_of(request))  # type: ignore[assignment]


def _user_of(request: HttpRequest) -> Any:
    request.session.get("")  # reads it
    with just_read(getattr(request.session, "user", None)):
        return get_user(request)
