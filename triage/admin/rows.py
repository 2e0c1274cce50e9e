"""The rules and promises of a draft, and the pages that edit them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _

from audit.admin import AuditedAdmin
from portal.people.policies import Refused
from portal.people.requests import Request
from triage import actions, builder, engine, explain
from triage import catalogue as catalogues
from triage.admin.forms import PromiseForm, RuleForm
from triage.fields import CATEGORY, Choice, Field
from triage.models import Promise, Rule, Ruleset


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
            "outcome": explain.outcome(rule.as_data()["then"]),
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
