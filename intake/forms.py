"""The bridge from a draft's rows to the pure questionnaire package, and what a submit leaves for the rooms below."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from django.utils.translation import get_language

from audit.now import now
from intake.attachments import form as files
from intake.models import Draft, Questionnaire, Version
from intake.questionnaires import Context, State, load
from intake.questionnaires import Questionnaire as Form
from intake.questionnaires import evaluate as evaluate_answers
from triage import engine
from triage.actions import compiled
from triage.conditions import each_test
from triage.models import AnswerSource, Decision
from triage.signals import Reading

TITLE_LENGTH = 140


def check(resource: dict[str, Any], value_sets: Sequence[dict[str, Any]] = ()) -> Form:
    """Raises QuestionnaireError with every problem of the resource."""
    return load(resource, value_sets=value_sets)


@lru_cache(maxsize=64)
def _form(version_id: int) -> tuple[Form, dict[str, str]]:
    """The form, and what rules can ask of each of its fields."""
    version = Version.objects.get(pk=version_id)
    found = load(version.resource, value_sets=version.value_sets)
    read = found, {told["key"]: _as_field(told)["kind"] for told in found.catalogue()}
    # It stays: the collector need not look through its hundred thousand parts again after every few pages.
    gc.freeze()
    return read


def form(version: Version) -> Form:
    """The questionnaire of a version, parsed once a process: a version never changes."""
    return _form(version.pk)[0]


def evaluate(draft: Draft, language: str | None = None) -> State:
    """The draft's answers against its questionnaire, now, in the reader's language."""
    patient, asked = draft.patient, form(draft.version)
    added = files.files_of(draft, asked)
    context = Context(
        today=patient.local_today,
        now=patient.local(now()),
        patient={
            "id": str(patient.pk),
            "birthDate": patient.birth_date.isoformat(),
            "name": [
                {
                    "use": "official",
                    "text": patient.name,
                    "family": patient.family_name,
                    "given": patient.given_name.split(),
                }
            ],
            "language": patient.language,
        },
        user=_user(draft),
        attachments=files.known(added),
    )
    raw = files.with_files(draft.raw, asked, added)
    return evaluate_answers(asked, raw, context, language=language or get_language() or "en")


def _user(draft: Draft) -> dict[str, Any]:
    """Who fills the form in, as the FHIR resource a form's expressions expect."""
    author = draft.author
    if draft.channel == Draft.Channel.PHONE:
        kind = "Practitioner"
    else:
        kind = "Patient" if author.pk == draft.patient.user_id else "RelatedPerson"
    given, _space, family = author.name.rpartition(" ")
    name = {"text": author.name, "family": family, "given": given.split()}
    return {"resourceType": kind, "name": [{part: said for part, said in name.items() if said}]}


def flags(readings: Iterable[Reading]) -> list[dict[str, Any]]:
    """Red flags as the task keeps them: code, label, why, urgency; each code once."""
    found: dict[str, dict[str, Any]] = {}
    for reading in readings:
        for signal in reading.signals:
            found.setdefault(
                signal.code,
                {
                    "code": signal.code,
                    "label": signal.label,
                    "reason": signal.reason,
                    "urgency": signal.urgency,
                },
            )
    return list(found.values())


def for_staff(draft: Draft, state: State, readings: list[Reading], decision: Decision) -> dict[str, Any]:
    """What the task will show, frozen now: its title lines, the answers as lines, the red flags.

    A line is odd (shown bold) when a rule of the safety or priority stage fired on its answer, or a red flag was
    read in its words.
    """
    state = _for_staff(draft, state)
    lines = files.lines(state)
    values = {line["link_id"]: line["value"] for line in lines}
    request_type = draft.asks
    pressing = _fields_that_fired(decision, draft.version.questionnaire.code)
    summary = _summary(state, readings, clinical=request_type.clinical, pressing=pressing)
    title = _title(lines, request_type.title_items) or request_type.name
    return {
        "title": title[:TITLE_LENGTH],
        "plain_title": request_type.name,
        "subtitle": _joined(values, request_type.subtitle_items, " · ")[:280],
        "summary": summary,
        "flags": flags(readings),
    }


def lines_for_staff(
    draft: Draft, state: State, readings: list[Reading], *, clinical: bool
) -> list[dict[str, Any]]:
    """The answers to a question back as staff read them, frozen now."""
    return _summary(_for_staff(draft, state), readings, clinical=clinical, pressing=set())


def _for_staff(draft: Draft, state: State) -> State:
    """The answers in the language of the staff."""
    return state if state.language == "en" else evaluate(draft, language="en")


def told(state: State) -> list[dict[str, Any]]:
    """The answers as the patient reads them: label, value, and the files of each."""
    return [
        {key: line[key] for key in ("label", "value", "attachments") if key in line}
        for line in files.lines(state)
    ]


def _summary(
    state: State, readings: list[Reading], *, clinical: bool, pressing: set[str]
) -> list[dict[str, Any]]:
    flagged = {text for text, reading in zip(texts(state), readings, strict=False) if reading.signals}
    # Nobody can tell what a picture shows: beside a red flag, it is about health.
    wary = any(reading.signals for reading in readings)
    return [
        {
            "key": line["link_id"],
            "label": line["label"],
            "value": line["value"],
            "clinical": clinical or line["value"] in flagged or (wary and "attachments" in line),
            "odd": line["link_id"] in pressing or line["value"] in flagged,
        }
        | ({"attachments": line["attachments"]} if "attachments" in line else {})
        for line in files.lines(state)
    ]


def texts(state: State) -> list[str]:
    """What was said in free words, in order: what red flags are read in."""
    return [text for _link_id, text in state.texts() if text.strip()]


def _title(lines: list[dict[str, Any]], link_ids: list[str]) -> str:
    """The answers as staff read them first, in one line: “Insulin glargine, none left”."""
    found = [line for link_id in link_ids for line in lines if line["link_id"] == link_id]
    told = [line["value"] for line in found[:1]]
    for line in found[1:]:
        value = line["value"]
        # A choice is written as a sentence of its own; an abbreviation or a typed name stays as it is.
        is_sentence = line["kind"] == "choice" and value[1:2].islower()
        told.append(value[:1].lower() + value[1:] if is_sentence else value)
    return ", ".join(told)


def _joined(values: dict[str, str], link_ids: list[str], glue: str) -> str:
    return glue.join(values[link_id] for link_id in link_ids if values.get(link_id))


def _fields_that_fired(decision: Decision, questionnaire: str) -> set[str]:
    """linkIds that the fired safety and priority rules looked at."""
    prefix = f"answer.{questionnaire}."
    found: set[str] = set()
    for rule in engine.fired_in(decision.result["trace"], compiled(decision.ruleset_id)):
        if rule.stage in ("safety", "priority"):
            keys = {test.field for test in each_test(rule.when)}
            found |= {key.removeprefix(prefix) for key in keys if key.startswith(prefix)}
    return found


def source_of(questionnaire: Questionnaire, version: Version) -> AnswerSource:
    """What rules would find of this version: its fields, and the request types that ask it. Not stored."""
    return AnswerSource(
        code=questionnaire.code,
        title=questionnaire.title,
        request_types=[[row.code, row.name] for row in questionnaire.request_types.order_by("code")],
        fields=[
            {
                **_as_field(told),
                "key": f"answer.{questionnaire.code}.{told['key']}",
                "source": questionnaire.code,
            }
            for told in form(version).catalogue()
        ],
    )


def leave_catalogue(questionnaire: Questionnaire) -> None:
    """Write the fields that the live version asks for where rules look them up."""
    live = questionnaire.live
    if live is None:
        AnswerSource.objects.filter(code=questionnaire.code).delete()
        return
    source = source_of(questionnaire, live)
    AnswerSource.objects.update_or_create(
        code=source.code,
        defaults={
            "title": source.title,
            "request_types": source.request_types,
            "fields": source.fields,
            "updated_at": now(),
        },
    )


# What rules can ask of each kind of answer. A date is asked for its age in days; of other times and of words, only
# whether they were given.
KINDS = {"boolean": "boolean", "integer": "integer", "decimal": "number", "date": "date", "choice": "choice"}


def _as_field(told: dict[str, Any]) -> dict[str, Any]:
    """One field of the questionnaire's catalogue as the rules' catalogue reads it, without empty parts."""
    kind = KINDS.get(told["kind"], "text")
    if told["many"] and kind != "choice":
        kind = "text"
    field = {"key": told["key"], "label": told["label"], "kind": kind}
    if kind == "choice":
        field["choices"] = [[choice["code"], choice["label"]] for choice in told["choices"]]
        field["many"] = told["many"]
    if kind in ("integer", "number"):
        field |= {"minimum": told["min"], "maximum": told["max"], "unit": told["unit"] or ""}
    return field


def answers(draft: Draft, state: State) -> dict[str, Any]:
    """Typed answers by linkId as rules read them: dates as ages in days, what can only be answered or not as text."""
    kinds = _form(draft.version_id)[1]
    today = draft.patient.local_today
    found: dict[str, Any] = {}
    for key, value in state.facts().items():
        kind = kinds.get(key, "text")
        if kind == "date" and isinstance(value, str) and len(value) == 10:
            found[key] = (today - date.fromisoformat(value)).days
        elif kind == "text":
            found[key] = "given"  # never the words: rules can't ask for them, and facts are kept for replay
        else:
            found[key] = value
    return found
