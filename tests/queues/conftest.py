"""People whom many tests of the queues need."""

import pytest

from portal.people.models import User
from tests.clinic import Clinic


@pytest.fixture
def lead(clinic: Clinic) -> User:
    """The one who approved the rules."""
    lead = User.objects.get(staff_roles__role="lead")
    lead.name = "Lena Lead"
    lead.save()
    return lead
