"""A form of a megabyte: a process reads it once, and no page of it fetches it from the database again."""

from __future__ import annotations

import json
from typing import Any

from django.db import connection
from django.urls import reverse

from intake import actions as intake
from intake.bench import large_form
from tests import factories as make
from tests.clinic import Clinic
from tests.intake.test_pages import client_of


def test_opening_and_saving_a_page_fetches_no_form(clinic: Clinic) -> None:
    large = make.request_type("large", json.loads(large_form()), name="Large")
    assert clinic.patient.user
    draft = intake.start_draft(request_type=large, patient=clinic.patient, by=clinic.patient.user)
    client, asked = client_of(clinic.patient.user), []
    first = client.get(reverse("draft", args=[draft.pk]))
    page = reverse("draft", args=[draft.pk, first.context["page"].id])

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        assert client.get(page).status_code == 200
        said = {"i.s0~2E0": "true"}
        assert client.post(page, said, headers={"HX-Request": "true"}).status_code == 200
    assert any('"intake_version"."number"' in sql for sql in asked)
    assert not any('"intake_version"."resource"' in sql for sql in asked)
    draft.refresh_from_db()
    assert draft.raw["i.s0~2E0"] == ["true"]
