"""The Django admin, behind the same log-in as every other page."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib.admin import AdminSite
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from portal.people.requests import Request
from triage import notices
from triage.models import Ruleset

OUR_ROOMS = ("audit", "portal", "queues", "triage", "intake")


class PorterAdminSite(AdminSite):
    site_header = "Porter"
    site_title = "Porter"
    index_title = "Administration"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Takes in only our own models. The libraries would add mail addresses of patients, log-in secrets, group
        memberships and background work to be edited by hand, past our actions and without an event."""
        models = [model_or_iterable] if isinstance(model_or_iterable, type) else list(model_or_iterable)
        ours = [model for model in models if model.__module__.partition(".")[0] in OUR_ROOMS]
        super().register(ours, admin_class, **options)

    def index(self, request: Any, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Beside the lists, what decides now: that is what admins come for."""
        beside = {"rules": _rules(request), "sees_audit": request.user.has_perm("audit.view_event")}
        return super().index(request, beside | (extra_context or {}))

    @login_not_required
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        # Django's own form asks for a password only: it would be a way around the second factor and the
        # attempt limits.
        page: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return page


def _rules(request: Request) -> dict[str, Any] | None:
    """The version that is published and the draft of the next one; nothing for who may not see them."""
    if not request.user.has_perm("triage.view_ruleset"):
        return None
    return {
        "published": Ruleset.objects.published().select_related("published_by").first(),
        "draft": Ruleset.objects.filter(status=Ruleset.Status.DRAFT).first(),
        "told": notices.unreadable(),
        "may_write": request.user.has_perm("triage.change_ruleset"),
    }
