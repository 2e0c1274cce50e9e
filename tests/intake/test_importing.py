"""A questionnaire gets in by the command or in the admin: whole, with what it stands on, or not at all."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from intake import forms
from intake.models import Questionnaire
from intake.questionnaires import export
from tests.clinic import Clinic
from tests.intake.questionnaires.forms import item, resource

COLOURS = "https://example.org/colours"
ASKS_COLOUR = resource(item("choice", "colour", answerValueSet=COLOURS), name="colour")
SET = {
    "resourceType": "ValueSet",
    "url": COLOURS,
    "compose": {"include": [{"system": COLOURS + "-system"}]},
}
SYSTEM = {
    "resourceType": "CodeSystem",
    "url": COLOURS + "-system",
    "content": "complete",
    "concept": [{"code": "red", "display": "Red"}, {"code": "blue", "display": "Blue"}],
}
BUNDLE = {"resourceType": "Bundle", "entry": [{"resource": SET}, {"resource": SYSTEM}]}


def written(folder: Path, name: str, content: Any) -> str:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return str(path)


def run(*arguments: str) -> tuple[list[dict[str, Any]], bool]:
    """What the command says of each file, and whether it was content."""
    out = StringIO()
    try:
        call_command("import_questionnaire", *arguments, "--json", stdout=out)
    except CommandError:
        return [json.loads(line) for line in out.getvalue().splitlines()], False
    return [json.loads(line) for line in out.getvalue().splitlines()], True


def options(questionnaire: Questionnaire) -> list[str]:
    version = questionnaire.live
    assert version is not None
    return [option.display for option in forms.form(version).by_link_id["colour"].options]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "The file is not JSON: "),
        (b"\xff\xfe", "The file is not UTF-8 text."),
        (BUNDLE, "resourceType: This is a Bundle and not a Questionnaire."),
        ({"item": []}, "resourceType: This is not a Questionnaire."),
    ],
)
@pytest.mark.django_db
def test_what_is_no_form_at_all_is_said_in_a_sentence(tmp_path: Path, content: Any, said: str) -> None:
    told, taken = run(written(tmp_path, "form.json", content))
    assert not taken
    assert told[0]["error"].startswith(said)


@pytest.mark.django_db
def test_a_value_set_given_beside_the_form_is_kept_with_its_version(tmp_path: Path) -> None:
    form, beside = written(tmp_path, "form.json", ASKS_COLOUR), written(tmp_path, "sets.json", BUNDLE)
    told, content = run(form)
    assert not content
    assert told[0]["unsupported"][0]["path"]
    assert COLOURS in told[0]["error"]
    assert not Questionnaire.objects.exists()

    told, content = run(form, "--value-set", beside)
    assert content
    assert told == [{"file": form, "ok": True, "items": 1, "unsupported": [], "error": None}]
    kept = Questionnaire.objects.get(code="colour")
    assert options(kept) == ["Red", "Blue"]
    assert export(forms.form(kept.live)) == ASKS_COLOUR  # type: ignore[arg-type]

    run(form, "--value-set", beside)
    assert kept.versions.count() == 1, "the same again is no new version"
    more = SYSTEM | {"concept": [*SYSTEM["concept"], {"code": "green", "display": "Green"}]}  # type: ignore[misc]
    run(
        form,
        "--value-set",
        written(tmp_path, "set.json", SET),
        "--value-set",
        written(tmp_path, "more.json", more),
    )
    assert kept.versions.count() == 2, "other answers are another version"
    assert options(kept) == ["Red", "Blue", "Green"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "content",
    [
        b"no JSON",
        {"resourceType": "Patient"},
        {"resourceType": "ValueSet", "compose": {}},
        {"resourceType": "Bundle", "entry": []},
        {"resourceType": "Bundle", "entry": {"resource": SET}},
        {"resourceType": "Bundle", "entry": ["x"]},
        {"resourceType": "ValueSet", "url": COLOURS, "title": "\x00"},
    ],
)
def test_a_file_that_holds_no_value_sets_is_refused_before_anything_is_taken(
    tmp_path: Path, content: Any
) -> None:
    form = written(tmp_path, "form.json", resource(item("string", "name"), name="plain"))
    assert run(form, "--value-set", written(tmp_path, "beside.json", content)) == ([], False)
    assert run(form, "--value-set", str(tmp_path / "nowhere.json")) == ([], False)
    assert not Questionnaire.objects.exists()


@pytest.mark.django_db
def test_one_bad_file_is_named_and_keeps_no_other_out(tmp_path: Path) -> None:
    good = resource(item("string", "name"), name="plain")
    deep = b'{"resourceType": "Questionnaire", "item": ' + b'[{"item": ' * 1000 + b"1" + b"}]" * 1000 + b"}"
    bad: dict[str, Any] = {
        "huge.json": b" " * 50_000_000,
        "deep.json": deep,
        "many.json": resource(*[item("string", f"q{n}") for n in range(20_001)]),
        "twins.json": resource(item("string", "a"), item("string", "a")),
        "newer.json": resource(item("question", "a")),
        "circle.json": resource(
            item("boolean", "a", enableWhen=[{"question": "b", "operator": "exists", "answerBoolean": True}]),
            item("boolean", "b", enableWhen=[{"question": "a", "operator": "exists", "answerBoolean": True}]),
        ),
        "binary.json": b"\x89PNG\r\n\x1a\n\x00",
    }
    names = [written(tmp_path, name, content) for name, content in bad.items()]
    told, content = run(*names, written(tmp_path, "good.json", good), str(tmp_path / "nowhere.json"))
    assert not content
    assert [each["ok"] for each in told] == [False] * len(bad) + [True, False]
    assert all(each["error"] for each in told if not each["ok"])
    for name in ("twins.json", "newer.json", "circle.json"):
        place = list(bad).index(name)
        assert "item" in told[place]["unsupported"][0]["path"]
    assert [each.code for each in Questionnaire.objects.all()] == ["plain"]


@pytest.mark.django_db
def test_a_dry_run_says_the_same_and_stores_nothing(tmp_path: Path) -> None:
    form = written(tmp_path, "form.json", ASKS_COLOUR)
    beside = written(tmp_path, "sets.json", BUNDLE)
    told, content = run(form, "--value-set", beside, "--dry-run")
    assert content
    assert told[0]["items"] == 1
    assert not Questionnaire.objects.exists()


@pytest.fixture
def admin(clinic: Clinic) -> Client:
    client = Client()
    client.force_login(clinic.admin)
    return client


def uploaded(admin: Client, *, follow: bool = False, **files: Any) -> Any:
    data = {"code": "colour", "title": "Colour", "follow_up": ""}
    data |= {f"versions-{key}": value for key, value in (("TOTAL_FORMS", "0"), ("INITIAL_FORMS", "0"))}
    for name, content in files.items():
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        data[name] = SimpleUploadedFile(f"{name}.json", raw)  # type: ignore[assignment]
    return admin.post(reverse("admin:intake_questionnaire_add"), data, follow=follow)


def test_the_admin_takes_value_sets_beside_the_form(admin: Client) -> None:
    refused = uploaded(admin, resource=ASKS_COLOUR)
    assert refused.status_code == 200
    assert COLOURS in refused.content.decode()
    assert not Questionnaire.objects.filter(code="colour").exists()

    assert uploaded(admin, resource=ASKS_COLOUR, value_sets=BUNDLE).status_code == 302
    assert options(Questionnaire.objects.get(code="colour")) == ["Red", "Blue"]


def test_the_admin_says_what_of_a_form_it_took_is_not_done(admin: Client) -> None:
    """The same sentence at many places is told once."""
    never = {"question": "colour", "operator": "=", "answerCoding": {"code": "green"}}
    asked = [{"linkId": f"n{n}", "type": "string", "text": "Why?", "enableWhen": [never]} for n in range(5)]
    form = ASKS_COLOUR | {"item": [*ASKS_COLOUR["item"], *asked]}
    taken = uploaded(admin, follow=True, resource=form, value_sets=BUNDLE)
    told = [str(message) for message in taken.context["messages"]]
    assert any("item[1].enableWhen[0]" in line and "(+2)" in line and "never asked" in line for line in told)
    assert len(told) == 2, "and that it was added"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"resource": b"%PDF-1.7"}, "not JSON"),
        ({"resource": b'{"a": 1, "a": 2}'}, "stands twice"),
        ({"resource": b" " * 5_000_001}, "larger than 5 MB"),
        ({"resource": ASKS_COLOUR, "value_sets": b"[]"}, "one JSON object"),
        ({"value_sets": BUNDLE}, "Add the questionnaire that uses them"),
    ],
)
def test_the_admin_says_what_is_wrong_beside_the_file(
    admin: Client, files: dict[str, Any], said: str
) -> None:
    refused = uploaded(admin, **files)
    assert refused.status_code == 200
    assert said in refused.content.decode()
    assert not Questionnaire.objects.filter(code="colour").exists()
