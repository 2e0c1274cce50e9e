"""Who is logged in, with the roles they hold today in the same query: every staff page asks for both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet

from portal.people.models import StaffRole, User
from portal.people.prepared import Prepared

_just_read: ContextVar[User | None] = ContextVar("porter_user_just_read", default=None)


@contextmanager
def just_read(user: User | None) -> Iterator[None]:
    """Whoever asks for this user inside of this needs not read them again. They come with their roles."""
    token = _just_read.set(user)
    try:
        yield
    finally:
        _just_read.reset(token)


def with_roles(users: QuerySet[User]) -> QuerySet[User]:
    """Users with the roles that they hold today, as `Backend` wants them."""
    held = StaffRole.objects.current().filter(user=OuterRef("pk")).order_by().values("role")
    return users.annotate(held_roles=ArraySubquery(held))


@Prepared
def _who(pk: int) -> QuerySet[User]:
    return with_roles(User.objects.filter(pk=pk))


class Backend(AuthenticationBackend):
    """allauth's log-in by mail, and one query for each request instead of two."""

    def get_user(self, user_id: Any) -> User | None:
        user: Any = _just_read.get()
        if user is None or str(user.pk) != str(user_id):
            user = next(iter(_who(pk=user_id)), None)
        if user is None or not self.user_can_authenticate(user):
            return None
        user.roles = sorted(set(user.held_roles))
        return user
