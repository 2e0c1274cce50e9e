"""The cached chart: read from files or a server, shown with when it was read, to those who may see it."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from audit.models import Event
from portal.people.models import Patient
from portal.records.charts import chart_of
from portal.records.fhir import entry_of
from portal.records.models import Chart, ChartEntry
from tests import factories as make
from tests.clinic import Clinic


def concept(text: str) -> dict:
    return {"coding": [{"system": "http://example.org", "code": "1", "display": text}]}


def status(code: str) -> dict:
    return {"coding": [{"code": code}]}


def written(folder: Path, name: str, *resources: dict) -> str:
    path = folder / f"{name}.ndjson"
    path.write_text("\n".join(json.dumps(each) for each in resources) + "\n\n")
    return str(path)


ALLERGY = {
    "resourceType": "AllergyIntolerance",
    "clinicalStatus": status("active"),
    "code": concept("Sulfa"),
    "reaction": [{"manifestation": [concept("Rash")]}],
    "criticality": "high",
}


@pytest.fixture
def patient(db: None) -> Patient:
    return make.PatientFactory(record_number="00-1")


def test_a_bulk_export_becomes_charts_of_the_patients_it_names(patient: Patient, tmp_path: Path) -> None:
    other = make.PatientFactory(record_number="00-2")
    subject = {"subject": {"reference": "Patient/abc"}}
    medicine = {"resourceType": "MedicationRequest", "intent": "order", "status": "active"} | subject
    files = [
        written(
            tmp_path,
            "Patient",
            {"resourceType": "Patient", "id": "abc", "identifier": [{"value": "00-1"}]},
            {"resourceType": "Patient", "id": "def", "identifier": [{"value": "00-2"}]},
        ),
        written(
            tmp_path,
            "AllergyIntolerance",
            ALLERGY | {"patient": {"reference": "Patient/abc"}},
            ALLERGY | {"patient": {"reference": "Patient/nobody"}},
        ),
        written(
            tmp_path,
            "MedicationRequest",
            medicine
            | {"medicationCodeableConcept": concept("Metformin"), "authoredOn": "2024-02-03T10:00:00Z"},
            medicine | {"medicationCodeableConcept": concept("metformin"), "authoredOn": "2025-02-03"},
            medicine | {"medicationCodeableConcept": concept("Aspirin"), "status": "stopped"},
        ),
    ]
    call_command("import_chart", *files, source="Hospital export")
    lines = list(ChartEntry.objects.filter(chart__patient=patient).values_list("kind", "text", "detail"))
    assert sorted(lines) == [("allergy", "Sulfa", "Rash; high risk"), ("medication", "metformin", "")]
    assert Chart.objects.get(patient=other).kinds == ["allergy", "medication"]
    assert Event.objects.filter(action="records.chart.read-in").count() == 2


def test_reading_again_replaces_and_leaves_other_kinds_alone(patient: Patient, tmp_path: Path) -> None:
    named = {"patient": {"identifier": {"value": "00-1"}}}
    vaccine = {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": concept("Influenza"),
        "occurrenceDateTime": "2025",
    }
    for _twice in range(2):
        call_command("import_chart", written(tmp_path, "a", ALLERGY | named))
        call_command("import_chart", written(tmp_path, "b", vaccine | named))
    assert sorted(ChartEntry.objects.values_list("text", flat=True)) == ["Influenza", "Sulfa"]


def test_a_broken_line_is_named_and_nothing_is_kept(patient: Patient, tmp_path: Path) -> None:
    path = tmp_path / "broken.ndjson"
    path.write_text(json.dumps(ALLERGY | {"patient": {"reference": "Patient/00-1"}}) + "\n{not json\n")
    with pytest.raises(CommandError, match="broken.ndjson, line 2 is no JSON object"):
        call_command("import_chart", str(path))
    with pytest.raises(CommandError, match="can't be read"):
        call_command("import_chart", str(tmp_path / "missing.ndjson"))
    assert not Chart.objects.exists()


@pytest.mark.parametrize(
    "resource",
    [
        {},
        {"resourceType": "AllergyIntolerance"},
        {"resourceType": "AllergyIntolerance", "code": "Sulfa", "reaction": {}, "clinicalStatus": []},
        ALLERGY | {"verificationStatus": status("entered-in-error")},
        {"resourceType": "Condition", "code": concept("Flu"), "clinicalStatus": status("resolved")},
        {
            "resourceType": "MedicationRequest",
            "status": "active",
            "medicationCodeableConcept": {"coding": [None]},
        },
        {"resourceType": "Encounter", "status": "planned", "type": [concept("Visit")]},
        {"resourceType": "Immunization", "status": "not-done", "vaccineCode": concept("Flu")},
    ],
)
def test_what_is_over_refuted_or_says_nothing_is_no_line(resource: dict) -> None:
    assert entry_of(resource) is None


def test_the_chart_tells_none_recorded_from_not_known_and_is_for_clinical_roles(
    clinic: Clinic, tmp_path: Path, django_assert_num_queries
) -> None:
    number = clinic.patient.record_number
    assert chart_of(clinic.patient.pk, clinic.nurse) is None
    call_command(
        "import_chart",
        written(tmp_path, "a", ALLERGY | {"patient": {"reference": f"Patient/{number}"}}),
    )
    with django_assert_num_queries(1):
        chart = chart_of(clinic.patient.pk, clinic.nurse)
    known = {section.kind: (section.known, len(section.lines)) for section in chart.sections}
    assert known["allergy"] == (True, 1)
    assert known["problem"] == (False, 0)
    assert "Allergies: Sulfa." in chart.background
    assert chart_of(clinic.patient.pk, clinic.biller) is None
