"""Reading items: one pass over the questionnaire that understands each and notes every fault it meets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import extensions as ext
from .items import KINDS, NO_ANSWER, Condition, Item, Unit, Wording
from .limits import read_limits
from .options import read_options, well_formed
from .problems import Findings
from .reading import DEEPEST_ITEM, MOST_ITEMS
from .scripts import Scripts
from .units import ANY_UNIT, foreign, readable
from .valuesets import NotKnown, ValueSets
from .wording import display_item_role, read_wording

_CONTROLS_READ = frozenset(
    {
        "radio-button",
        "drop-down",
        "check-box",
        "slider",
        "autocomplete",
        "text-box",
        "spinner",
        "text-area",
        "lookup",
        "page",
        "header",
        "footer",
        "gtable",
        "table",
        "htable",
        "grid",
        "atable",
        "list",
        "tab-container",
    }
)


# Items for showing a finished form only (R4 extension usageMode).
NOT_ASKED = frozenset({"display", "display-non-empty"})
OTHER_VERSIONS = frozenset(
    {"option", "options", "question", "group"}
)  # STU3 and DSTU2: answers and questions
R4_CONSTRAINTS = {
    "open-choice": "optionsOrString"
}  # what R5 calls the two ways of R4; all else is optionsOnly


@dataclass(frozen=True)
class _Inherited:
    """What an item passes on to those inside it."""

    hidden: bool = False
    read_only: bool = False


class ItemReader:
    """Reads items; what they refer to (value sets, expressions) it is given."""

    def __init__(self, sets: ValueSets, scripts: Scripts, findings: Findings) -> None:
        self.sets, self.scripts, self.findings = sets, scripts, findings
        self.seen: dict[str, str] = {}

    def read(self, listed: Any) -> tuple[Item, ...]:
        """The items of a questionnaire."""
        return self._items(listed, "Questionnaire", _Inherited(), 1)

    def _items(self, listed: Any, path: str, inherited: _Inherited, depth: int) -> tuple[Item, ...]:
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
            item = self._item(entry, item_path, inherited, depth)
            if item is not None:
                items.append(item)
        return tuple(items)

    def _item(self, entry: Mapping[str, Any], path: str, above: _Inherited, depth: int) -> Item | None:
        found = self.findings
        link_id, kind = entry.get("linkId"), entry.get("type")
        if kind == "display" and link_id is None:
            # Nothing can refer to a text that is only read, so a name of our own does no harm.
            link_id = f"display at {path}"
            found.warn(f"{path}.linkId", "linkId", "R4 wants a linkId here; the text is shown all the same.")
        if not isinstance(link_id, str) or not link_id.strip():
            found.refuse(f"{path}.linkId", "linkId", "Every item needs a linkId.")
            return None
        if len(link_id) > 500:
            found.refuse(f"{path}.linkId", "linkId", "A linkId has more than 500 characters.")
        if link_id in self.seen:
            found.refuse(
                f"{path}.linkId", "linkId", f"The linkId “{link_id}” is also at {self.seen[link_id]}."
            )
            return None
        self.seen[link_id] = path
        if kind not in KINDS:
            found.refuse(f"{path}.type", "type", f"“{kind}” is not one of the item types of R4.")
            return None
        check_modifiers(entry, path, self.findings)
        check_extensions(entry, path, self.findings)
        for key in entry:
            if key in OTHER_VERSIONS or (key.startswith("initial") and key != "initial"):
                found.refuse(f"{path}.{key}", key, "This is how another version of FHIR says it, and not R4.")
        if entry.get("answerConstraint") not in (None, R4_CONSTRAINTS.get(str(kind), "optionsOnly")):
            found.refuse(f"{path}.answerConstraint", "answerConstraint", ext.ANSWER_CONSTRAINT)
        self._check_dynamic(entry, path)
        for url, why in ext.REFUSED.items():
            if ext.first(entry, url):
                found.refuse(f"{path}.extension", url.rsplit("/", 1)[-1], why)
        ext.tell_not_done(entry, path, found)
        self.scripts.open(entry, path)
        children = [] if kind == "display" else entry.get("item", [])
        if kind == "display" and entry.get("item"):
            found.refuse(f"{path}.item", "display", "A text to read can't hold questions (R4, que-1).")
        usage = ext.value_of(entry, ext.USAGE_MODE)
        own = _Inherited(
            hidden=above.hidden or ext.value_of(entry, ext.HIDDEN) is True or usage in NOT_ASKED,
            read_only=above.read_only or (kind == "group" and entry.get("readOnly") is True),
        )
        below = self._items(children, path, own, depth + 1) if children else ()
        item = self._build(entry, path, link_id, str(kind), below, own)
        self.scripts.close()
        return item

    def _build(
        self,
        entry: Mapping[str, Any],
        path: str,
        link_id: str,
        kind: str,
        below: tuple[Item, ...],
        own: _Inherited,
    ) -> Item:
        found, scripts = self.findings, self.scripts
        flags = {key: self._flag(entry, key, path) for key in ("required", "repeats", "readOnly")}
        if kind == "display" and any(flags.values()):
            found.warn(
                path,
                "display",
                "A text to read can't be required, repeated or read-only; this is passed over.",
            )
            flags = dict.fromkeys(flags, False)
        roles = {child.link_id: display_item_role(child) for child in below}
        control = self._control(entry, path)
        units = self._units(entry, path, kind)
        unit_open = not units or ext.value_of(entry, ext.UNIT_OPEN) in ("optionsOrType", "optionsOrString")
        self._check_limit_units(entry, path, units, unit_open=unit_open)
        expressions = scripts.of_item(entry, path, kind)
        parts: dict[str, list[Wording]] = {
            "help": [],
            "prompt": [],
            "flyover": [],
            "lower": [],
            "upper": [],
            "unit": [],
        }
        for child in below:
            # A help text that comes and goes stays an item of its own.
            role = "" if child.enable_when or child.enable_expression else roles[child.link_id]
            if role and (kind != "group" or role in ("help", "prompt", "flyover")):
                parts[role].append(child.wording)
        taken = {w for words in parts.values() for w in map(id, words)}
        short = ext.value_of(entry, ext.SHORT_TEXT)
        return Item(
            link_id=link_id,
            kind=kind,
            path=path,
            wording=read_wording(entry, "text", path, scripts, found),
            prefix=entry["prefix"] if isinstance(entry.get("prefix"), str) else "",
            required=flags["required"],
            repeats=flags["repeats"],
            read_only=flags["readOnly"] or own.read_only,
            hidden=own.hidden,
            control=control,
            options=read_options(entry, path, kind, self.sets, found, scripts),
            units=units,
            unit_open=unit_open,
            limits=read_limits(entry, path, kind, flags, found),
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
            links=self._links(entry, path),
            code=tuple(code for code in entry.get("code", ()) if isinstance(code, Mapping)),
            source=entry,
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

    def _check_dynamic(self, entry: Mapping[str, Any], path: str) -> None:
        """Whether something is required, or how long it may be, can be told by an expression; that isn't done here."""
        for key, twin in entry.items():
            told = ext.first(twin, ext.DYNAMIC_TEXT) or ext.first(twin, ext.CALCULATED_VALUE)
            if told and key.startswith("_") and key not in ("_text", "_prefix"):
                self.findings.refuse(f"{path}.{key[1:]}", key[1:], "It is told by an expression.")

    def _links(self, entry: Mapping[str, Any], path: str) -> tuple[str, ...]:
        found = []
        for extension in ext.all_of(entry, ext.SUPPORT_LINK):
            link = ext.typed_value(extension)[1]
            if isinstance(link, str) and link.lower().startswith(("https://", "http://")):
                found.append(link)
            else:
                self.findings.warn(path, "supportLink", "Only links to web pages are shown.")
        for url in ext.MEDIA:
            for extension in ext.all_of(entry, url):
                media = ext.typed_value(extension)[1]
                link = media.get("url") if isinstance(media, Mapping) else None
                if isinstance(link, str) and link.lower().startswith("https://"):
                    found.append(link)
                else:
                    self.findings.refuse(
                        path, "itemMedia", "It comes with a picture or sound that can't be shown."
                    )
        return tuple(found)

    def _control(self, entry: Mapping[str, Any], path: str) -> str:
        controls = [_code_of(ext.typed_value(e)[1]) for e in ext.all_of(entry, ext.ITEM_CONTROL)]
        return next((code for code in controls if code in _CONTROLS_READ), controls[0] if controls else "")

    def _check_limit_units(
        self, entry: Mapping[str, Any], path: str, units: tuple[Unit, ...], *, unit_open: bool
    ) -> None:
        """A limit counts for one unit. Nothing is converted here, so it can't be held against another."""
        for url in (ext.MIN_VALUE, ext.MAX_VALUE, ext.MIN_QUANTITY, ext.MAX_QUANTITY):
            limit = ext.value_of(entry, url)
            if foreign(units, limit) or (
                (len(units) > 1 or (units and unit_open))
                and isinstance(limit, Mapping)
                and limit.get("value")
            ):
                feature = "minValue" if url in (ext.MIN_VALUE, ext.MIN_QUANTITY) else "maxValue"
                self.findings.refuse(
                    f"{path}.extension",
                    feature,
                    "The limit is told in one unit, and the answer can be given in another.",
                )

    def _units(self, entry: Mapping[str, Any], path: str, kind: str) -> tuple[Unit, ...]:
        codings = [ext.typed_value(e)[1] for e in ext.all_of(entry, ext.UNIT_OPTION)]
        if not codings:
            codings = [ext.typed_value(e)[1] for e in ext.all_of(entry, ext.UNIT)]
        reference = ext.value_of(entry, ext.UNIT_VALUE_SET)
        if reference and not codings:
            try:
                codings = list(self.sets.codes(str(reference)))
            except NotKnown as fault:
                where = f"{path}.extension"
                if str(reference).partition("|")[0] in ANY_UNIT:
                    said = (
                        "Any unit may be told, and there are more than a list can show: it is asked in words."
                    )
                    self.findings.warn(where, "unitValueSet", said)
                else:
                    self.findings.refuse(where, "unitValueSet", f"The units can't be told. {fault}")
        units = []
        for coding in codings:
            if not well_formed(coding):
                self.findings.refuse(f"{path}.extension", "unit", "A unit needs a code or a name.")
                continue
            label = str(coding.get("display") or coding["code"])
            key = str(coding.get("code") or label)
            units.append(Unit(key, readable(label), coding.get("code"), coding.get("system")))
        return tuple(units)

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
            check_modifiers(when, where, self.findings)
            answers = [key for key in when if key.startswith("answer")]
            type_, value = ext.typed_value(when, "answer")
            if len(answers) != 1 or value is None:
                self.findings.refuse(where, "enableWhen", "It must have exactly one answer to compare with.")
                continue
            conditions.append(Condition(when["question"], str(when.get("operator")), type_, value))
        if len(listed) > 1 and entry.get("enableBehavior") not in ("all", "any"):
            self.findings.refuse(
                f"{path}.enableBehavior",
                "enableBehavior",
                "With more than one condition the form must say whether all or any must hold (R4, que-12).",
            )
        return tuple(conditions)

    def _behavior(self, entry: Mapping[str, Any], path: str) -> str:
        behavior = entry.get("enableBehavior", "all")
        if behavior not in ("all", "any"):
            self.findings.refuse(f"{path}.enableBehavior", "enableBehavior", "It must be “all” or “any”.")
            return "all"
        return str(behavior)

    def _initial(
        self, entry: Mapping[str, Any], path: str, kind: str, repeats: bool
    ) -> tuple[tuple[str, Any], ...]:
        listed = entry.get("initial", [])
        if not isinstance(listed, list):
            self.findings.refuse(f"{path}.initial", "initial", "“initial” must be a list.")
            return ()
        for place, value in enumerate(listed):
            if isinstance(value, Mapping):
                check_modifiers(value, f"{path}.initial[{place}]", self.findings)
        found = [ext.typed_value(value) for value in listed if isinstance(value, Mapping)]
        if listed and kind in NO_ANSWER:
            self.findings.refuse(
                f"{path}.initial", "initial", "Only a question can have an answer to start with (R4, que-8)."
            )
        if len(listed) > 1 and not repeats:
            self.findings.refuse(
                f"{path}.initial",
                "initial",
                "Only a repeated question can start with several answers (R4, que-13).",
            )
        return tuple(found)


def _code_of(concept: Any) -> str:
    """The first code of a CodeableConcept (or a Coding), or ""."""
    if isinstance(concept, Mapping):
        codings = concept.get("coding")
        if isinstance(codings, list) and codings and isinstance(codings[0], Mapping):
            return str(codings[0].get("code") or "")
        return str(concept.get("code") or concept.get("text") or "")
    return str(concept) if isinstance(concept, str) else ""


def check_extensions(element: Mapping[str, Any], path: str, findings: Findings) -> None:
    """Refuse extensions that nothing would find, and one that says neither yes nor no to whether an item is shown."""
    if not isinstance(element.get("extension", []), list):
        findings.refuse(f"{path}.extension", "extension", "“extension” must be a list.")
    for extension in ext.all_of(element, ext.HIDDEN):
        if not isinstance(ext.typed_value(extension)[1], bool):
            findings.refuse(f"{path}.extension", "hidden", "“hidden” must be true or false.")


def check_modifiers(element: Mapping[str, Any], path: str, findings: Findings) -> None:
    """Refuse every modifierExtension that isn't known: it may turn the meaning of what holds it around."""
    listed = element.get("modifierExtension", [])
    for extension in listed if isinstance(listed, list) else [listed]:
        url = str(extension.get("url")) if isinstance(extension, Mapping) else ""
        if ext.canonical(url) not in ext.MODIFIERS_READ:
            findings.refuse(
                f"{path}.modifierExtension",
                "modifierExtension",
                f"It changes the meaning of what holds it, and isn't known here: {url or 'no address'}.",
            )
