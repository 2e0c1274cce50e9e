from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _

from audit.admin import AuditedAdmin, ReadOnlyAdmin
from portal.people.policies import Refused
from portal.people.requests import Request
from triage import actions, engine
from triage.models import Rule, Ruleset


class RuleForm(forms.ModelForm):
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
            "note",
        ]
        widgets = {"when": forms.Textarea(attrs={"rows": 8, "cols": 80, "spellcheck": "false"})}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors:
            rule = Rule(**data)
            try:
                actions.compile_rows(rule.ruleset, [rule])
            except engine.RulesetError as error:
                raise ValidationError(
                    [f"{problem.field}: {problem.sentence}" for problem in error.problems]
                ) from error
        return data


class RuleInline(admin.TabularInline):
    model = Rule
    fields = ["stage", "position", "name", "queue", "urgency"]
    readonly_fields = ["stage", "position", "name", "queue", "urgency"]
    show_change_link = True
    extra = 0
    can_delete = False

    def has_add_permission(self, request: Request, obj: Any = None) -> bool:
        return False


@admin.register(Ruleset)
class RulesetAdmin(ReadOnlyAdmin):
    """Versions of the rules. A draft copies another version, is edited rule by rule, and is then published."""

    list_display = ["number", "status", "note", "published_at", "published_by"]
    list_filter = ["status"]
    inlines = [RuleInline]
    change_form_template = "triage/admin/ruleset.html"

    def get_urls(self) -> list[Any]:
        own = [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"triage_ruleset_{name}")
            for name, view in (("draft", self.draft), ("publish", self.publish), ("discard", self.discard))
        ]
        return own + super().get_urls()

    def change_view(self, request: Request, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        ruleset = Ruleset.objects.filter(pk=object_id).first()
        if ruleset and ruleset.status == Ruleset.Status.DRAFT:
            kwargs["extra_context"] = {"problems": actions.problems(ruleset)}
        return super().change_view(request, object_id, *args, **kwargs)

    def draft(self, request: Request, pk: int) -> HttpResponse:
        """A new draft from this version: from the published one to go on, from an earlier one to go back."""
        source = get_object_or_404(Ruleset, pk=pk)
        return self._do(
            request,
            source,
            lambda: actions.start_draft(by=request.user, source=source),
            _("The draft is ready. Edit its rules, then publish it."),
        )

    def publish(self, request: Request, pk: int) -> HttpResponse:
        ruleset = get_object_or_404(Ruleset, pk=pk)
        if request.method != "POST":
            context = {**self.admin_site.each_context(request), "title": _("Publish"), "ruleset": ruleset}
            context["problems"] = actions.problems(ruleset)
            return TemplateResponse(request, "triage/admin/publish.html", context)
        return self._do(
            request,
            ruleset,
            lambda: actions.publish(
                ruleset=ruleset,
                by=request.user,
                reason=request.POST.get("reason", ""),
            ),
            _("Published: it decides from now on."),
        )

    def discard(self, request: Request, pk: int) -> HttpResponse:
        ruleset = get_object_or_404(Ruleset, pk=pk)
        return self._do(
            request,
            ruleset,
            lambda: actions.discard_draft(ruleset=ruleset, by=request.user),
            _("The draft is gone; nothing else changed."),
        )

    def _do(
        self, request: Request, ruleset: Ruleset, act: Callable[[], Ruleset | None], done: Any
    ) -> HttpResponse:
        if request.method != "POST" or not self.admin_site.has_permission(request):
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


@admin.register(Rule)
class RuleAdmin(AuditedAdmin):
    """Rules of the draft can be edited; those of other versions are shown as they were."""

    form = RuleForm
    list_display = ["name", "ruleset", "stage", "position", "queue", "urgency"]
    list_filter = ["ruleset", "stage"]
    search_fields = ["name", "note"]
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
        return allowed and (obj is None or obj.ruleset.status == Ruleset.Status.DRAFT)

    def has_delete_permission(self, request: Request, obj: Any = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and obj is not None and obj.ruleset.status == Ruleset.Status.DRAFT

    def save_model(self, request: Request, obj: Any, form: Any, change: bool) -> None:
        actions.save_rule(obj, by=request.user)

    def delete_model(self, request: Request, obj: Any) -> None:
        actions.remove_rule(obj, by=request.user)

    def add_view(self, request: Request, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not Ruleset.objects.filter(status=Ruleset.Status.DRAFT).exists():
            self.message_user(request, _("Start a draft first: only drafts can be edited."), messages.WARNING)
            return redirect("admin:triage_ruleset_changelist")
        return super().add_view(request, form_url, extra_context)
