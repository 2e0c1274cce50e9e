"""The rules in the Django admin: versions with what is proven of them, their rules and promises, replays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _

from audit.admin import AuditedAdmin, ReadOnlyAdmin
from portal.people.policies import Refused
from portal.people.requests import Request
from triage import actions, builder, comparing, engine, explain, policies, proving, publishing
from triage import catalogue as catalogues
from triage.fields import CATEGORY, Choice, Field
from triage.models import Approval, Promise, Proof, Replay, Rule, Ruleset
from triage.promises import read_promises

COMPARE_SECONDS = 6.0


class Versioned(forms.ModelForm):
    """A row of a draft whose form remembers which version of it was looked at."""

    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["seen"] = self.instance.version

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        seen = data.pop("seen", None)
        stored = type(self.instance)._default_manager.filter(pk=self.instance.pk).first()
        if stored is not None:
            try:
                policies.check_seen(stored, seen)
            except Refused as refused:
                raise ValidationError(str(refused)) from refused
        if not self.errors:
            self.check_content({name: value for name, value in data.items() if name in self.base_fields})
        return data

    def check_content(self, data: dict[str, Any]) -> None:
        """Raises ValidationError for what the engine can't read."""


def _explained(error: engine.RulesetError) -> ValidationError:
    return ValidationError([f"{problem.field}: {problem.sentence}" for problem in error.problems])


class RuleForm(Versioned):
    """A rule as the admin types it; what the engine can't read is refused here, with the place in the condition."""

    class Meta:
        model = Rule
        fields = [
            "ruleset",
            "stage",
            "position",
            "name",
            "when",
            "queue",
            "urgency",
            "category",
            "respond_within",
            "tags",
            "advice",
            "protocol",
            "ask_back",
            "note",
        ]
        widgets = {"when": forms.Textarea(attrs={"rows": 8, "cols": 80, "spellcheck": "false"})}

    def check_content(self, data: dict[str, Any]) -> None:
        rule = Rule(**data)
        try:
            actions.compile_rows(rule.ruleset, [rule])
        except engine.RulesetError as error:
            raise _explained(error) from error


class PromiseForm(Versioned):
    class Meta:
        model = Promise
        fields = ["ruleset", "name", "whenever", "never", "note"]
        widgets = dict.fromkeys(
            ["whenever", "never"], forms.Textarea(attrs={"rows": 4, "cols": 80, "spellcheck": "false"})
        )

    def check_content(self, data: dict[str, Any]) -> None:
        if data.get("ruleset") is None:
            raise ValidationError(_("A promise belongs to a draft."))
        try:
            read_promises([Promise(**data).as_data()])
        except engine.RulesetError as error:
            raise _explained(error) from error


class Shown(admin.TabularInline):
    """Rows to be looked at below a ruleset."""

    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: Request, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: Request, obj: Any = None) -> bool:
        return False


class RuleInline(Shown):
    model = Rule
    fields = ["stage", "position", "name", "queue", "urgency"]


class PromiseInline(Shown):
    model = Promise
    fields = ["name", "note"]


class ApprovalInline(Shown):
    model = Approval
    fields = ["by", "at", "note"]
    show_change_link = False


@admin.register(Ruleset)
class RulesetAdmin(ReadOnlyAdmin):
    """Versions of the rules. A draft copies another version, is edited rule by rule, and is then published."""

    list_display = ["number", "status", "note", "published_at", "published_by"]
    list_filter = ["status"]
    inlines = [RuleInline, PromiseInline, ApprovalInline]
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
            context: dict[str, Any] = {"may_write": _may_write(request)}
            if ruleset.status == Ruleset.Status.DRAFT:
                context["report"] = publishing.report(ruleset)
            kwargs["extra_context"] = context
        return super().change_view(request, object_id, *args, **kwargs)

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
        return self._page(request, "publish", _("Publish"), ruleset=ruleset, report=report)

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


class DraftRowAdmin(AuditedAdmin):
    """Rows of the draft can be edited; those of other versions are shown as they were."""

    list_select_related = ["ruleset"]

    def get_changeform_initial_data(self, request: Request) -> dict[str, Any]:
        draft = Ruleset.objects.filter(status=Ruleset.Status.DRAFT).first()
        return {"ruleset": draft.pk if draft else None}

    def formfield_for_foreignkey(self, db_field: Any, request: Request, **kwargs: Any) -> Any:
        if db_field.name == "ruleset":
            kwargs["queryset"] = Ruleset.objects.filter(status=Ruleset.Status.DRAFT)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_change_permission(self, request: Request, obj: Any = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or _in_draft(obj))

    def has_delete_permission(self, request: Request, obj: Any = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and obj is not None and _in_draft(obj)

    def add_view(self, request: Request, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not Ruleset.objects.filter(status=Ruleset.Status.DRAFT).exists():
            self.message_user(request, _("Start a draft first: only drafts can be edited."), messages.WARNING)
            return redirect("admin:triage_ruleset_changelist")
        return super().add_view(request, form_url, extra_context)

    def changeform_view(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except Refused as refused:  # published, or changed by somebody, since the form was checked
            self.message_user(request, str(refused), messages.ERROR)
            return redirect(request.get_full_path())


def _in_draft(row: Any) -> bool:
    return row.ruleset is not None and row.ruleset.status == Ruleset.Status.DRAFT


@admin.register(Rule)
class RuleAdmin(DraftRowAdmin):
    form = RuleForm
    list_display = ["name", "ruleset", "stage", "position", "queue", "urgency"]
    list_filter = ["ruleset", "stage"]
    search_fields = ["name", "note"]
    change_form_template = "triage/admin/rule.html"

    def get_urls(self) -> list[Any]:
        build = self.admin_site.admin_view(self.build)
        return [path("<int:pk>/build/", build, name="triage_rule_build"), *super().get_urls()]

    def save_model(self, request: Request, obj: Any, form: Any, change: bool) -> None:
        actions.save_rule(obj, by=request.user, seen=_seen(form.data.get("seen")))

    def delete_model(self, request: Request, obj: Any) -> None:
        actions.remove_rule(obj, by=request.user)

    def build(self, request: Request, pk: int) -> HttpResponse:
        """The rule's condition as rows, for those who don't write JSON."""
        rule = get_object_or_404(Rule.objects.select_related("ruleset"), pk=pk)
        if not self.has_change_permission(request, rule):
            raise PermissionDenied
        fields = _fields(rule)
        rows, problem, seen = builder.rows_of(rule.when, fields), "", rule.version
        if request.method == "POST":
            rows = builder.read(request.POST, fields)
            seen = _seen(request.POST.get("seen")) or 0
            if "save" in request.POST:
                problem = self._save_rows(request, rule, rows, seen)
                if not problem:
                    self.message_user(request, _("The condition is stored."), messages.SUCCESS)
                    return redirect("admin:triage_rule_change", rule.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Build the condition"),
            "opts": self.opts,
            "rule": rule,
            "rows": rows,
            "seen": seen,
            "problem": problem,
            "fields": builder.field_groups(fields),
            "now": explain.condition(rule.when),
        }
        return TemplateResponse(request, "triage/admin/build.html", context)

    def _save_rows(self, request: Request, rule: Rule, rows: builder.Rows, seen: int) -> str:
        """Why the rows can't be stored; empty when they are."""
        rule.when = rows.to_json()
        try:
            actions.compile_rows(rule.ruleset, [rule], catalogues.catalogue())
            actions.save_rule(rule, by=request.user, seen=seen)
        except engine.RulesetError as error:
            return " ".join(f"{problem.field}: {problem.sentence}" for problem in error.problems)
        except ValidationError as error:
            return " ".join(error.messages)
        except Refused as refused:
            return str(refused)
        return ""


def _fields(rule: Rule) -> dict[str, Field]:
    """What this rule can test: the catalogue, and the category where it is known."""
    found = dict(catalogues.catalogue())
    if rule.stage in (Rule.Stage.ASSIGNMENT, Rule.Stage.PRIORITY):
        set_ones = rule.ruleset.rules.exclude(category="").values_list("category", flat=True)
        codes = tuple(Choice(code) for code in sorted(set(set_ones)))
        found[CATEGORY] = Field(CATEGORY, "category", "choice", codes)
    return found


def _seen(told: Any) -> int | None:
    return int(told) if str(told or "").isdecimal() else None


@admin.register(Promise)
class PromiseAdmin(DraftRowAdmin):
    """What must never happen. Built-in ones hold for every ruleset and are only shown."""

    form = PromiseForm
    list_display = ["name", "ruleset", "built_in"]
    list_filter = ["ruleset", "built_in"]

    def save_model(self, request: Request, obj: Any, form: Any, change: bool) -> None:
        actions.save_promise(obj, by=request.user, seen=_seen(form.data.get("seen")))

    def delete_model(self, request: Request, obj: Any) -> None:
        actions.remove_promise(obj, by=request.user)


@admin.register(Proof)
class ProofAdmin(ReadOnlyAdmin):
    list_display = ["ruleset", "state", "seconds", "started_at"]
    exclude = ["report"]


@admin.register(Replay)
class ReplayAdmin(ReadOnlyAdmin):
    """What a draft would have decided about the past days. The page loads itself again until it is done."""

    list_display = ["ruleset", "state", "done", "total", "seconds", "started_at"]
    fields = ["ruleset", "since", "until", "state", "done", "total", "seconds", "error", "by"]
    change_form_template = "triage/admin/replay.html"

    def change_view(self, request: Request, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        row = Replay.objects.filter(pk=object_id).first()
        # Decisions are about patients: only clinicians may open them.
        kwargs["extra_context"] = {"replay": row, "may_open": request.user.is_clinical}
        response = super().change_view(request, object_id, *args, **kwargs)
        if row is not None and row.state == Replay.State.RUNNING:
            response["Refresh"] = "3"
        return response
