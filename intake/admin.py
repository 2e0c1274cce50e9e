import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from audit.admin import AuditedAdmin, ReadOnlyAdmin
from intake import actions
from intake import forms as bridge
from intake.models import Questionnaire, RequestType, Version
from intake.questionnaires import QuestionnaireError
from portal.people.policies import Refused
from portal.people.requests import Request


class QuestionnaireForm(forms.ModelForm):
    """A new version comes as a file; without one, only the title changes."""

    resource = forms.FileField(
        required=False,
        label=_("New version (FHIR R4 Questionnaire, JSON)"),
        help_text=_(
            "It becomes the live version. What was sent before keeps the version it was answered on."
        ),
    )

    class Meta:
        model = Questionnaire
        fields = ["code", "title", "follow_up"]

    def clean_resource(self) -> dict[str, Any] | None:
        upload = self.cleaned_data.get("resource")
        if not upload:
            return None
        if upload.size > 5 * 1024 * 1024:
            raise ValidationError(_("The file is larger than 5 MB."))
        try:
            resource = json.loads(upload.read())
            bridge.check(resource)
        except (ValueError, RecursionError) as error:
            if isinstance(error, QuestionnaireError):
                raise ValidationError([str(problem) for problem in error.problems]) from error
            raise ValidationError(_("This file is no JSON.")) from error
        return resource


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
                questionnaire=obj, resource=form.cleaned_data["resource"], by=request.user
            )
        actions.offer_follow_up(questionnaire=obj, how=obj.follow_up, by=request.user)


@admin.register(Version)
class VersionAdmin(ReadOnlyAdmin):
    list_display = ["questionnaire", "number", "status", "created_at"]
    list_filter = ["status", "questionnaire"]


@admin.register(RequestType)
class RequestTypeAdmin(GuardedAdmin):
    list_display = ["name", "code", "questionnaire", "position", "retired_at"]

    def save_model(self, request: Request, obj: Any, form: Any, change: bool) -> None:
        actions.save_request_type(obj, by=request.user)
