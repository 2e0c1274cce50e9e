"""Asking somebody to act for a patient, answering that, and the clinic's page of who acts for whom."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from audit.actions import record_read
from intake.models import RequestType
from portal.people import actions as people
from portal.people import persons
from portal.people.models import Invitation, Patient, Proxy
from portal.people.policies import Refused, check_asks_proxy, check_ends_grant, may_register_proxies
from portal.people.requests import Request
from queues.views.frame import bench, staff

R = Proxy.Relationship
# Whom a grown-up asks; who is a guardian is on paper, and the clinic enters it.
GROWN = (R.PARTNER, R.CHILD, R.CARER)
ALL, SOME = "all", "some"


class GrantForm(forms.Form):
    """What somebody may do for a patient, and for how long. Nothing is chosen beforehand."""

    name = forms.CharField(max_length=120)
    email = forms.EmailField(max_length=254)
    relationship = forms.ChoiceField(choices=R.choices)
    what = forms.ChoiceField(choices=[(ALL, ALL), (SOME, SOME)])
    kinds = forms.MultipleChoiceField(required=False)
    until = forms.DateField(required=False)
    reason = forms.CharField(max_length=200, required=False)

    def __init__(self, data: Any, *, relationships: Any, with_reason: bool) -> None:
        super().__init__(data)
        self.types = list(RequestType.objects.offered())
        self.fields["kinds"].choices = [(row.code, row.label) for row in self.types]  # type: ignore[attr-defined]
        self.fields["relationship"].choices = [(each.value, each.label) for each in relationships]  # type: ignore[attr-defined]
        self.fields["reason"].required = with_reason

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if found.get("what") == SOME and not found.get("kinds") and "kinds" not in self.errors:
            self.add_error("kinds", _("Choose at least one kind of request."))
        if found.get("what") == ALL and found.get("kinds"):
            self.add_error("what", _("You chose everything, and single kinds too. Which of them is it?"))
        return found

    @property
    def given(self) -> dict[str, Any]:
        """What the action takes."""
        return {
            "name": self.cleaned_data["name"],
            "email": self.cleaned_data["email"].lower(),
            "relationship": self.cleaned_data["relationship"],
            "scope": self.cleaned_data["kinds"] if self.cleaned_data["what"] == SOME else None,
            "until": self.cleaned_data["until"],
            "reason": self.cleaned_data["reason"],
        }

    @property
    def kind_labels(self) -> list[str]:
        chosen = self.cleaned_data["kinds"]
        return [row.label for row in self.types if row.code in chosen]

    @property
    def relationship_label(self) -> str:
        return str(R(self.cleaned_data["relationship"]).label)


def _asks(request: Request, patient: Patient, form: GrantForm, said: str) -> bool:
    """Ask somebody to act for this patient and say so, or say why that can't be. Whether they were asked."""
    try:
        people.ask_proxy(patient=patient, by=request.user, **form.given)
    except Refused as refused:
        messages.error(request, str(refused))
        return False
    messages.success(request, said)
    return True


# ---- the patient's side ----------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def ask(request: Request) -> HttpResponse:
    """A patient asks somebody to act for them: filled in, looked over once, and then a mail goes out. The answer is the
    same whether or not anybody has the address."""
    patient = Patient.objects.filter(user=request.user).select_related("facility__calendar").first()
    if patient is None:
        raise Http404
    try:
        check_asks_proxy(patient, request.user)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("access")
    post = request.POST if request.method == "POST" else None
    form = GrantForm(post, relationships=GROWN, with_reason=False)
    step = "form"
    if post and form.is_valid():
        step = "sure"
        if post.get("go") == "ask":
            said = _("A mail is on its way to them. Nothing is open before they say yes.")
            if _asks(request, patient, form, said):
                return redirect("access")
        if post.get("go") in ("ask", "change"):
            step = "form"
    record_read("intake.grants.read", by=request.user, patients=[patient.pk])
    context = {"patient": patient, "form": form, "step": step}
    return render(request, "intake/grants/ask.html", context, status=422 if form.errors else 200)


@require_POST
def answer(request: Request, pk: int) -> HttpResponse:
    """Say yes, with the patient's birthday, or no."""
    row = get_object_or_404(Invitation.objects.open().filter(user=request.user), pk=pk)
    if request.POST.get("go") == "no":
        people.close_invitation(invitation=row, by=request.user)
        messages.success(request, _("You said no. Nothing was opened."))
        return redirect("access")
    try:
        proxy = people.accept_invitation(
            invitation=row, birth_date=_day(request.POST.get("born", "")), by=request.user
        )
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("access")
    if proxy is None:
        messages.error(
            request,
            _(
                "That is not their birthday. After a few wrong ones the invitation is over. "
                "Ask them if you aren't sure."
            ),
        )
        return redirect("access")
    persons.choose(request, proxy.patient)
    messages.success(request, _("You can act for %(name)s from now on.") % {"name": proxy.patient.name})
    return redirect("home")


@require_POST
def take_back(request: Request, pk: int) -> HttpResponse:
    """A patient changes their mind before the other one has answered."""
    row = get_object_or_404(Invitation.objects.open().filter(patient__user=request.user), pk=pk)
    return _close(request, row, back=redirect("access"))


def _close(request: Request, row: Invitation, *, back: HttpResponse) -> HttpResponse:
    try:
        people.close_invitation(invitation=row, by=request.user)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("It is taken back. Nothing was opened."))
    return back


def _day(text: str) -> date | None:
    try:
        return forms.DateField().clean(text)
    except forms.ValidationError:
        return None


# ---- the clinic's side -----------------------------------------------------------------------------------------


@staff
@require_http_methods(["GET", "POST"])
def clinic_grants(request: Request, pk: int) -> HttpResponse:
    """Who acts for this patient; asking somebody, once both were seen at the desk; and what was ended, and why."""
    patient = _patient(request, pk)
    post = request.POST if request.method == "POST" else None
    grown = patient.age >= patient.facility.majority_age
    relationships = [each for each in R if not (grown and each == R.PARENT)]
    form = GrantForm(post, relationships=relationships, with_reason=True)
    status = 200
    if post:
        said = _("A mail is on its way to them. It opens once they log in and know the birthday.")
        if form.is_valid() and _asks(request, patient, form, said):
            return redirect("clinic-grants", patient.pk)
        status = 422
    grants = patient.proxies.select_related("user", "invitation").order_by("-since", "-pk")
    running = set(patient.proxies.open().values_list("pk", flat=True))
    record_read("intake.grants.read", by=request.user, patients=[patient.pk])
    context = {
        "patient": patient,
        "form": form,
        "grants": [(row, row.pk in running, kinds_of(row)) for row in grants],
        "asked": [(row, kinds_of(row)) for row in patient.invitations.open().order_by("-pk")],
        "grown": grown,
    }
    return render(
        request, "intake/grants/clinic.html", context | bench(request, ("callers", 0)), status=status
    )


@staff
@require_POST
def clinic_end(request: Request, pk: int, number: int) -> HttpResponse:
    """The clinic ends a grant, with the reason."""
    patient = _patient(request, pk)
    row = get_object_or_404(patient.proxies.filter(ended_at__isnull=True), pk=number)
    reason = " ".join(request.POST.get("reason", "").split())[:200]
    try:
        check_ends_grant(row, request.user)
        if not reason:
            raise Refused(_("Write why it ends: whoever asks later reads it here."))
        people.end_proxy(proxy=row, by=request.user, why="clinic", reason=reason)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("It is ended. Both get a mail that says so."))
    return redirect("clinic-grants", patient.pk)


@staff
@require_POST
def clinic_take_back(request: Request, pk: int, number: int) -> HttpResponse:
    patient = _patient(request, pk)
    row = get_object_or_404(patient.invitations.open(), pk=number)
    return _close(request, row, back=redirect("clinic-grants", patient.pk))


def _patient(request: Request, pk: int) -> Patient:
    """A patient of the person's places, where they enter who acts for whom."""
    rows = Patient.objects.cared_for_by(request.user).select_related("facility__calendar", "user")
    patient = get_object_or_404(rows, pk=pk)
    if not may_register_proxies(patient, request.user):
        raise Http404
    return patient


def kinds_of(row: Proxy | Invitation) -> list[str]:
    """The request types that it is narrowed to, by name."""
    if row.scope is None:
        return []
    labels = {each.code: each.label for each in RequestType.objects.filter(code__in=row.scope)}
    return sorted(labels.get(code, code) for code in row.scope)
