from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from audit.admin import AuditedAdmin, ReadOnlyAdmin
from intake import actions
from intake.models import Questionnaire, RequestType, Version
from intake.questionnaires import Problem, QuestionnaireError, export, inspect, inspect_value_sets
from portal.people.policies import Refused
from portal.people.requests import Request

MOST_BYTES = 5_000_000
MOST_PLACES = 3


class QuestionnaireForm(forms.ModelForm):
    """A new version comes as a file; without one, only the title changes."""

    resource = forms.FileField(
        required=False,
        label=_("New version (FHIR R4 Questionnaire, JSON)"),
        help_text=_(
            "It becomes the live version. What was sent before keeps the version it was answered on."
        ),
    )

    value_sets = forms.FileField(
        required=False,
        label=_("Its value sets (FHIR R4 ValueSet, CodeSystem, or a Bundle of them, JSON)"),
        help_text=_("Only needed when the questionnaire takes its answers from a value set it doesn't hold."),
    )

    class Meta:
        model = Questionnaire
        fields = ["code", "title", "follow_up"]

    def clean(self) -> dict[str, Any]:
        """Both files are read here, because the questionnaire can only be checked with its value sets."""
        data = super().clean() or self.cleaned_data
        sets = self._read("value_sets", inspect_value_sets) or []
        if not self.errors:
            form = self._read("resource", lambda raw: inspect(raw, value_sets=sets))
            if sets and form is None and not self.errors:
                self.add_error("value_sets", _("Add the questionnaire that uses them."))
            data["resource"] = export(form) if form else None
            data["warnings"] = form.warnings if form else ()
        return data | {"value_sets": sets}

    def _read(self, name: str, reader: Callable[[bytes], Any]) -> Any:
        upload = self.cleaned_data.get(name)
        if not upload:
            return None
        if upload.size > MOST_BYTES:
            self.add_error(name, _("The file is larger than 5 MB."))
            return None
        try:
            return reader(upload.read())
        except QuestionnaireError as error:
            self.add_error(name, [str(problem) for problem in error.problems])
        return None


class VersionInline(admin.TabularInline):
    model = Version
    fields = ["number", "status", "created_at"]
    readonly_fields = ["number", "status", "created_at"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: Request, obj: Any = None) -> bool:
        return False


class GuardedAdmin(AuditedAdmin):
    """What the rules refuse is told on the page it was tried on."""

    def changeform_view(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except Refused as refused:
            self.message_user(request, str(refused), messages.ERROR)
            return redirect(request.get_full_path())


@admin.register(Questionnaire)
class QuestionnaireAdmin(GuardedAdmin):
    form = QuestionnaireForm
    list_display = ["title", "code"]
    inlines = [VersionInline]

    def save_model(self, request: Request, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.cleaned_data.get("resource"):
            actions.publish_version(
                questionnaire=obj,
                resource=form.cleaned_data["resource"],
                value_sets=form.cleaned_data["value_sets"],
                by=request.user,
            )
            self._tell(request, form.cleaned_data["warnings"])
        actions.offer_follow_up(questionnaire=obj, how=obj.follow_up, by=request.user)

    def _tell(self, request: Request, warnings: Iterable[Problem]) -> None:
        """What of the form is not done as its author wrote it: each sentence once, with the first of its places."""
        places: dict[str, list[str]] = {}
        for each in warnings:
            places.setdefault(each.sentence, []).append(each.path)
        for sentence, paths in places.items():
            more = f" (+{len(paths) - MOST_PLACES})" if len(paths) > MOST_PLACES else ""
            self.message_user(
                request, f"{', '.join(paths[:MOST_PLACES])}{more}: {sentence}", messages.WARNING
            )


@admin.register(Version)
class VersionAdmin(ReadOnlyAdmin):
    list_display = ["questionnaire", "number", "status", "created_at"]
    list_filter = ["status", "questionnaire"]


@admin.register(RequestType)
class RequestTypeAdmin(GuardedAdmin):
    list_display = ["name", "code", "questionnaire", "position", "retired_at"]

    def save_model(self, request: Request, obj: Any, form: Any, change: bool) -> None:
        actions.save_request_type(obj, by=request.user)
