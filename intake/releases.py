"""Questionnaires and their versions, and what patients can ask for: every write of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from audit.actions import store
from audit.now import now
from intake import forms
from intake.models import Questionnaire, RequestType, Version
from portal.people.models import User
from portal.people.policies import Refused
from queues.models import FollowUpForm
from triage import publishing


@transaction.atomic
def publish_version(
    *,
    questionnaire: Questionnaire,
    resource: dict[str, Any],
    value_sets: Sequence[dict[str, Any]] = (),
    by: User | None,
) -> Version:
    """Check a FHIR Questionnaire and make it the live version. Raises QuestionnaireError with every problem.

    `value_sets` are the ValueSet and CodeSystem resources it refers to and doesn't hold; the version keeps them.
    """
    forms.check(resource, value_sets)
    Questionnaire.objects.select_for_update().get(pk=questionnaire.pk)
    last = questionnaire.versions.order_by("-number").first()
    # The old one steps down first: the database allows one live version.
    questionnaire.versions.filter(status=Version.Status.LIVE).update(status=Version.Status.RETIRED)
    version = Version(
        questionnaire=questionnaire,
        number=last.number + 1 if last else 1,
        status=Version.Status.LIVE,
        resource=resource,
        value_sets=list(value_sets),
        created_at=now(),
    )
    store(version, by=by, action="intake.questionnaire.publish")
    _check_rules(publishing.check_catalogue(instead=forms.source_of(questionnaire, version)))
    forms.leave_catalogue(questionnaire)
    _leave_follow_up(questionnaire)
    return version


@transaction.atomic
def retire_version(*, version: Version, by: User | None) -> None:
    """Take a questionnaire out of use; what was answered on it stays as it is."""
    version.status = Version.Status.RETIRED
    _check_rules(publishing.check_catalogue(without=version.questionnaire.code))
    store(version, by=by, action="intake.questionnaire.retire")
    forms.leave_catalogue(version.questionnaire)
    _leave_follow_up(version.questionnaire)


@transaction.atomic
def offer_follow_up(*, questionnaire: Questionnaire, how: str, by: User | None) -> None:
    """Let staff send this form as a question back, or no more. `how`: "clinical", "office", or "" for not."""
    questionnaire.follow_up = how
    store(questionnaire, by=by)
    _leave_follow_up(questionnaire)


def _leave_follow_up(questionnaire: Questionnaire) -> None:
    """Tell the room of the tasks which form staff may send as a question back."""
    live = questionnaire.live if questionnaire.follow_up else None
    told = {
        "title": questionnaire.title,
        "clinical": questionnaire.follow_up != Questionnaire.AsksBack.OFFICE,
        "version_id": live.pk if live else None,
    }
    if live is None:
        FollowUpForm.objects.filter(code=questionnaire.code).update(version=None)
    else:
        FollowUpForm.objects.update_or_create(code=questionnaire.code, defaults=told)


@transaction.atomic
def save_request_type(request_type: RequestType, *, by: User | None) -> None:
    """Store what patients can ask for, and tell the rules which questionnaire asks it."""
    store(request_type, by=by)
    for questionnaire in Questionnaire.objects.all():
        live = questionnaire.live
        if live is not None:
            _check_rules(publishing.check_catalogue(instead=forms.source_of(questionnaire, live)))
        forms.leave_catalogue(questionnaire)


def _check_rules(said: list[str]) -> None:
    """A change of what is asked takes the same gate as a change of the rules: nothing proven may stop being so."""
    if said:
        raise Refused(" ".join(said))
