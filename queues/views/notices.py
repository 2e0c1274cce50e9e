"""What a person was told, and how they want to be told."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from portal.people.requests import Request
from queues import actions
from queues.models import Notice, Quiet
from queues.views.frame import bench, staff

SHOWN = 100


class QuietForm(forms.ModelForm):
    """Quiet hours and the daily mail, and whether there is mail at all."""

    mail_notices = forms.BooleanField(
        required=False, label=gettext_lazy("Mail me when something waits for me")
    )

    class Meta:
        model = Quiet
        fields = ["digest", "digest_at", "quiet_from", "quiet_until"]
        widgets = {
            name: forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
            for name in ("digest_at", "quiet_from", "quiet_until")
        }


@staff
@require_http_methods(["GET", "POST"])
def notices(request: Request) -> HttpResponse:
    """Everything this person was told, the newest first. A post notes that they have seen it all."""
    if request.method == "POST":
        actions.see_notices(by=request.user)
        return redirect("notices")
    rows = list(
        Notice.objects.filter(recipient=request.user).select_related(
            "queue__facility__calendar", "queue__calendar", "task__conversation"
        )[:SHOWN]
    )
    return render(
        request,
        "queues/notices.html",
        {"rows": rows, "unseen": any(row.seen_at is None for row in rows), "form": _form(request)}
        | bench(request, ("notices", 0)),
    )


@staff
@require_http_methods(["POST"])
def quiet(request: Request) -> HttpResponse:
    """Store quiet hours and the daily mail."""
    form = _form(request)
    if not form.is_valid():
        rows = Notice.objects.filter(recipient=request.user).select_related(
            "queue__facility__calendar", "queue__calendar", "task__conversation"
        )[:SHOWN]
        page = {"rows": rows, "form": form} | bench(request, ("notices", 0))
        return render(request, "queues/notices.html", page, status=422)
    actions.choose_quiet(
        quiet=form.save(commit=False), mail=form.cleaned_data["mail_notices"], by=request.user
    )
    messages.success(request, _("Stored."))
    return redirect("notices")


def _form(request: Request) -> QuietForm:
    row = Quiet.objects.filter(user=request.user).first() or Quiet(user=request.user)
    initial = {"mail_notices": request.user.mail_notices}
    return QuietForm(request.POST if request.method == "POST" else None, instance=row, initial=initial)
