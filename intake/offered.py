"""What patients can ask for now, as every draft and submit needs it. What is given is shared, and only read."""

from __future__ import annotations

from intake.models import Questionnaire, RequestType, Version
from portal.people.reference import remembered


@remembered
def request_type(pk: int) -> RequestType:
    return RequestType.objects.select_related("questionnaire").get(pk=pk)


@remembered
def live_version(questionnaire: int) -> Version | None:
    """The version in use of the questionnaire with this key."""
    return Questionnaire.objects.get(pk=questionnaire).live
