"""What the tests of the patients' pages share."""

import pytest

from intake import actions
from queues.models import FollowUpForm
from tests import factories as make
from tests.clinic import Clinic

ASTHMA = {
    "resourceType": "Questionnaire",
    "status": "active",
    "title": "Breathing",
    "item": [
        {"linkId": "nights", "type": "integer", "text": "How many nights did you wake?", "required": True},
        {"linkId": "words", "type": "text", "text": "Anything else?"},
    ],
}


@pytest.fixture
def breathing(clinic: Clinic) -> FollowUpForm:
    """A small form that staff may ask back with."""
    questionnaire = make.request_type("breathing-visit", ASTHMA).questionnaire
    actions.offer_follow_up(questionnaire=questionnaire, how="clinical", by=clinic.admin)
    return FollowUpForm.objects.get(code=questionnaire.code)
