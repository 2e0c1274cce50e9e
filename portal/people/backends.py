"""Who is logged in, with the roles they hold today in the same query: every staff page asks for both."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet

from portal.people.models import StaffRole, User
from portal.people.prepared import Prepared


@Prepared
def _who(pk: int) -> QuerySet[User]:
    held = StaffRole.objects.current().filter(user=OuterRef("pk")).order_by().values("role")
    return User.objects.annotate(held_roles=ArraySubquery(held)).filter(pk=pk)


class Backend(AuthenticationBackend):
    """allauth's log-in by mail, and one query for each request instead of two."""

    def get_user(self, user_id: Any) -> User | None:
        user: Any = next(iter(_who(pk=user_id)), None)
        if user is None or not self.user_can_authenticate(user):
            return None
        user.roles = sorted(set(user.held_roles))
        return user
