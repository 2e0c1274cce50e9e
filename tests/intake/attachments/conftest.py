"""A patient in the middle of a form that asks for photos."""

from __future__ import annotations

import pytest
from django.test import Client

from intake import actions
from intake.models import Draft, RequestType
from tests import factories as make
from tests.clinic import Clinic
from tests.intake.attachments.files import RASH, client_of


@pytest.fixture
def rash(clinic: Clinic) -> RequestType:
    return make.request_type("rash", RASH, name="Rash", title_items=["where"])


@pytest.fixture
def draft(clinic: Clinic, rash: RequestType) -> Draft:
    draft = actions.start_draft(request_type=rash, patient=clinic.patient, by=clinic.patient.user)
    actions.save_draft(draft=draft, raw={"i.where": ["On the elbow"], "i.itchy": ["yes"]}, by=draft.author)
    return draft


@pytest.fixture
def maya(clinic: Clinic) -> Client:
    return client_of(clinic.patient.user)
