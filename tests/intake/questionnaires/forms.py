"""Small questionnaires for the tests, written here; nothing in them comes from a published form."""

import datetime as dt
from typing import Any

from intake.questionnaires import Context, Questionnaire, State, evaluate, load

FHIR = "http://hl7.org/fhir/StructureDefinition/"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/"
SYSTEM = "https://example.org/codes"
NEW_YORK = dt.timezone(dt.timedelta(hours=-4))

CONTEXT = Context(
    today=dt.date(2025, 5, 20),
    now=dt.datetime(2025, 5, 20, 9, 30, tzinfo=NEW_YORK),
    patient={
        "id": "7",
        "birthDate": "1980-02-29",
        "gender": "female",
        "name": "Maya Ortiz",
        "language": "es",
    },
    user={"name": "Maya Ortiz"},
)


def ext(name: str, /, **value: Any) -> dict[str, Any]:
    """An extension: a bare name is one of the core's, "sdc:name" one of SDC's questionnaire extensions."""
    if name.startswith("sdc:"):
        return {"url": f"{SDC}sdc-questionnaire-{name[4:]}", **value}
    return {"url": name if "://" in name else FHIR + name, **value}


def expression(name: str, text: str, /, **more: Any) -> dict[str, Any]:
    return ext(name, valueExpression={"language": "text/fhirpath", "expression": text, **more})


def control(code: str) -> dict[str, Any]:
    concept = {"coding": [{"system": "http://hl7.org/fhir/questionnaire-item-control", "code": code}]}
    return ext("questionnaire-itemControl", valueCodeableConcept=concept)


def item(kind: str, link_id: str, text: str = "", /, **more: Any) -> dict[str, Any]:
    extensions = more.pop("ext", None)
    made = {"linkId": link_id, "type": kind, "text": text or f"About {link_id}", **more}
    if extensions:
        made["extension"] = extensions
    return made


def group(link_id: str, *items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return item("group", link_id, item=list(items), **more)


def coded(*codes: str, scores: bool = False) -> list[dict[str, Any]]:
    """Answer options with these codes; with `scores`, worth 0, 1, 2 …"""
    return [
        {
            "valueCoding": {"system": SYSTEM, "code": code, "display": code.title()},
            **({"extension": [ext("ordinalValue", valueDecimal=number)]} if scores else {}),
        }
        for number, code in enumerate(codes)
    ]


def choice(link_id: str, *codes: str, scores: bool = False, **more: Any) -> dict[str, Any]:
    return item("choice", link_id, answerOption=coded(*codes, scores=scores), **more)


def when(question: str, operator: str, **answer: Any) -> dict[str, Any]:
    return {"question": question, "operator": operator, **answer}


def resource(*items: dict[str, Any], **root: Any) -> dict[str, Any]:
    extensions = root.pop("ext", None)
    made = {
        "resourceType": "Questionnaire",
        "status": "active",
        "url": "https://example.org/Questionnaire/test",
        "title": "A test",
        "item": list(items),
        **root,
    }
    if extensions:
        made["extension"] = extensions
    return made


def form(*items: dict[str, Any], **root: Any) -> Questionnaire:
    sets = root.pop("value_sets", ())
    return load(resource(*items, **root), value_sets=sets)


def answer(q: Questionnaire, language: str = "en", /, context: Any = CONTEXT, **raw: Any) -> State:
    """The state after these answers, named by plain linkIds: answer(q, age="7", likes=["a", "b"])."""
    return posted(q, {f"i.{name}": value for name, value in raw.items()}, language, context)


def posted(q: Questionnaire, raw: dict[str, Any], language: str = "en", context: Context = CONTEXT) -> State:
    listed = {name: [value] if isinstance(value, str) else list(value) for name, value in raw.items()}
    return evaluate(q, listed, context, language)


def messages(state: State) -> dict[str, str]:
    """The first message for each field."""
    found: dict[str, str] = {}
    for error in state.errors:
        found.setdefault(error.name, error.message)
    return found


def answers_of(state: State) -> dict[str, list[Any]]:
    """Every answer in the response, by linkId: the content of its value[x]."""
    found: dict[str, list[Any]] = {}
    waiting = list(state.response().get("item", []))
    while waiting:
        entry = waiting.pop(0)
        waiting.extend(entry.get("item", []))
        for given in entry.get("answer", []):
            waiting.extend(given.get("item", []))
            found.setdefault(entry["linkId"], []).append(
                next(value for key, value in given.items() if key.startswith("value"))
            )
    return found
