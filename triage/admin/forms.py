"""Rules and promises as they are typed: what the engine can't read is refused here, with its place."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from portal.people.policies import Refused
from queues.models import Queue
from triage import actions, catalogue, engine, policies
from triage.models import Promise, Rule
from triage.promises import read_promises


class Versioned(forms.ModelForm):
    """A row of a draft whose form remembers which version of it was looked at."""

    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["seen"] = self.instance.version

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        seen = data.pop("seen", None)
        stored = type(self.instance)._default_manager.filter(pk=self.instance.pk).first()
        if stored is not None:
            try:
                policies.check_seen(stored, seen)
            except Refused as refused:
                raise ValidationError(str(refused)) from refused
        if not self.errors:
            self.check_content({name: value for name, value in data.items() if name in self.base_fields})
        return data

    def check_content(self, data: dict[str, Any]) -> None:
        """Raises ValidationError for what the engine can't read."""


def _explained(error: engine.RulesetError) -> ValidationError:
    return ValidationError([f"{problem.field}: {problem.sentence}" for problem in error.problems])


class RuleForm(Versioned):
    """A rule as the admin types it; what the engine can't read is refused here, with the place in the condition."""

    class Meta:
        model = Rule
        fields = [
            "ruleset",
            "stage",
            "position",
            "name",
            "when",
            "queue",
            "urgency",
            "category",
            "respond_within",
            "tags",
            "advice",
            "protocol",
            "ask_back",
            "note",
        ]
        widgets = {"when": forms.Textarea(attrs={"rows": 8, "cols": 80, "spellcheck": "false"})}

    def check_content(self, data: dict[str, Any]) -> None:
        rule = Rule(**data)
        try:
            actions.compile_rows(rule.ruleset, [rule], catalogue.catalogue())
        except engine.RulesetError as error:
            raise _explained(error) from error
        if rule.queue and not Queue.objects.live().filter(code=rule.queue).exists():
            raise ValidationError(
                _("queue: No live queue has the code “%(code)s”."), params={"code": rule.queue}
            )


class PromiseForm(Versioned):
    class Meta:
        model = Promise
        fields = ["ruleset", "name", "whenever", "never", "note"]
        widgets = dict.fromkeys(
            ["whenever", "never"], forms.Textarea(attrs={"rows": 4, "cols": 80, "spellcheck": "false"})
        )

    def check_content(self, data: dict[str, Any]) -> None:
        if data.get("ruleset") is None:
            raise ValidationError(_("A promise belongs to a draft."))
        try:
            read_promises([Promise(**data).as_data()])
        except engine.RulesetError as error:
            raise _explained(error) from error
