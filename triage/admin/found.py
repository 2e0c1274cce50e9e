"""What was found out about a version: its proofs and its replays."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpResponse

from audit.admin import ReadOnlyAdmin
from portal.people.requests import Request
from triage.models import Approval, Proof, Replay


@admin.register(Approval)
class ApprovalAdmin(ReadOnlyAdmin):
    list_display = ["ruleset", "by", "at", "note"]


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
        kwargs["extra_context"] = {
            "replay": row,
            "may_open": request.user.is_clinical,
            "loads": _loads(row) if row else [],
        }
        response = super().change_view(request, object_id, *args, **kwargs)
        if row is not None and row.state == Replay.State.RUNNING:
            response["Refresh"] = "3"
        return response


def _loads(replay: Replay) -> list[dict[str, Any]]:
    """Each queue's row on the page."""
    late = replay.result.get("late", {})
    return [
        {
            "code": code,
            "before": before,
            "after": after,
            "change": f"{after - before:+d}" if after != before else "",
            "late_before": late.get(code, ["–", "–"])[0],
            "late_after": late.get(code, ["–", "–"])[1],
        }
        for code, (before, after) in replay.result.get("load", {}).items()
    ]
