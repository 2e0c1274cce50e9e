"""The Django admin, behind the same log-in as every other page."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib.admin import AdminSite
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse


class PorterAdminSite(AdminSite):
    site_header = "Porter"
    site_title = "Porter"
    index_title = "Administration"

    @login_not_required
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        # Django's own form asks for a password only: it would be a way around the second factor and the
        # attempt limits.
        page: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return page
