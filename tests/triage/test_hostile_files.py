"""Files that nobody meant well with, through both commands: each is refused in sentences, and nothing is stored."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.clinic import Clinic
from triage.models import Ruleset

ALWAYS: Any = {"always": True}


def rules(*told: Any, **more: Any) -> bytes:
    """A file with these rules; JSON is YAML."""
    return json.dumps({"fallback": "triage", "rules": list(told), **more}).encode()


def odd(**more: Any) -> Any:
    return {"name": "odd", "stage": "assignment", "when": ALWAYS, "then": {"queue": "triage"}, **more}


def where(field: Any, op: Any, value: Any) -> Any:
    return odd(when={"field": field, "op": op, "value": value})


# What is wrong: the file, and what the refusal has to name.
FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "needs"),
    "only a word": (b"rules", "needs"),
    "only a list": (b"- 1\n- 2\n", "needs"),
    "no text at all": (b"\xff\xfe\x80\xe9", "can't be read"),
    "a zero byte": (b'rules: "a\0b"\n', "characters"),
    "a bomb of anchors": (b"a: &a [x, x]\nb: &b [*a, *a]\nrules: [*b, *b]\n", "anchor"),
    "a merged key": (b"x: &x {a: 1}\nrules:\n  - <<: *x\n", "anchor"),
    "a tag that runs code": (b'rules: !!python/object/apply:os.system ["true"]\n', "tag"),
    "two documents": (b"rules: []\n---\nrules: []\n", "more than one document"),
    "a tab": (b"rules:\n\t- x\n", "line 2"),
    "lists without end": (b"rules: " + b"[" * 5000 + b"]" * 5000, "nested too deep"),
    "mappings without end": (b"rules: " + b"{a: " * 3000 + b"1" + b"}" * 3000, "nested too deep"),
    "a key twice": (b"fallback: triage\nfallback: billing\nrules: []\n", "fallback"),
    "a number of 5,000 digits": (b"fallback: triage\nrules: []\nruleset: " + b"9" * 5000, "ruleset"),
    "an unknown key": (rules(odd(), bogus=1), "bogus"),
    "an unknown key of a rule": (rules(odd(bogus=1)), "odd"),
    "an unknown outcome": (rules(odd(then={"queue": "triage", "bogus": 1})), "odd"),
    "a rule that is a number": (rules(7), "rule 1"),
    "a name that is a list": (rules(odd(name=["a"])), "rule 1"),
    "a name twice": (rules(odd(), odd()), "odd"),
    "a stage that is a list": (rules(odd(stage=["safety"])), "odd"),
    "a condition that is a number": (rules(odd(when=5)), "odd"),
    "an empty group": (rules(odd(when={"any": []})), "odd"),
    "not of a list": (rules(odd(when={"not": [ALWAYS]})), "odd"),
    "a field that is a list": (rules(where(["patient.age"], "is", 1)), "odd"),
    "an operator that is a mapping": (rules(where("patient.age", {}, 1)), "odd"),
    "a value of another type": (rules(where("patient.age", "lt", "old")), "odd"),
    "an age that is true": (rules(where("patient.age", "lt", True)), "odd"),
    "a pattern": (rules(where("request.type", "matches", "(a+)+$")), "odd"),
    "a question that is gone": (rules(where("answer.refill.gone", "is", "x")), "odd"),
    "a queue that is a number": (rules(odd(then={"queue": 5})), "odd"),
    "an urgency that is none": (rules(odd(then={"queue": "triage", "urgency": "panic"})), "odd"),
    "tags that are a mapping": (rules(odd(then={"queue": "triage", "tags": {"a": 1}})), "odd"),
    "minutes below nothing": (rules(odd(then={"queue": "triage", "respond_within": -5})), "odd"),
    "minutes without end": (rules(odd(then={"queue": "triage", "respond_within": 10**17})), "odd"),
    "a name longer than a page": (rules(odd(name="x" * 100_000)), "name"),
    "promises that are a word": (rules(odd(), promises="none"), "promises"),
    "a promise without its never": (rules(odd(), promises=[{"name": "half", "whenever": ALWAYS}]), "half"),
    "a fallback that is a list": (rules(odd(), fallback=["triage"]), "fallback"),
    "10,001 rules": (
        rules(*(odd(name=f"r{n}") for n in range(10_001))),
        "rules: Line 1: A list has more than 5000 entries",
    ),
}
CASES = [pytest.param(content, word, id=name) for name, (content, word) in FILES.items()]


@pytest.mark.parametrize(("content", "word"), CASES)
def test_both_commands_refuse_it_and_name_the_place(
    clinic: Clinic, tmp_path: Path, content: bytes, word: str
) -> None:
    file = tmp_path / "rules.yaml"
    file.write_bytes(content)
    with pytest.raises(CommandError) as refused:
        call_command("rules", "import", str(file))
    assert word in str(refused.value)
    assert not Ruleset.objects.filter(status=Ruleset.Status.DRAFT).exists()
    if word == "can't be read":
        with pytest.raises(CommandError, match=word):
            call_command("prove", "--file", str(file), "--json")
        return
    out = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("prove", "--file", str(file), "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert (stopped.value.code, told["proven"]) == (1, False)
    assert word in " ".join(told["problems"])
