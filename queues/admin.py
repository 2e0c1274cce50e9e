from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import FilteredSelectMultiple
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from audit.admin import AuditedAdmin
from portal.people.models import User
from portal.people.policies import Refused
from portal.people.requests import Request
from queues import actions
from queues.models import Coverage, Outcome, Protocol, ProtocolStep, Queue, ReplyTemplate, ServiceTarget
from queues.models.templates import VARIABLES


class QueueForm(forms.ModelForm):
    """A queue with the people who work it."""

    people = forms.ModelMultipleChoiceField(
        queryset=User.objects.none(),
        required=False,
        label=_("Members"),
        help_text=_("Who works this queue. They need the queue's role."),
        widget=FilteredSelectMultiple("people", is_stacked=False),
    )

    hand_on_to = forms.ModelChoiceField(
        queryset=Queue.objects.live().select_related("facility"),
        required=False,
        label=_("Move all open tasks to"),
        help_text=_(
            "Before its last people leave, or before it is retired. Patients keep the times they were told."
        ),
    )
    retire = forms.BooleanField(
        required=False,
        label=_("Retire this queue now"),
        help_text=_("What is opened again later goes where the open tasks went."),
    )

    class Meta:
        model = Queue
        fields = [
            "code", "name", "team", "team_es", "role", "facility", "calendar", "capacity", "receives_urgent",
            "urgent_cover", "acknowledge_within", "read_within", "remind_after", "wait_ends_after", "sleeps_after",
            "overflow_queue", "overflow_open", "overflow_late",
        ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in NUMBERS:
            self.fields[name].required = False  # left out, they are as they were
        others = Queue.objects.live().select_related("facility").exclude(pk=self.instance.pk)
        for name in ("urgent_cover", "overflow_queue", "hand_on_to"):
            cast(forms.ModelChoiceField, self.fields[name]).queryset = others
        people = cast(forms.ModelMultipleChoiceField, self.fields["people"])
        people.queryset = User.objects.filter(staff_roles__isnull=False).distinct()
        if self.instance.pk:
            self.initial["people"] = list(self.instance.members.user_set.values_list("pk", flat=True))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        strangers = [
            person.signature for person in data.get("people", []) if data.get("role") not in person.roles
        ]
        if strangers:
            raise ValidationError(
                {"people": _("These people don't have this role: %s.") % ", ".join(strangers)}
            )
        leaving = data.get("hand_on_to") or data.get("retire")
        if (
            self.instance.pk
            and not data.get("people")
            and not leaving
            and self.instance.tasks.live().exists()
        ):
            raise ValidationError({"people": _("Somebody must stay: this queue holds open tasks.")})
        return data


NUMBERS = ("acknowledge_within", "read_within", "remind_after", "wait_ends_after", "sleeps_after")


class TargetInline(admin.TabularInline):
    model = ServiceTarget
    extra = 0


class CoverageInline(admin.TabularInline):
    model = Coverage
    fk_name = "queue"
    extra = 0


@admin.register(Queue)
class QueueAdmin(AuditedAdmin):
    form = QueueForm
    list_display = ["name", "facility", "role", "calendar", "retired_at"]
    list_filter = ["role", "facility"]
    list_select_related = ["facility", "calendar"]
    inlines = [TargetInline, CoverageInline]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "code",
                    "name",
                    "team",
                    "team_es",
                    "role",
                    "facility",
                    "calendar",
                    "people",
                    "capacity",
                ]
            },
        ),
        (
            _("Urgent work"),
            {"fields": ["receives_urgent", "urgent_cover", "acknowledge_within", "read_within"]},
        ),
        (_("Waiting and idle claims"), {"fields": ["remind_after", "wait_ends_after", "sleeps_after"]}),
        (_("When it is too full"), {"fields": ["overflow_queue", "overflow_open", "overflow_late"]}),
        (_("Handing everything on"), {"fields": ["hand_on_to", "retire"], "classes": ["collapse"]}),
    ]
    actions = ["retire"]

    def changeform_view(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except Refused as refused:
            self.message_user(request, str(refused), messages.ERROR)
            return redirect(request.get_full_path())

    def save_model(self, request: Request, obj: Any, form: Any, change: bool) -> None:
        to, retire = form.cleaned_data["hand_on_to"], form.cleaned_data["retire"]
        actions.save_queue(obj, by=request.user)
        if to is not None and change:
            count = actions.hand_everything_on(queue=obj, to=to, by=request.user)
            told = _("%(count)d open tasks are now in %(queue)s.") % {"count": count, "queue": to}
            self.message_user(request, told, messages.SUCCESS)
        actions.set_members(queue=obj, people=form.cleaned_data["people"], by=request.user)
        if retire and change:
            actions.retire_queue(queue=obj, to=to, by=request.user)
            self.message_user(request, _("%s is retired.") % obj, messages.SUCCESS)

    def save_related(self, request: Request, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if any(each.model is Coverage and each.has_changed() for each in formsets):
            actions.look_soon(form.instance)

    def has_delete_permission(self, request: Request, obj: Any = None) -> bool:
        return False  # queues are retired, so that what happened in them can still be told

    @admin.action(description=_("Retire these queues"))
    def retire(self, request: Request, queryset: QuerySet[Queue]) -> None:
        for queue in queryset:
            try:
                actions.retire_queue(queue=queue, by=request.user)
            except Refused as refused:
                self.message_user(request, f"{queue}: {refused}", messages.ERROR)
            else:
                self.message_user(request, _("%s is retired.") % queue, messages.SUCCESS)


@admin.register(Outcome)
class OutcomeAdmin(AuditedAdmin):
    list_display = ["label", "code", "roles", "position", "retired"]


class TemplateForm(forms.ModelForm):
    class Meta:
        model = ReplyTemplate
        fields = ["title", "queue", "role", "body", "body_es", "position", "retired"]
        help_texts = {"body": _("Can be filled: %s.") % ", ".join(f"{{{name}}}" for name in VARIABLES)}


@admin.register(ReplyTemplate)
class ReplyTemplateAdmin(AuditedAdmin):
    form = TemplateForm
    list_display = ["title", "queue", "role", "has_spanish", "retired"]
    list_filter = ["queue", "role", "retired"]
    search_fields = ["title", "body"]

    @admin.display(boolean=True, description=_("Spanish"))
    def has_spanish(self, row: ReplyTemplate) -> bool:
        return bool(row.body_es)


class StepInline(admin.TabularInline):
    model = ProtocolStep
    extra = 1

    def has_delete_permission(self, request: Request, obj: Any = None) -> bool:
        return False  # a step that was ticked somewhere is retired, so that what was done can still be told


@admin.register(Protocol)
class ProtocolAdmin(AuditedAdmin):
    list_display = ["title", "code", "required"]
    inlines = [StepInline]
