"""From a Questionnaire resource to `Questionnaire`: one pass that reads every item and notes every fault it meets."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from . import extensions as ext
from .checks import check_items
from .items import KINDS, NO_ANSWER, Condition, Item, Limits, Page, Questionnaire, Unit, Wording
from .options import read_options
from .pages import make_pages
from .problems import Findings
from .reading import DEEPEST_ITEM, MOST_ITEMS, check_tree, read
from .scripts import Scripts
from .valuesets import NotKnown, ValueSets
from .wording import display_item_role, read_wording

TEXT_KINDS = frozenset({"string", "text", "url"})
_CONTROLS_READ = frozenset({
    "radio-button", "drop-down", "check-box", "slider", "autocomplete", "text-box", "spinner", "text-area", "lookup",
    "page", "header", "footer", "gtable", "table", "htable", "grid", "atable", "list", "tab-container",
})  # fmt: skip


def inspect(raw: bytes) -> Questionnaire:
    """A questionnaire from the bytes somebody uploaded. Raises QuestionnaireError, whatever the bytes are."""
    return load(read(raw))


def load(resource: Mapping[str, Any], *, value_sets: Sequence[Mapping[str, Any]] = ()) -> Questionnaire:
    """Read and check an R4 Questionnaire; `value_sets` are ValueSet and CodeSystem resources it may refer to.

    Raises QuestionnaireError with every problem found, when using the form would silently change its meaning. What
    is odd but harmless is in `.warnings`.
    """
    findings = Findings()
    check_tree(resource)
    if resource.get("resourceType") != "Questionnaire":
        findings.refuse("resourceType", "resource", "This is not a Questionnaire.")
        findings.raise_if_refused()
    resource = copy.deepcopy(dict(resource))
    reader = _Reader(resource, value_sets, findings)
    q = reader.questionnaire()
    findings.raise_if_refused()
    from .trial import try_out

    try_out(q, findings)
    findings.raise_if_refused()
    return _with_warnings(q, findings)


def _with_warnings(q: Questionnaire, findings: Findings) -> Questionnaire:
    object.__setattr__(q, "warnings", tuple(findings.warnings))
    return q


class _Reader:
    def __init__(self, resource: dict[str, Any], value_sets: Sequence[Mapping[str, Any]], findings: Findings) -> None:
        self.resource = resource
        self.findings = findings
        contained = resource.get("contained", [])
        if not isinstance(contained, list):
            findings.refuse("Questionnaire.contained", "contained", "“contained” must be a list of resources.")
            contained = []
        self.sets = ValueSets(contained, value_sets)
        self.scripts = Scripts(resource, findings)
        self.seen: dict[str, str] = {}
        self.language = resource.get("language") if isinstance(resource.get("language"), str) else "en"

    def questionnaire(self) -> Questionnaire:
        found, resource = self.findings, self.resource
        self._check_root()
        self.scripts.open(resource, "Questionnaire")
        listed = resource.get("item", [])
        items = self._items(listed, "Questionnaire", None, 1)
        if not items and not found.problems:
            found.refuse("Questionnaire.item", "item", "The form has no questions.")
        titles = read_wording(resource, "title", "Questionnaire", self.scripts, found)
        title = titles.plain or str(resource.get("name") or "")
        q = Questionnaire(
            resource=resource,
            title=title,
            items=items,
            pages=(),
            variables=self.scripts.variables_of(resource),
            constraints=self.scripts.constraints(resource, "Questionnaire"),
            launch=self.scripts.launch,
            language=self.language or "en",
            titles=titles,
        )
        if not found.problems:
            check_items(q, found)
            self._check_contained()
        if not found.problems:
            pages, header, footer = make_pages(q)
            for name, value in (("pages", pages), ("header", header), ("footer", footer)):
                object.__setattr__(q, name, value)
        return q

    def _check_root(self) -> None:
        found, resource = self.findings, self.resource
        if resource.get("implicitRules"):
            found.refuse("Questionnaire.implicitRules", "implicitRules", "The form follows rules that are not known here.")
        status = resource.get("status")
        if status not in ("draft", "active", "retired", "unknown"):
            found.warn("Questionnaire.status", "status", "R4 wants a status: draft, active, retired or unknown.")
        elif status == "retired":
            found.warn("Questionnaire.status", "status", "Its author has retired this form.")
        subjects = resource.get("subjectType", [])
        if subjects and "Patient" not in subjects:
            found.warn("Questionnaire.subjectType", "subjectType", "The form is not about a patient.")
        self._modifiers(resource, "Questionnaire")
        for url, why in ext.REFUSED.items():
            if ext.first(resource, url):
                found.refuse("Questionnaire.extension", url.rsplit("/", 1)[-1], why)

    def _modifiers(self, element: Mapping[str, Any], path: str) -> None:
        for extension in element.get("modifierExtension", []) or ():
            url = str(extension.get("url")) if isinstance(extension, Mapping) else ""
            if ext.canonical(url) not in ext.MODIFIERS_READ:
                self.findings.refuse(
                    f"{path}.modifierExtension", "modifierExtension",
                    f"It changes the meaning of what holds it, and isn't known here: {url or 'no address'}.",
                )  # fmt: skip

    def _check_contained(self) -> None:
        """Faults in contained resources that no question uses don't touch the form."""
        ids: set[str] = set()
        for place, resource in enumerate(self.resource.get("contained", [])):
            path = f"Questionnaire.contained[{place}]"
            if not isinstance(resource, Mapping) or not resource.get("resourceType"):
                self.findings.warn(path, "contained", "This is not a resource.")
                continue
            if not resource.get("id") or resource["id"] in ids:
                self.findings.warn(path, "contained", "A contained resource needs an id of its own.")
            ids.add(str(resource.get("id")))
            if resource["resourceType"] == "ValueSet" and resource.get("id"):
                try:
                    self.sets.codes(f"#{resource['id']}")
                except NotKnown as fault:
                    self.findings.warn(path, "valueSet", str(fault))

    def _items(self, listed: Any, path: str, parent: Mapping[str, Any] | None, depth: int) -> tuple[Item, ...]:
        if not isinstance(listed, list):
            self.findings.refuse(f"{path}.item", "item", "“item” must be a list.")
            return ()
        if depth > DEEPEST_ITEM:
            self.findings.refuse(f"{path}.item", "nesting", f"Items nest deeper than {DEEPEST_ITEM} levels.")
            return ()
        items = []
        for place, entry in enumerate(listed):
            item_path = f"{path}.item[{place}]"
            if len(self.seen) >= MOST_ITEMS:
                self.findings.refuse(item_path, "size", f"The form has more than {MOST_ITEMS:,} items.")
                break
            if not isinstance(entry, Mapping):
                self.findings.refuse(item_path, "item", "An item must be a JSON object.")
                continue
            item = self._item(entry, item_path, depth)
            if item is not None:
                items.append(item)
        return tuple(items)

    def _item(self, entry: Mapping[str, Any], path: str, depth: int) -> Item | None:
        found = self.findings
        link_id, kind = entry.get("linkId"), entry.get("type")
        if not isinstance(link_id, str) or not link_id.strip():
            found.refuse(f"{path}.linkId", "linkId", "Every item needs a linkId.")
            return None
        path = f"{path.rsplit('.', 1)[0]}.{path.rsplit('.', 1)[1]}"
        if len(link_id) > 500:
            found.refuse(f"{path}.linkId", "linkId", "A linkId has more than 500 characters.")
        if link_id in self.seen:
            found.refuse(f"{path}.linkId", "linkId", f"The linkId “{link_id}” is also at {self.seen[link_id]}.")
            return None
        self.seen[link_id] = path
        if kind not in KINDS:
            found.refuse(f"{path}.type", "type", f"“{kind}” is not one of the item types of R4.")
            return None
        self._modifiers(entry, path)
        for url, why in ext.REFUSED.items():
            if ext.first(entry, url):
                found.refuse(f"{path}.extension", url.rsplit("/", 1)[-1], why)
        self.scripts.open(entry, path)
        children = [] if kind == "display" else entry.get("item", [])
        if kind == "display" and entry.get("item"):
            found.refuse(f"{path}.item", "display", "A text to read can't hold questions (R4, que-1).")
        below = self._items(children, path, entry, depth + 1) if children else ()
        item = self._build(entry, path, link_id, str(kind), below)
        self.scripts.close()
        return item

    def _build(self, entry: Mapping[str, Any], path: str, link_id: str, kind: str, below: tuple[Item, ...]) -> Item:
        found, scripts = self.findings, self.scripts
        flags = {key: self._flag(entry, key, path) for key in ("required", "repeats", "readOnly")}
        if kind == "display" and any(flags.values()):
            found.warn(path, "display", "A text to read can't be required, repeated or read-only; this is passed over.")
            flags = dict.fromkeys(flags, False)
        roles = {child.link_id: display_item_role(child) for child in below}
        control = self._control(entry, path)
        units = self._units(entry, path, kind)
        expressions = scripts.of_item(entry, path, kind)
        parts: dict[str, list[Wording]] = {"help": [], "prompt": [], "flyover": [], "lower": [], "upper": [], "unit": []}
        for child in below:
            # A help text that comes and goes stays an item of its own.
            if roles[child.link_id] and not child.enable_when and not child.enable_expression and kind != "group":
                parts[roles[child.link_id]].append(child.wording)
        taken = {w for words in parts.values() for w in map(id, words)}
        short = ext.value_of(entry, ext.SHORT_TEXT)
        usage = ext.value_of(entry, ext.USAGE_MODE)
        return Item(
            link_id=link_id,
            kind=kind,
            path=path,
            wording=read_wording(entry, "text", path, scripts, found),
            prefix=entry["prefix"] if isinstance(entry.get("prefix"), str) else "",
            required=flags["required"],
            repeats=flags["repeats"],
            read_only=flags["readOnly"] or usage in ("display", "display-non-empty"),
            hidden=ext.value_of(entry, ext.HIDDEN) is True,
            control=control,
            options=read_options(entry, path, kind, self.sets, found, scripts),
            units=units,
            limits=self._limits(entry, path, kind, flags),
            enable_when=self._conditions(entry, path),
            enable_behavior=self._behavior(entry, path),
            initial=self._initial(entry, path, kind, flags["repeats"]),
            helps=tuple(parts["help"]),
            prompts=tuple(parts["prompt"]),
            flyovers=tuple(parts["flyover"]),
            lower=parts["lower"][0] if parts["lower"] else None,
            upper=parts["upper"][0] if parts["upper"] else None,
            unit_label=parts["unit"][0] if parts["unit"] else None,
            entry_format=str(ext.value_of(entry, ext.ENTRY_FORMAT) or ""),
            open_label=str(ext.value_of(entry, ext.OPEN_LABEL) or ""),
            short_text=short if isinstance(short, str) else "",
            category=_code_of(ext.value_of(entry, ext.DISPLAY_CATEGORY)),
            links=tuple(str(ext.typed_value(e)[1]) for e in ext.all_of(entry, ext.SUPPORT_LINK)),
            code=tuple(code for code in entry.get("code", ()) if isinstance(code, Mapping)),
            items=tuple(child for child in below if id(child.wording) not in taken),
            variables=scripts.variables_of(entry),
            constraints=scripts.constraints(entry, path),
            **expressions,
        )

    def _flag(self, entry: Mapping[str, Any], key: str, path: str) -> bool:
        value = entry.get(key, False)
        if not isinstance(value, bool):
            self.findings.refuse(f"{path}.{key}", key, f"“{key}” must be true or false.")
            return False
        return value

    def _control(self, entry: Mapping[str, Any], path: str) -> str:
        controls = [_code_of(ext.typed_value(e)[1]) for e in ext.all_of(entry, ext.ITEM_CONTROL)]
        return next((code for code in controls if code in _CONTROLS_READ), controls[0] if controls else "")

    def _units(self, entry: Mapping[str, Any], path: str, kind: str) -> tuple[Unit, ...]:
        codings = [ext.typed_value(e)[1] for e in ext.all_of(entry, ext.UNIT_OPTION)]
        if not codings:
            codings = [ext.typed_value(e)[1] for e in ext.all_of(entry, ext.UNIT)]
        reference = ext.value_of(entry, ext.UNIT_VALUE_SET)
        if reference and not codings:
            try:
                codings = list(self.sets.codes(str(reference)))
            except NotKnown as fault:
                self.findings.refuse(f"{path}.extension", "unitValueSet", f"The units can't be told. {fault}")
        units = []
        for coding in codings:
            if not isinstance(coding, Mapping) or not (coding.get("code") or coding.get("display")):
                self.findings.refuse(f"{path}.extension", "unit", "A unit needs a code or a name.")
                continue
            label = str(coding.get("display") or coding["code"])
            units.append(Unit(str(coding.get("code") or label), label, coding.get("code"), coding.get("system")))
        return tuple(units)

    def _limits(self, entry: Mapping[str, Any], path: str, kind: str, flags: Mapping[str, bool]) -> Limits:
        from .limits import read_limits

        return read_limits(entry, path, kind, flags, self.findings)

    def _conditions(self, entry: Mapping[str, Any], path: str) -> tuple[Condition, ...]:
        listed = entry.get("enableWhen", [])
        if not isinstance(listed, list):
            self.findings.refuse(f"{path}.enableWhen", "enableWhen", "“enableWhen” must be a list.")
            return ()
        conditions = []
        for place, when in enumerate(listed):
            where = f"{path}.enableWhen[{place}]"
            if not isinstance(when, Mapping) or not isinstance(when.get("question"), str):
                self.findings.refuse(where, "enableWhen", "It must name the question it depends on.")
                continue
            self._modifiers(when, where)
            answers = [key for key in when if key.startswith("answer")]
            type_, value = ext.typed_value(when, "answer")
            if len(answers) != 1 or value is None:
                self.findings.refuse(where, "enableWhen", "It must have exactly one answer to compare with.")
                continue
            conditions.append(Condition(when["question"], str(when.get("operator")), type_, value))
        if len(listed) > 1 and entry.get("enableBehavior") not in ("all", "any"):
            self.findings.refuse(
                f"{path}.enableBehavior", "enableBehavior",
                "With more than one condition the form must say whether all or any must hold (R4, que-12).",
            )  # fmt: skip
        return tuple(conditions)

    def _behavior(self, entry: Mapping[str, Any], path: str) -> str:
        behavior = entry.get("enableBehavior", "all")
        if behavior not in ("all", "any"):
            self.findings.refuse(f"{path}.enableBehavior", "enableBehavior", "It must be “all” or “any”.")
            return "all"
        return str(behavior)

    def _initial(self, entry: Mapping[str, Any], path: str, kind: str, repeats: bool) -> tuple[tuple[str, Any], ...]:
        listed = entry.get("initial", [])
        if not isinstance(listed, list):
            self.findings.refuse(f"{path}.initial", "initial", "“initial” must be a list.")
            return ()
        found = [ext.typed_value(value) for value in listed if isinstance(value, Mapping)]
        if listed and kind in NO_ANSWER:
            self.findings.refuse(f"{path}.initial", "initial", "Only a question can have an answer to start with (R4, que-8).")
        if len(listed) > 1 and not repeats:
            self.findings.refuse(f"{path}.initial", "initial", "Only a repeated question can start with several answers (R4, que-13).")
        return tuple(found)


def _code_of(concept: Any) -> str:
    """The first code of a CodeableConcept (or a Coding), or ""."""
    if isinstance(concept, Mapping):
        codings = concept.get("coding")
        if isinstance(codings, list) and codings and isinstance(codings[0], Mapping):
            return str(codings[0].get("code") or "")
        return str(concept.get("code") or concept.get("text") or "")
    return str(concept) if isinstance(concept, str) else ""


def export(q: Questionnaire) -> dict[str, Any]:
    """The questionnaire as a resource again: equal to what was loaded, extensions that were only carried included."""
    return copy.deepcopy(dict(q.resource))


__all__ = ["Page", "export", "inspect", "load"]
