"""Expressions, units, texts, and what is for other systems."""

from __future__ import annotations

from tests.intake.questionnaires.features.rows import CALCULATED, INITIAL, Feature, by_id, said, translated
from tests.intake.questionnaires.forms import choice, expression, ext, item

LAUNCH = ext(
    "sdc:launchContext",
    extension=[
        {"url": "name", "valueCoding": {"code": "patient"}},
        {"url": "type", "valueCode": "Patient"},
    ],
)
KG, LB = (
    {"system": "http://unitsofmeasure.org", "code": code, "display": name}
    for code, name in (("kg", "kg"), ("[lb_av]", "lb"))
)
CATEGORY = ext("questionnaire-displayCategory", valueCodeableConcept={"coding": [{"code": "instructions"}]})

FEATURES: dict[str, Feature] = {
    # ---- expressions -------------------------------------------------------------------------------------------
    "calculatedExpression": Feature(
        (
            choice("a", "no", "yes", scores=True),
            choice("b", "no", "yes", scores=True),
            item(
                "integer",
                "total",
                ext=[expression(CALCULATED, "%resource.item.answer.value.ordinal().sum()")],
            ),
        ),
        {"i.a": "yes", "i.b": "yes"},
        ('<p class="value">2',),
        ('name="i.total"',),
        facts={"total": 2},
    ),
    "variable": Feature(
        (item("integer", "n"), item("integer", "twice", ext=[expression(CALCULATED, "%half * 4")])),
        {"i.n": "6"},
        stores={"n": [6], "twice": [12]},
        root={
            "ext": [
                ext(
                    "variable",
                    valueExpression={
                        "name": "half",
                        "language": "text/fhirpath",
                        "expression": f"{by_id('n')} / 2",
                    },
                )
            ]
        },
    ),
    "initialExpression and launch context": Feature(
        (item("date", "born", ext=[expression(INITIAL, "%patient.birthDate")]),),
        shows=('value="1980-02-29"',),
        stores={"born": ["1980-02-29"]},
        root={"ext": [LAUNCH]},
    ),
    "answerExpression": Feature(
        (
            item("string", "who", repeats=True),
            item("choice", "which", ext=[expression("sdc:answerExpression", by_id("who"))]),
        ),
        {"i.who": ["Ann", "Bo"], "i.which": "Bo"},
        (">Ann<", ">Bo<"),
        stores={"who": ["Ann", "Bo"], "which": ["Bo"]},
    ),
    # ---- units -------------------------------------------------------------------------------------------------
    "unit": Feature(
        (item("quantity", "w", ext=[ext("questionnaire-unit", valueCoding=KG)]),),
        {"i.w": "70"},
        ('class="unit">kg<',),
        stores={"w": [{"value": 70, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}]},
    ),
    "unit options": Feature(
        (
            item(
                "quantity", "w", ext=[ext("questionnaire-unitOption", valueCoding=each) for each in (KG, LB)]
            ),
        ),
        {"i.w": "150", "i.w:unit": "[lb_av]"},
        ("<select",),
        stores={
            "w": [{"value": 150, "unit": "lb", "system": "http://unitsofmeasure.org", "code": "[lb_av]"}]
        },
    ),
    "unitValueSet": Feature(
        (
            item(
                "quantity",
                "t",
                ext=[
                    ext(
                        "questionnaire-unitValueSet",
                        valueCanonical="http://hl7.org/fhir/ValueSet/units-of-time",
                    )
                ],
            ),
        ),
        {"i.t": "2", "i.t:unit": "wk"},
        ("week",),
        stores={"t": [{"value": 2, "unit": "week", "system": "http://unitsofmeasure.org", "code": "wk"}]},
    ),
    "unitValueSet of any unit": Feature(
        (
            item(
                "quantity",
                "t",
                ext=[
                    ext(
                        "questionnaire-unitValueSet",
                        valueCanonical="http://hl7.org/fhir/ValueSet/ucum-common",
                    )
                ],
            ),
        ),
        {"i.t": "2", "i.t:unit": "mg"},
        ("Unit, like kg or days",),
        stores={"t": [{"value": 2, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}]},
    ),
    "units offered, and others": Feature(
        (
            item(
                "quantity",
                "w",
                ext=[
                    *(ext("questionnaire-unitOption", valueCoding=each) for each in (KG, LB)),
                    ext("sdc:unitOpen", valueCode="optionsOrString"),
                ],
            ),
        ),
        {"i.w": "11", "i.w:unit": "Stones"},
        ("Unit: pick one or write another", "<datalist"),
        stores={
            "w": [
                {"value": 11, "unit": "Stones", "system": "http://unitsofmeasure.org", "code": "[stone_av]"}
            ]
        },
        facts={"w:unit": "~other"},
    ),
    # ---- texts -------------------------------------------------------------------------------------------------
    "display category, instructions": Feature(
        (item("display", "d", "Fill in at home.", ext=[CATEGORY]), item("string", "a")),
        shows=('class="note instructions"',),
    ),
    "Markdown": Feature(
        (
            item("display", "d", "plain", _text=said("rendering-markdown", "Some **bold** words")),
            item("string", "a"),
        ),
        shows=("<strong>bold</strong>",),
    ),
    "XHTML, sanitised": Feature(
        (
            item(
                "display",
                "d",
                "plain",
                _text=said("rendering-xhtml", "<div><b onclick='x()'>Bold</b><script>bad()</script></div>"),
            ),
            item("string", "a"),
        ),
        shows=(">Bold<",),
        hides=("onclick", "bad()"),
    ),
    "styles": Feature(
        (item("string", "a", _text=said("rendering-style", "font-weight: bold; color: yellow")),),
        shows=('class="strong"',),
        hides=("yellow",),
    ),
    "translations": Feature(
        (
            item(
                "choice",
                "c",
                "Does it hurt?",
                _text=translated(es="¿Le duele?"),
                answerOption=[
                    {"valueCoding": {"code": "y", "display": "Yes", "_display": translated(es="Sí")}}
                ],
            ),
        ),
        {"i.c": "y"},
        ("¿Le duele?", "Sí"),
        ("Does it hurt?",),
        language="es",
        stores={"c": [{"code": "y", "display": "Yes"}]},
    ),
    # ---- for other systems -------------------------------------------------------------------------------------
    "extraction, population and terminology-server hints": Feature(
        (
            item(
                "string",
                "a",
                definition="http://hl7.org/fhir/StructureDefinition/Observation#Observation.value[x]",
                ext=[
                    ext("sdc:observationExtract", valueBoolean=True),
                    ext("sdc:observationLinkPeriod", valueDuration={"value": 1, "unit": "a"}),
                    ext("preferredTerminologyServer", valueUrl="https://tx.example.org/r4"),
                ],
            ),
        ),
        {"i.a": "x"},
        stores={"a": ["x"]},
        root={"ext": [ext("sdc:sourceStructureMap", valueCanonical="https://example.org/StructureMap/a")]},
    ),
}
