from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from audit.admin import AuditedAdmin
from portal.people import actions as people
from portal.people import policies
from portal.people.calendar_form import CalendarForm
from portal.people.models import WEEKDAYS, Calendar, Closure, Facility, Guidance, Program, StaffRole, User
from portal.people.policies import Refused
from portal.people.requests import Request


class ClosureInline(admin.TabularInline):
    model = Closure
    extra = 0


@admin.register(Calendar)
class CalendarAdmin(AuditedAdmin):
    """Hours by weekday, the public holidays of a place, and closures of its own."""

    form = CalendarForm
    list_display = ["name", "time_zone", "country", "subdivision"]
    inlines = [ClosureInline]

    def get_fieldsets(self, request: Request, obj: Calendar | None = None) -> Any:
        # The weekdays are fields of the form, not of the table.
        holidays = ["country", "subdivision", "open_on", "half_days_close"]
        return [
            (None, {"fields": ["name", "time_zone"]}),
            (
                _("Hours"),
                {
                    "fields": list(WEEKDAYS),
                    "description": _(
                        "Like 08:00-12:00, 13:00-17:00. Empty is closed; 00:00-24:00 is day and night."
                    ),
                },
            ),
            (_("Public holidays"), {"fields": holidays}),
        ]

    def get_form(
        self, request: Request, obj: Calendar | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        return super().get_form(request, obj, change, **{**kwargs, "fields": CalendarForm.Meta.fields})


@admin.register(Facility)
class FacilityAdmin(AuditedAdmin):
    """A new facility opens once the published rules find a queue with people for everything its patients may ask."""

    list_display = ["name", "calendar", "phone", "after_hours_phone", "is_open"]
    prepopulated_fields = {"code": ["name"]}
    actions = ["open"]

    @admin.display(boolean=True, description=_("open"))
    def is_open(self, facility: Facility) -> bool:
        return facility.opened_at is not None

    def get_readonly_fields(self, request: Request, obj: Facility | None = None) -> list[str]:
        return ["code"] if obj else []  # rules name it

    def get_prepopulated_fields(self, request: Request, obj: Facility | None = None) -> dict[str, Any]:
        return {} if obj else {"code": ["name"]}

    def save_model(self, request: Request, obj: Facility, form: Any, change: bool) -> None:
        for sentence in people.save_facility(facility=obj, by=request.user):
            self.message_user(
                request, _("Stored, but not open yet. %(why)s") % {"why": sentence}, messages.WARNING
            )

    @admin.action(description=_("Open: let patients come in"))
    def open(self, request: Request, queryset: QuerySet[Facility]) -> None:
        for facility in queryset.filter(opened_at__isnull=True):
            try:
                people.open_facility(facility=facility, by=request.user)
            except Refused as refused:
                self.message_user(request, f"{facility}: {refused}", messages.ERROR)
            else:
                self.message_user(request, _("%(place)s is open.") % {"place": facility}, messages.SUCCESS)


@admin.register(Program)
class ProgramAdmin(AuditedAdmin):
    list_display = ["name", "code"]
    prepopulated_fields = {"code": ["name"]}


@admin.register(Guidance)
class GuidanceAdmin(AuditedAdmin):
    """What forms say in an emergency. Where there is no row, Porter's own words with the facility's numbers."""

    list_display = ["kind", "facility", "language", "heading"]
    list_filter = ["kind", "facility", "language"]


class StaffRoleInline(admin.TabularInline):
    model = StaffRole
    extra = 0


class AddStaffForm(forms.ModelForm):
    """A new account has no password: its owner sets one through the log-in page's reset mail."""

    class Meta:
        model = User
        fields = ["email", "name", "title", "language"]

    def save(self, commit: bool = True) -> User:
        self.instance.set_unusable_password()
        return super().save(commit)


@admin.register(User)
class StaffAdmin(AuditedAdmin):
    """Accounts of people who work here. Patients' accounts are not shown: that somebody is a patient is private."""

    ordering = ["name"]
    list_display = ["name", "title", "email", "is_active", "is_staff"]
    list_filter = ["staff_roles__role", "is_active", "is_staff"]
    search_fields = ["name", "email"]
    inlines = [StaffRoleInline]
    fields = ["email", "name", "title", "language", "mail_notices", "is_active", "is_staff", "is_superuser"]

    def get_form(self, request: Request, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs |= {"form": AddStaffForm, "fields": AddStaffForm.Meta.fields}
        return super().get_form(request, obj, change, **kwargs)

    def changeform_view(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except Refused as refused:
            self.message_user(request, str(refused), messages.ERROR)
            return redirect(request.get_full_path())

    def save_related(self, request: Request, form: Any, formsets: Any, change: bool) -> None:
        """After the roles are stored, in the same transaction: whoever was the last one somewhere can't go yet."""
        super().save_related(request, form, formsets, change)
        policies.check_left(form.instance)

    def get_queryset(self, request: Request) -> QuerySet[User]:
        people = super().get_queryset(request)
        nobody_private = Q(patient__isnull=True, proxies__isnull=True, invitations__isnull=True)
        works_here = Q(staff_roles__isnull=False) | Q(is_staff=True)
        return people.filter(nobody_private | works_here).distinct()
