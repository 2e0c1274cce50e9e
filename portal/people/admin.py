from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet

from audit.admin import AuditedAdmin
from portal.people.models import Calendar, Closure, Facility, Program, StaffRole, User
from portal.people.requests import Request


class ClosureInline(admin.TabularInline):
    model = Closure
    extra = 0


@admin.register(Calendar)
class CalendarAdmin(AuditedAdmin):
    list_display = ["name", "time_zone"]
    inlines = [ClosureInline]


@admin.register(Facility)
class FacilityAdmin(AuditedAdmin):
    list_display = ["name", "calendar", "phone", "after_hours_phone"]
    prepopulated_fields = {"code": ["name"]}


@admin.register(Program)
class ProgramAdmin(AuditedAdmin):
    list_display = ["name", "code"]
    prepopulated_fields = {"code": ["name"]}


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

    def get_queryset(self, request: Request) -> QuerySet[User]:
        people = super().get_queryset(request)
        nobody_private = Q(patient__isnull=True, proxies__isnull=True)
        works_here = Q(staff_roles__isnull=False) | Q(is_staff=True)
        return people.filter(nobody_private | works_here).distinct()
