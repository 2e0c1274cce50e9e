"""Red flags in words: a gate on messages kept apart from the examples, and what must hold for any text."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage import checks, publishing, signals
from triage.models import Ruleset
from triage.signals import likeness
from triage.signals.examples import CATEGORIES, examples
from triage.signals.loading import LEARNED

HELD_OUT = [json.loads(line) for line in (Path(__file__).parent / "held_out.jsonl").read_text().splitlines()]


# The gate. What was measured is a little better, so that another machine does not turn it red.
RECALL, ALARMS, ALARMS_IN_ONE = 0.955, 0.065, 0.10
# The same for the parts that were sealed until everything else was done: nearest to what a stranger writes.
SEALED = {"open": (0.93, 0.065), "round3": (0.97, 0.11), "round4": (0.95, 0.065)}
LEVELS = ("urgent", "soon", "routine")
# What each class misses, and alarms for nothing, of its held-out messages: one more of each is let pass.
# A class that is not named had none.
MISSED = {
    "anaphylaxis": 3,
    "bleeding": 1,
    "burn": 1,
    "cardiac": 1,
    "cauda_equina": 1,
    "infant_fever": 2,
    "medicine": 1,
    "overdose": 3,
    "pregnancy": 2,
    "psychosis": 1,
    "seizure": 2,
    "stroke": 1,
    "suicide": 13,
    "violence": 1,
}
ALARMED = {
    "abdomen": 1,
    "bleeding": 1,
    "breathing": 4,
    "burn": 1,
    "cardiac": 1,
    "choking": 1,
    "confusion": 1,
    "diabetic": 3,
    "form": 1,
    "head_injury": 1,
    "meningitis": 1,
    "newborn": 1,
    "other": 9,
    "overdose": 3,
    "pregnancy": 4,
    "psychosis": 1,
    "seizure": 1,
    "sepsis": 1,
    "stroke": 1,
    "suicide": 2,
    "symptom": 5,
    "trauma": 1,
    "unconscious": 1,
    "violence": 3,
}
SLACK = 1
# The file all of this was measured with. Whoever learns anew measures anew, then writes its hash here.
MEASURED = "1ab1d17eafc6879c20a7b54e16dd47a2f7d670b49f3f65d3934f1c4094e5127c"


@pytest.fixture(scope="module")
def found() -> list[tuple[dict[str, str], signals.Reading]]:
    """Every held-out message with what is read in it."""
    made = []
    for language in ("en", "es"):
        rows = [row for row in HELD_OUT if row["language"] == language]
        made += zip(rows, signals.read_many([row["text"] for row in rows], language), strict=True)
    return made


def share(found: list[tuple[dict[str, str], signals.Reading]], **wanted: str) -> float:
    """How many of the held-out messages of this kind are read as an emergency."""
    chosen = [reading for row, reading in found if wanted.items() <= row.items()]
    return sum(reading.emergency for reading in chosen) / len(chosen)


def test_the_held_out_messages_are_many_and_more_of_them_are_routine_than_urgent() -> None:
    assert len(HELD_OUT) >= 400
    assert {row["level"] for row in HELD_OUT} == set(LEVELS)
    routine = [row for row in HELD_OUT if row["level"] == "routine"]
    urgent = [row for row in HELD_OUT if row["level"] == "urgent"]
    assert len(routine) >= len(urgent) >= 0.4 * len(HELD_OUT)
    written = {example.text for example in examples()}
    assert not [row["text"] for row in HELD_OUT if row["text"] in written]


def test_the_meaning_model_is_there_and_was_learned_from_the_present_examples() -> None:
    status = signals.status()
    assert status["meaning"], status["why"]
    assert status["learned"], status["why"]


def test_what_was_learned_is_the_file_that_was_measured() -> None:
    """No other file takes its place unseen."""
    assert hashlib.sha256(LEARNED.read_bytes()).hexdigest() == MEASURED


@pytest.mark.parametrize("language", ["en", "es"])
def test_most_emergencies_nobody_wrote_an_example_of_are_seen(found, language: str) -> None:
    assert share(found, level="urgent", language=language) >= RECALL - 0.02
    assert share(found, level="urgent") >= RECALL


@pytest.mark.parametrize("language", ["en", "es"])
def test_few_everyday_messages_are_taken_for_emergencies(found, language: str) -> None:
    assert share(found, level="routine", language=language) <= ALARMS_IN_ONE
    assert share(found, level="routine") <= ALARMS


@pytest.mark.parametrize("part", SEALED)
def test_what_was_sealed_until_the_end_is_read_nearly_as_well(found, part: str) -> None:
    recall, alarms = SEALED[part]
    assert share(found, level="urgent", part=part) >= recall
    assert share(found, level="routine", part=part) <= alarms


@pytest.mark.parametrize("code", sorted({row["code"] for row in HELD_OUT if row["level"] == "urgent"}))
def test_no_class_of_emergency_is_missed_more_than_the_others(found, code: str) -> None:
    mine = [reading for row, reading in found if row["code"] == code and row["level"] == "urgent"]
    assert sum(not reading.emergency for reading in mine) <= MISSED.get(code, 0) + SLACK


@pytest.mark.parametrize("code", sorted({row["code"] for row in HELD_OUT if row["level"] == "routine"}))
def test_no_class_alarms_for_nothing_more_than_the_others(found, code: str) -> None:
    mine = [reading for row, reading in found if row["code"] == code and row["level"] == "routine"]
    assert sum(reading.emergency for reading in mine) <= ALARMED.get(code, 0) + SLACK


def test_the_suggested_category_is_mostly_what_the_message_asks_for(found) -> None:
    asked = [(row["code"], reading.category) for row, reading in found if row["code"] in CATEGORIES]
    assert len(asked) >= 40
    assert sum(code == category for code, category in asked) / len(asked) >= 0.75


def test_many_texts_read_together_are_read_as_each_alone() -> None:
    rows = [row for row in HELD_OUT if row["language"] == "en"][::7]
    texts = [row["text"] for row in rows] + ["", "\x00", " ".join(row["text"] for row in rows)]
    assert signals.read_many(texts) == [signals.read(text) for text in texts]


def test_every_class_has_examples_of_both_kinds_in_both_languages() -> None:
    # "911" and "dying" are all of a text or nothing, so there is no sentence to be like.
    for code in {code for code, _label in signals.codes()} - {"emergency"}:
        for language in ("en", "es"):
            mine = [one for one in examples() if one.code == code and one.language == language]
            assert mine, (code, language)


def test_without_the_meaning_model_phrases_and_wording_go_on_alone(monkeypatch) -> None:
    known = likeness.likeness()
    assert known is not None
    monkeypatch.setattr(known, "meaning", None)
    reading = signals.read("I have crushing chest pain and I can't breathe, left arm numb, sweating")
    assert reading.emergency
    assert not signals.read("Please send my lisinopril to the pharmacy on Main Street.").emergency


@pytest.mark.parametrize(
    ("plain", "other"),
    [
        ("tengo dolor en el pecho y no puedo respirar", "TENGO DOLOR EN EL PECHO Y NO PUEDO RESPIRAR"),
        ("mi mamá no despierta y está morada", "mi mama no despierta y esta morada"),
        ("I can't breathe and my lips are blue", "I CAN'T BREATHE AND MY LIPS ARE BLUE!!! 😱😱"),
    ],
)
def test_capitals_accents_and_emoji_change_nothing(plain: str, other: str) -> None:
    assert signals.read(plain, "es").emergency
    assert signals.read(other, "es").emergency


def test_an_emergency_in_a_very_long_text_is_seen() -> None:
    padding = "I like to walk in the park with my dog. " * 700
    long = padding + "My chest is being crushed, my left arm is numb and I can't breathe. " + padding
    assert signals.read(long).emergency


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I have crushing chest pain and can't breathe", "en"),
        ("My face is drooping on one side and my speech is slurred", "en"),
        ("I don't want to live any more and I have the pills here", "en"),
        ("Tengo un dolor muy fuerte en el pecho y no puedo respirar", "es"),
        ("No fever, but I can't breathe", "en"),
    ],
)
def test_plain_words_for_an_emergency_are_urgent_and_say_why(text: str, language: str) -> None:
    reading = signals.read(text, language)
    assert reading.emergency
    assert all(signal.reason for signal in reading.signals)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Refill please. I want to kill myself.", "en"),
        ("Please refill my sertraline. I think about ending my life every day.", "en"),
        ("I need to move Tuesday's visit. I took the whole bottle an hour ago.", "en"),
        ("Losartan 50 mg, me las tomé todas porque me quiero morir", "es"),
    ],
)
def test_who_says_it_outright_is_heard_whatever_stands_around_it(text: str, language: str) -> None:
    assert signals.read(text, language).emergency


@pytest.mark.parametrize(
    "text",
    [
        "I have no chest pain and no trouble breathing, I only need my refill.",
        "My father had a stroke ten years ago.",
        "Please send my lisinopril to the pharmacy on Main Street.",
        "I have a question about the bill from March.",
    ],
)
def test_what_is_denied_past_or_ordinary_is_no_emergency(text: str) -> None:
    assert not signals.read(text).emergency


@pytest.mark.parametrize(
    "fluster",
    [
        "My toddler is pulling at my sleeve so excuse the mess.",
        "I am beside myself with worry.",
        "Sorry, my thumbs are too fat for this keyboard.",
        "I have been a bundle of nerves since Tuesday.",
    ],
)
def test_how_upset_somebody_is_makes_no_emergency(fluster: str) -> None:
    for text in (
        "Can you refill my lisinopril? Ten tablets left.",
        "I got a second bill for the same visit.",
        "Two days ago I took my vitamin twice. I feel fine.",
    ):
        reading = signals.read(f"{fluster} {text}")
        assert not reading.emergency, reading.signals


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Please send my rosuvastatin to Harbor Drugs.", "en"),
        ("Refill of rosuvastatin 10 mg and ezetimibe, Harbor Drugs on Pine Street.", "en"),
        ("My pharmacy is Harbor Drugs now, it was Discount Drug before. Losartan please.", "en"),
        ("Metoprolol, 90 days, to Kill Devil Hills Drug Store.", "en"),
        ("Levothyroxine to the pharmacy on Shotgun Lane, thanks. Tom Slaughter", "en"),
        ("Dr. Payne asked me to send the eye report to Dr. Coffin.", "en"),
        ("Atorvastatin please, Battle Creek Drugs, attention Mr. Bleeds.", "en"),
        ("Our new address is 12 Hart Attaway Road, Battle Ground.", "en"),
        ("Please update my insurance: Guardian Life, the agent is Joy Killian.", "en"),
        ("Nitrofurantoin is finished and all is well, please close that one.", "en"),
        ("Mande la rosuvastatina a la farmacia Harbor Drugs, por favor.", "es"),
        ("Losartán a la farmacia La Sangre de Cristo, gracias.", "es"),
        ("La doctora Dolores Matamoros me pidió la carta para el trabajo.", "es"),
        ("Ahora vivo en la calle Muerto Viejo 14, en Matanzas.", "es"),
    ],
)
def test_the_name_of_a_person_a_place_or_a_medicine_is_no_emergency(text: str, language: str) -> None:
    reading = signals.read(text, language)
    assert not reading.emergency, reading.signals


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    "text",
    [
        "Some words", "Maya Ortiz", "Kurt Keys", "my husband", "daughter", "Two weeks", "Left knee", "every morning",
        "she/her", "n/a", "blue", "not sure", "I don't know", "I'm not sure.", "None of the above", "No sé", "Yo no sé",
        "Same as before", "Not that I know of", "Prefiero no decir", "On the elbow", "On my left arm", "Behind the ear",
        "About two weeks ago", "All over my back", "My older sister", "Not right now", "Comes and goes",
        "Desde el lunes", "En las dos piernas", "Para mi hijo", "Va y viene",
    ],
)  # fmt: skip
def test_a_short_answer_that_says_nothing_of_how_somebody_is_is_like_nothing(
    text: str, language: str
) -> None:
    """Forms ask for names, places and since when; what such words do say is still read."""
    assert not signals.read(text, language).signals


@pytest.mark.parametrize(
    "text",
    [
        "can't breathe", "Chest pain", "chest tight", "overdose", "took pills", "swallowed bleach", "severe bleeding",
        "lips blue", "heart attack", "stroke", "Face drooping", "slurred speech", "can't see", "can't pee", "gasping",
        "anaphylaxis", "Throat closing", "hitting me", "being beaten", "cut wrists", "want die", "suicidal", "seizing",
        "fever 105", "sugar 480", "bp 220/130", "oxygen 82%", "water broke", "house fire", "stabbed", "hit head",
        "dying", "I'm dying", "epipen used", "EMERGENCY", "need ambulance", "SOS", "911", "help me!",
        "convulsiones", "me asfixio", "infarto", "No respira", "quiero morir", "me pega", "tomé pastillas", "me muero",
        "emergencia", "no veo", "cara caída",
    ],
)  # fmt: skip
def test_a_word_or_two_that_say_an_emergency_are_one(text: str) -> None:
    assert signals.read(text).emergency


@pytest.mark.parametrize(
    "text",
    ["my left arm is numb", "half my face droops", "all my pills at once", "both legs gone numb", "my last night here",
     "my wife is not waking", "since monday he wheezes at night and his lips are blue"],
)  # fmt: skip
def test_one_more_word_than_where_and_when_is_read_as_ever(text: str) -> None:
    assert signals.read(text).signals


@pytest.mark.parametrize(
    "text",
    ["no chest pain", "not suicidal", "no seizures", "stroke clinic", "heart attack 1998", "flu shot", "poison ivy",
     "ambulance bill", "dead battery", "sin convulsiones"],
)  # fmt: skip
def test_words_that_are_an_emergency_alone_are_none_beside_others(text: str) -> None:
    assert not signals.read(text).emergency


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    "text",
    [
        "Lisinopril 10 mg",
        "Doxycycline 100 mg",
        "Ibuprofen 600mg",
        "Methotrexate 2.5 mg",
    ],
)
def test_a_medicine_with_its_strength_says_nothing_about_how_somebody_is(text: str, language: str) -> None:
    """Every refill has such a line; what is said around it is read as ever."""
    assert not signals.read(text, language).signals
    assert signals.read(f"{text}, I took all 30 of them because I want to die", "en").emergency


NAMED_ALONE = [
    ("Morphine", "en"),
    ("Morfina", "es"),
    ("Digoxin 125 mcg", "en"),
    ("Digoxina 125 mcg", "es"),
    ("The blue one.", "en"),
    ("Las verdes", "es"),
    ("Same as last time", "en"),
    ("Warfarin", "en"),
    ("insulina", "es"),
]


@pytest.mark.parametrize(("text", "language"), NAMED_ALONE)
def test_a_medicine_named_alone_is_no_emergency(text: str, language: str) -> None:
    assert not signals.read(text, language).emergency


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I took all my morphine", "en"),
        ("Me tomé toda la morfina de una vez", "es"),
        ("I took the whole bottle of digoxin", "en"),
        ("I took all of the blue ones an hour ago", "en"),
        ("I've worked out the day and how", "en"),
    ],
)
def test_the_same_few_words_with_danger_in_them_are_one(text: str, language: str) -> None:
    assert signals.read(text, language).emergency


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I'm 16 and want to start birth control. Can this stay between us?", "en"),
        ("I'm 15, my acne cream stings a bit. Is there another one? Please don't tell my mom I wrote.", "en"),
        (
            "I'm stressed about exams and a little sad lately, but ok. Is there a counselor I can see privately?",
            "en",
        ),
        ("Can you fill the school sports form? I'm 14 and healthy.", "en"),
        ("I'm 17, which of the STI tests need blood? I have no symptoms. Confidential please.", "en"),
        ("My period is late by two days, I'm 16 and haven't had sex. Is that normal?", "en"),
        ("Tengo 16 y quiero anticonceptivos. ¿Se queda entre nosotros?", "es"),
        ("Tengo 15 y me salen granos, ¿qué crema me pongo? No le diga a mi mamá.", "es"),
        ("Ando algo triste por los exámenes pero estoy bien, ¿hay una consejera con quien hablar?", "es"),
    ],
)
def test_what_a_teenager_asks_in_confidence_is_no_emergency(text: str, language: str) -> None:
    reading = signals.read(text, language)
    assert not reading.emergency, reading.signals


def test_the_check_and_the_pages_say_when_the_model_is_not_there(monkeypatch, tmp_path) -> None:
    assert signals.trouble() == ""
    assert checks.signals_whole() == []
    monkeypatch.setattr(likeness, "locate", lambda: tmp_path)
    assert "phrases and wording alone" in signals.trouble()
    (warning,) = checks.signals_whole()
    assert (warning.id, warning.msg) == ("triage.W003", signals.trouble())
    assert publishing.warnings(Ruleset(signals_version="")) == [signals.trouble()]


def test_a_language_that_cannot_be_read_is_said_to_be_unscreened() -> None:
    assert not signals.read(
        "Je ne me sens pas bien depuis hier et j'ai de la fièvre, que dois-je faire ?"
    ).screened


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=400), st.sampled_from(["en", "es", "xx"]))
def test_no_text_makes_it_raise_and_every_span_lies_in_the_text(text: str, language: str) -> None:
    reading = signals.read(text, language)
    assert signals.Reading.from_json(reading.to_json()) == reading
    assert all(0 <= signal.start <= signal.end <= len(text) for signal in reading.signals)


@pytest.mark.parametrize("text", ["", "\x00" * 10, "x" * 200_000, "💊" * 500, "\ud800"])
def test_odd_texts_are_read_too(text: str) -> None:
    signals.read(text)
