"""Rules and promises as YAML, to be read and reviewed in version control. The round trip is exact.

    ruleset: 12
    signals: '3'
    fallback: front-desk
    rules:
      - name: Emergency words
        stage: safety
        when: {field: signal.emergency, op: is, value: true}
        then: {urgency: urgent}
    promises:
      - name: An emergency is urgent
        whenever: {field: signal.emergency, op: is, value: true}
        never: {field: decision.urgency, op: lt, value: urgent}

Reading accepts less than YAML does. There are no anchors, aliases or tags: a few lines of them can stand for
gigabytes. No key comes twice, for YAML would silently keep one of them. Words are words: `no` is Norwegian
and not false.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import yaml

from triage.fields import Field, Json
from triage.promises import Promise, read_promises
from triage.ruleset import MAX_RULES, Problem, Ruleset, RulesetError, compile_ruleset

MAX_CHARACTERS: Final = 10_000_000
MAX_DEPTH: Final = 40
_Parser: Any = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)  # libyaml where the wheel has it; the same events

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,25}(?:[eE][-+]?[0-9]{1,3})?")
_WORDS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}


class Loaded(NamedTuple):
    ruleset: Ruleset
    promises: tuple[Promise, ...]


# --- writing


class _Flow(dict[str, Json]):
    """A mapping that is written on one line."""


class _Row(list[Json]):
    """A list that is written on one line."""


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)  # lists are indented under their key

    def ignore_aliases(self, data: object) -> bool:
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    """Lines stay lines. What can't be printed is escaped, since YAML would fold some of it into a space."""
    lines = text.split("\n")
    style = None if text.isprintable() else '"'
    if style and all(line.isprintable() and line == line.strip() != "" for line in lines):
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(
    _Flow,
    lambda dumper, data: dumper.represent_mapping("tag:yaml.org,2002:map", data.items(), flow_style=True),
)
_Dumper.add_representer(
    _Row, lambda dumper, data: dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=True)
)


def dump(ruleset: Ruleset, promises: Sequence[Promise] = ()) -> str:
    """The ruleset and its promises as YAML, in their order: the same rules always give the same text."""
    told: dict[str, Json] = {"ruleset": ruleset.number}
    if ruleset.signals_version:
        told["signals"] = ruleset.signals_version
    told["fallback"] = ruleset.fallback
    told["rules"] = [_neat(rule.to_json()) for rule in ruleset.rules]
    if promises:
        told["promises"] = [_neat(promise.to_json()) for promise in promises]
    return yaml.dump(told, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def _neat(told: Mapping[str, Json]) -> dict[str, Json]:
    """Tests and outcomes on one line each, groups as blocks."""
    return {word: _neat_part(value) if isinstance(value, Mapping) else value for word, value in told.items()}


def _neat_part(told: Mapping[str, Json]) -> Mapping[str, Json]:
    [(word, inner), *more] = told.items()
    if more or word not in ("all", "any", "not"):
        return _Flow({key: _Row(v) if isinstance(v, list) else v for key, v in told.items()})
    return {word: _neat_part(inner) if word == "not" else [_neat_part(part) for part in inner]}


# --- reading


def load(
    text: str, catalogue: Mapping[str, Field] | None = None, *, queues: Collection[str] | None = None
) -> Loaded:
    """The ruleset and promises in this text, checked as `compile_ruleset` and `read_promises` check them.

    Raises RulesetError with all problems, each with the name of its rule and the field in it.
    """
    if len(text) > MAX_CHARACTERS:
        raise RulesetError([Problem("", "", f"The text is longer than {MAX_CHARACTERS} characters.")])
    reading = _Reading(text)
    told = reading.document()
    if not isinstance(told, dict):
        raise RulesetError([*reading.named(told), Problem("", "", "The text needs “fallback” and “rules”.")])
    problems = reading.named(told)
    for word in told:
        if word not in ("ruleset", "signals", "fallback", "rules", "promises"):
            problems.append(Problem("", str(word), f"“{word}” is not part of a ruleset."))
    number, signals = told.get("ruleset", 0), told.get("signals", "")
    if type(number) is not int or number < 0:
        problems.append(Problem("", "ruleset", "The number of the ruleset is a whole number."))
    if not isinstance(signals, str):
        problems.append(Problem("", "signals", "The version of the signals is text; put it in quotes."))
    rules, promised = told.get("rules"), told.get("promises", [])
    if not isinstance(rules, list):
        problems.append(Problem("", "rules", "A ruleset needs a list of rules."))
    if not isinstance(promised, list):
        problems.append(Problem("", "promises", "Promises are a list."))
    ruleset, promises = None, None
    if isinstance(rules, list):
        try:
            ruleset = compile_ruleset(
                rules,
                number,
                catalogue,
                fallback=told.get("fallback", ""),
                signals_version=signals,
                queues=queues,
            )
        except RulesetError as wrong:
            problems.extend(wrong.problems)
    if isinstance(promised, list):
        try:
            promises = read_promises(promised, catalogue, queues=queues)
        except RulesetError as wrong:
            problems.extend(wrong.problems)
    if problems or ruleset is None or promises is None:
        raise RulesetError(problems)
    return Loaded(ruleset, promises)


Path = tuple[str | int, ...]


class _Reading:
    """Builds plain data from YAML's events, and gathers what is refused on the way, by where it stands."""

    def __init__(self, text: str) -> None:
        self.events: Iterator[yaml.Event] = yaml.parse(text, Loader=_Parser)
        self.refused: list[tuple[Path, int, str]] = []
        self.rules = 0

    def document(self) -> Json:
        """The data of the one document. Raises RulesetError where it is no YAML."""
        told: Json = None
        documents = 0
        try:
            for event in self.events:
                if isinstance(event, yaml.DocumentStartEvent):
                    documents += 1
                    if documents > 1:
                        self.refuse((), event, "There is more than one document in the text.")
                        break
                    told = self.node(next(self.events), ())
        except yaml.MarkedYAMLError as wrong:
            line = wrong.problem_mark.line + 1 if wrong.problem_mark else 0
            raise RulesetError(
                [Problem("", f"line {line}", f"This is not YAML: {wrong.problem}.")]
            ) from wrong
        except yaml.YAMLError as wrong:
            raise RulesetError(
                [Problem("", "", "The text holds characters that YAML does not allow.")]
            ) from wrong
        return told

    def refuse(self, path: Path, event: yaml.Event, sentence: str) -> None:
        self.refused.append((path, _line(event), sentence))

    def node(self, event: yaml.Event, path: Path) -> Json:
        if isinstance(event, yaml.AliasEvent):
            self.refuse(path, event, f"“*{event.anchor}” is an alias; write out what it stands for.")
            return None
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            self.refuse(path, event, f"“&{event.anchor}” is an anchor; there are none in rules.")
        if getattr(event, "tag", None) is not None:
            self.refuse(path, event, f"“{event.tag}” is a tag; there are none in rules.")  # type: ignore[attr-defined]
        if len(path) > MAX_DEPTH:
            raise RulesetError([Problem("", f"line {_line(event)}", "This is nested too deep.")])
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event)
        return self.mapping(path) if isinstance(event, yaml.MappingStartEvent) else self.sequence(path)

    def sequence(self, path: Path) -> list[Json]:
        items: list[Json] = []
        for event in self.events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            if len(items) >= MAX_RULES:
                sentence = f"Line {_line(event)}: A list has more than {MAX_RULES} entries."
                raise RulesetError([Problem("", _joined(path), sentence)])
            items.append(self.node(event, (*path, len(items))))
        return items

    def mapping(self, path: Path) -> dict[str, Json]:
        told: dict[str, Json] = {}
        for event in self.events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = event.value if isinstance(event, yaml.ScalarEvent) else None
            if key is None:
                self.refuse(path, event, "A key is a word.")
                self.node(event, path)
            elif key in told:
                self.refuse((*path, key), event, f"“{key}” comes twice.")
            value = self.node(next(self.events), (*path, key or "?"))
            if key is not None:
                told.setdefault(key, value)
        return told

    def named(self, told: Json) -> list[Problem]:
        """What was refused, with the name of the rule or promise in which it stands."""
        return [
            Problem(*_place(told, path), f"Line {line}: {sentence}") for path, line, sentence in self.refused
        ]


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _scalar(event: yaml.ScalarEvent) -> Json:
    """Only plain words can be other than text: true, false, null, whole numbers and decimals."""
    text = event.value
    if event.style or not event.implicit[0]:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _place(told: Json, path: Path) -> tuple[str, str]:
    """The rule's name, and the field in it, of a path such as ("rules", 3, "then", "queue")."""
    name = ""
    if len(path) > 1 and path[0] in ("rules", "promises") and isinstance(path[1], int):
        entry = told[path[0]][path[1]]
        told_name = entry.get("name") if isinstance(entry, dict) else None
        name = str(told_name or f"{str(path[0]).removesuffix('s')} {path[1] + 1}")
        path = path[2:]
    return name, _joined(path)


def _joined(path: Path) -> str:
    joined = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return joined.removeprefix(".")
