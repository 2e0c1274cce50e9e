from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from audit.admin import AuditedAdmin, ReadOnlyAdmin
from portal.people.policies import Refused
from triage import actions
from triage.models import Rule, Ruleset


class RuleForm(forms.ModelForm):
    """A rule as the admin types it; what the engine can't read is refused here, field by field."""

    class Meta:
        model = Rule
        fields = "__all__"
        widgets = {"when": forms.Textarea(attrs={"rows": 8, "cols": 80, "spellcheck": "false"})}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors:
            rule = Rule(**{name: value for name, value in data.items() if name != "id"})
            try:
                actions.compile_rows(rule.ruleset, [rule])
            except actions.engine.RulesetError as error:
                raise ValidationError([str(problem) for problem in error.problems]) from error
        return data


class RuleInline(admin.TabularInline):
    model = Rule
    fields = ["stage", "position", "name", "queue", "urgency"]
    readonly_fields = fields
    show_change_link = True
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Ruleset)
class RulesetAdmin(ReadOnlyAdmin):
    """Versions of the rules. A draft copies the published one, is edited rule by rule, and then published."""

    list_display = ["number", "status", "note", "published_at", "published_by"]
    list_filter = ["status"]
    inlines = [RuleInline]
    actions = ["start_draft", "publish", "discard_draft"]

    def get_actions(self, request: HttpRequest) -> Any:
        found = super().get_actions(request)
        found.pop("delete_selected", None)
        return found

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, extra_context)

    def _one(self, request: HttpRequest, queryset: QuerySet[Ruleset]) -> Ruleset:
        if len(queryset) != 1:
            raise Refused(_("Pick one ruleset."))
        return queryset[0]

    def _try(self, request: HttpRequest, done: str, act: Any) -> None:
        try:
            act()
        except Refused as refused:
            self.message_user(request, str(refused), messages.ERROR)
        else:
            self.message_user(request, done, messages.SUCCESS)

    @admin.action(description=_("Start a draft from this ruleset"))
    def start_draft(self, request: HttpRequest, queryset: QuerySet[Ruleset]) -> None:
        self._try(
            request,
            _("The draft is ready. Edit its rules, then publish it."),
            lambda: actions.start_draft(by=request.user, source=self._one(request, queryset)),
        )

    @admin.action(description=_("Publish this draft"))
    def publish(self, request: HttpRequest, queryset: QuerySet[Ruleset]) -> None:
        self._try(
            request,
            _("Published: it decides from now on."),
            lambda: actions.publish(
                ruleset=self._one(request, queryset),
                by=request.user,
                reason=self._one(request, queryset).note or _("Published from the list."),
            ),
        )

    @admin.action(description=_("Discard this draft"))
    def discard_draft(self, request: HttpRequest, queryset: QuerySet[Ruleset]) -> None:
        self._try(
            request,
            _("The draft is gone; nothing else changed."),
            lambda: actions.discard_draft(ruleset=self._one(request, queryset), by=request.user),
        )


@admin.register(Rule)
class RuleAdmin(AuditedAdmin):
    """Rules of the draft can be edited; those of other versions are shown as they were."""

    form = RuleForm
    list_display = ["name", "ruleset", "stage", "position", "queue", "urgency"]
    list_filter = ["ruleset", "stage"]
    search_fields = ["name", "note"]
    list_select_related = ["ruleset"]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        draft = Ruleset.objects.filter(status=Ruleset.Status.DRAFT).first()
        return {"ruleset": draft.pk if draft else None, "when": {"all": []}}

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "ruleset":
            kwargs["queryset"] = Ruleset.objects.filter(status=Ruleset.Status.DRAFT)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or obj.ruleset.status == Ruleset.Status.DRAFT)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or obj.ruleset.status == Ruleset.Status.DRAFT)

    def save_model(self, request: HttpRequest, obj: Rule, form: Any, change: bool) -> None:
        actions.save_rule(obj, by=request.user)

    def delete_model(self, request: HttpRequest, obj: Rule) -> None:
        actions.remove_rule(obj, by=request.user)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not Ruleset.objects.filter(status=Ruleset.Status.DRAFT).exists():
            self.message_user(
                request, _("Start a draft first: only drafts can be edited."), messages.WARNING
            )
            return redirect("admin:triage_ruleset_changelist")
        return super().add_view(request, form_url, extra_context)
