from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db import models

from audit.actions import discard, store
from audit.models import Event


class AuditedAdmin(admin.ModelAdmin):
    """Reference data in the admin, written by the same two actions as everywhere else, event included."""

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        store(obj, by=request.user)

    def save_formset(self, request: Any, form: Any, formset: Any, change: bool) -> None:
        for obj in formset.save(commit=False):
            store(obj, by=request.user)
        for obj in formset.deleted_objects:
            discard(obj, by=request.user)
        formset.save_m2m()

    def delete_model(self, request: Any, obj: Any) -> None:
        discard(obj, by=request.user)

    def delete_queryset(self, request: Any, queryset: Iterable[models.Model]) -> None:
        for obj in queryset:
            discard(obj, by=request.user)


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows to be looked at; only actions of the application write them."""

    def has_add_permission(self, request: Any, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        return False


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """The trail, to be read."""

    list_display = ["id", "occurred_at", "action", "kind", "agent", "agent_role", "entity_type", "entity_id"]
    list_filter = ["kind"]
    search_fields = ["=entity_id", "action", "agent__email"]
    date_hierarchy = "occurred_at"
    list_select_related = ["agent"]
    show_full_result_count = False
    ordering = ["-id"]
