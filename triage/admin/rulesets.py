"""Versions of the rules: drafting, proving, comparing, replaying, publishing and going back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _

from audit.admin import ReadOnlyAdmin
from portal.people.policies import Refused
from portal.people.requests import Request
from triage import actions, comparing, engine, explain, notices, proving, publishing
from triage.models import Promise, Proof, Replay, Rule, Ruleset

COMPARE_SECONDS = 6.0


@admin.register(Ruleset)
class RulesetAdmin(ReadOnlyAdmin):
    """Versions of the rules. A draft copies another version, is edited rule by rule, and is then published."""

    list_display = ["number", "status", "note", "published_at", "published_by"]
    list_filter = ["status"]
    change_form_template = "triage/admin/ruleset.html"

    def get_urls(self) -> list[Any]:
        views: dict[str, Callable[..., HttpResponse]] = {
            "draft": self.draft,
            "publish": self.publish,
            "discard": self.discard,
            "prove": self.prove,
            "compare": self.compare,
            "rollback": self.roll_back,
            "replay": self.replay,
        }
        own = [
            path(f"<int:pk>/{name}/", self._guarded(view), name=f"triage_ruleset_{name}")
            for name, view in views.items()
        ]
        example = self._guarded(self.example)
        own.append(
            path("<int:pk>/example/<int:proof>/<str:kind>/<int:n>/", example, name="triage_ruleset_example")
        )
        return own + super().get_urls()

    def _guarded(self, view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        """Whoever may see rulesets may look; to write they need the right to change them."""

        def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
            allowed = _may_write(request) if request.method == "POST" else self.has_view_permission(request)
            if not allowed:
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return self.admin_site.admin_view(guarded)

    def change_view(self, request: Request, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        ruleset = Ruleset.objects.filter(pk=object_id).first()
        if ruleset is not None:
            context: dict[str, Any] = {"may_write": _may_write(request), "stages": _stages(ruleset)}
            context["promises"] = _promises(ruleset)
            context["approvals"] = ruleset.approvals.select_related("by")
            if ruleset.status == Ruleset.Status.DRAFT:
                context["report"] = publishing.report(ruleset)
            elif ruleset.status == Ruleset.Status.PUBLISHED:
                context["told"] = [
                    *notices.unreadable(),
                    *publishing.warnings(ruleset),
                    *proving.problems(ruleset),
                ]
            kwargs["extra_context"] = context
        response = super().change_view(request, object_id, *args, **kwargs)
        if ruleset is not None and "report" in context and context["report"].pending:
            response["Refresh"] = "3"
        return response

    def changelist_view(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        for sentence in notices.unreadable():
            self.message_user(request, sentence, messages.ERROR)
        return super().changelist_view(request, *args, **kwargs)

    # ---- pages

    def publish(self, request: Request, pk: int) -> HttpResponse:
        ruleset = get_object_or_404(Ruleset, pk=pk)
        if request.method == "POST":
            return self._do(
                request,
                ruleset,
                lambda: actions.publish(
                    ruleset=ruleset, by=request.user, reason=request.POST.get("reason", "")
                ),
                _("Published: it decides from now on."),
            )
        report = publishing.report(ruleset)
        if ruleset.status == Ruleset.Status.DRAFT and report.proof is None:
            actions.ask_for_proof(ruleset, again=True)
        published = Ruleset.objects.published().first()
        return self._page(
            request,
            "publish",
            _("Publish"),
            ruleset=ruleset,
            report=report,
            changes=comparing.changes(published, ruleset),
            replay=ruleset.replays.filter(rules_digest=proving.rules_digest(ruleset)).first(),
        )

    def example(self, request: Request, pk: int, proof: int, kind: str, n: int) -> HttpResponse:
        """The trace of one example of a proof, under the rules as they are now."""
        ruleset = get_object_or_404(Ruleset, pk=pk)
        row = get_object_or_404(Proof, pk=proof, ruleset=ruleset)
        listed = [proving.Finding.from_json(one) for one in row.report.get(kind, [])]
        finding = listed[n] if n < len(listed) else None
        if finding is None or finding.example is None:
            return redirect("admin:triage_ruleset_change", pk)
        try:
            told = explain.under(ruleset, finding.example)
        except engine.RulesetError:
            return redirect("admin:triage_ruleset_change", pk)
        return self._page(
            request,
            "example",
            _("An example"),
            ruleset=ruleset,
            finding=finding,
            facts=explain.facts(finding.example),
            told=told,
        )

    def compare(self, request: Request, pk: int) -> HttpResponse:
        """This version beside the published one: field by field, and what it changes, proven."""
        ruleset = get_object_or_404(Ruleset, pk=pk)
        published = Ruleset.objects.published().first()
        exact: list[str] = []
        if published is not None and published != ruleset:
            exact = proving.difference(published, ruleset, seconds=COMPARE_SECONDS)
        return self._page(
            request,
            "compare",
            _("Compare with the published version"),
            ruleset=ruleset,
            published=published,
            changes=comparing.changes(published, ruleset),
            exact=exact,
        )

    # ---- what is done

    def draft(self, request: Request, pk: int) -> HttpResponse:
        """A new draft from this version: from the published one to go on, from an earlier one to go back."""
        source = get_object_or_404(Ruleset, pk=pk)
        return self._do(
            request,
            source,
            lambda: actions.start_draft(by=request.user, source=source),
            _("The draft is ready. Edit its rules, then publish it."),
        )

    def discard(self, request: Request, pk: int) -> HttpResponse:
        ruleset = get_object_or_404(Ruleset, pk=pk)
        return self._do(
            request,
            ruleset,
            lambda: actions.discard_draft(ruleset=ruleset, by=request.user),
            _("The draft is gone; nothing else changed."),
        )

    def prove(self, request: Request, pk: int) -> HttpResponse:
        ruleset = get_object_or_404(Ruleset, pk=pk)

        def ask() -> Ruleset:
            actions.ask_for_proof(ruleset, again=True)
            return ruleset

        return self._do(
            request, ruleset, ask, _("The proofs are being worked out. Load this page again in a moment.")
        )

    def roll_back(self, request: Request, pk: int) -> HttpResponse:
        ruleset = get_object_or_404(Ruleset, pk=pk)
        return self._do(
            request,
            ruleset,
            lambda: actions.roll_back(to=ruleset, by=request.user, reason=request.POST.get("reason", "")),
            _("Published again under a new number: it decides from now on."),
        )

    def replay(self, request: Request, pk: int) -> HttpResponse:
        ruleset = get_object_or_404(Ruleset, pk=pk)
        days = request.POST.get("days", "")
        started: list[Replay] = []

        def start() -> Ruleset:
            number = int(days) if days.isdecimal() and len(days) < 6 else 0
            started.append(actions.start_replay(ruleset=ruleset, days=number, by=request.user))
            return ruleset

        response = self._do(request, ruleset, start, _("The replay is running."))
        return redirect("admin:triage_replay_change", started[0].pk) if started else response

    def _page(self, request: Request, name: str, title: Any, **context: Any) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, **context}
        return TemplateResponse(
            request, f"triage/admin/{name}.html", context | {"may_write": _may_write(request)}
        )

    def _do(
        self, request: Request, ruleset: Ruleset, act: Callable[[], Ruleset | None], done: Any
    ) -> HttpResponse:
        if request.method != "POST":
            return redirect("admin:triage_ruleset_change", ruleset.pk)
        try:
            result = act()
        except Refused as refused:
            self.message_user(request, str(refused), messages.ERROR)
            return redirect("admin:triage_ruleset_change", ruleset.pk)
        self.message_user(request, done, messages.SUCCESS)
        return (
            redirect("admin:triage_ruleset_change", result.pk)
            if result
            else redirect("admin:triage_ruleset_changelist")
        )


def _may_write(request: Request) -> bool:
    return request.user.has_perm("triage.change_ruleset")


def _stages(ruleset: Ruleset) -> list[tuple[Any, list[dict[str, Any]]]]:
    """The rules stage by stage, in plain words."""
    rows = list(ruleset.rules.all())
    return [
        (
            stage.label,
            [
                {
                    "rule": row,
                    "when": explain.condition(row.when),
                    "then": explain.outcome(row.as_data()["then"]),
                }
                for row in rows
                if row.stage == stage
            ],
        )
        for stage in Rule.Stage
    ]


def _promises(ruleset: Ruleset) -> list[dict[str, Any]]:
    rows = [*Promise.objects.filter(built_in=True), *ruleset.promises.all()]
    return [
        {"promise": row, "whenever": explain.condition(row.whenever), "never": explain.condition(row.never)}
        for row in rows
    ]
