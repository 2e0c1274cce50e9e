"""A questionnaire as Porter understands it: a frozen tree of items, read once and then only looked at.

Source: FHIR R4 Questionnaire and the Structured Data Capture (SDC) guide. A name that both use means the same here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from .fhirpath import Program
from .problems import Problem

KINDS = (
    "group",
    "display",
    "boolean",
    "decimal",
    "integer",
    "date",
    "dateTime",
    "time",
    "string",
    "text",
    "url",
    "choice",
    "open-choice",
    "attachment",
    "reference",
    "quantity",
)
NO_ANSWER = frozenset({"group", "display"})


@dataclass(frozen=True, slots=True)
class Wording:
    """A text in every form the author gave it: plain, Markdown or XHTML, and translated."""

    plain: str = ""
    markdown: str = ""
    xhtml: str = ""
    classes: str = ""
    translations: Mapping[str, str] = field(default_factory=dict)
    expression: Expression | None = None

    def in_language(self, language: str) -> str:
        """The plain text in `language` ("es-MX" falls back to "es", then to the author's own)."""
        if not self.translations:
            return self.plain
        wanted = language.lower()
        return self.translations.get(wanted) or self.translations.get(wanted.split("-")[0]) or self.plain

    def translated(self, language: str) -> bool:
        return bool(self.translations) and self.in_language(language) != self.plain


@dataclass(frozen=True, slots=True)
class Expression:
    """One FHIRPath expression, parsed, with the place it was written and the linkIds it speaks of."""

    text: str
    path: str
    name: str = ""
    program: Program | None = field(default=None, compare=False, repr=False)
    language: str = "text/fhirpath"
    link_ids: frozenset[str] = frozenset()

    @property
    def runs(self) -> bool:
        """False for queries against a record: they are carried, and give nothing here."""
        return self.program is not None


@dataclass(frozen=True, slots=True)
class Option:
    """One answer a person may pick. `key` is what the browser posts; `type` is the x of its value[x]."""

    key: str
    type: str
    value: Any
    code: str | None
    system: str | None
    display: str
    wording: Wording
    ordinal: Decimal | None = None
    exclusive: bool = False
    prefix: str = ""
    selected: bool = False

    def label(self, language: str) -> str:
        return self.wording.in_language(language)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measure a quantity may be given in."""

    key: str
    label: str
    code: str | None = None
    system: str | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """One enableWhen: the answer of `question` compared by `operator` with `value`."""

    question: str
    operator: str
    type: str
    value: Any


@dataclass(frozen=True, slots=True)
class Constraint:
    """A rule over answers that the author wrote in FHIRPath; `human` is said when it doesn't hold."""

    key: str
    human: str
    blocking: bool
    expression: Expression


@dataclass(frozen=True, slots=True)
class Limits:
    """What an answer must keep to; None where the author set no limit."""

    min_value: Any = None
    max_value: Any = None
    min_length: int | None = None
    max_length: int | None = None
    decimal_places: int | None = None
    pattern: str | None = None
    pattern_hint: str = ""
    max_size: Decimal | None = None
    mime_types: tuple[str, ...] = ()
    min_occurs: int = 0
    max_occurs: int | None = None
    step: Decimal | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Item:
    """A question, a group of questions, or something only to be read."""

    link_id: str
    kind: str
    path: str
    wording: Wording
    prefix: str = ""
    required: bool = False
    repeats: bool = False
    read_only: bool = False
    hidden: bool = False
    control: str = ""
    options: tuple[Option, ...] = ()
    units: tuple[Unit, ...] = ()
    unit_open: bool = False  # whether another unit than those may be written
    limits: Limits = Limits()
    enable_when: tuple[Condition, ...] = ()
    enable_behavior: str = "all"
    enable_expression: Expression | None = None
    calculated: Expression | None = None
    initial_expression: Expression | None = None
    option_expression: Expression | None = None
    low_expression: Expression | None = None  # what gives the lowest and the highest value allowed
    high_expression: Expression | None = None
    toggles: tuple[tuple[frozenset[str], Expression], ...] = ()
    constraints: tuple[Constraint, ...] = ()
    variables: tuple[Expression, ...] = ()
    initial: tuple[tuple[str, Any], ...] = ()
    helps: tuple[Wording, ...] = ()
    prompts: tuple[Wording, ...] = ()
    flyovers: tuple[Wording, ...] = ()
    lower: Wording | None = None
    upper: Wording | None = None
    unit_label: Wording | None = None
    entry_format: str = ""
    open_label: str = ""
    short_text: str = ""
    category: str = ""
    links: tuple[str, ...] = ()
    code: tuple[Mapping[str, Any], ...] = ()
    source: Mapping[str, Any] = field(default_factory=dict, repr=False)
    items: tuple[Item, ...] = ()

    def __repr__(self) -> str:
        return f"<Item {self.kind} {self.link_id!r}>"

    @property
    def text(self) -> str:
        return self.wording.plain

    @property
    def asks_unit(self) -> bool:
        """Whether there is a unit to choose: of several, or one that is offered and another that may be written."""
        return self.kind == "quantity" and (len(self.units) > 1 or bool(self.units and self.unit_open))

    @property
    def help(self) -> str:
        return " ".join(part.plain for part in (*self.prompts, *self.helps, *self.flyovers) if part.plain)

    @property
    def max_length(self) -> int | None:
        return self.limits.max_length

    @cached_property
    def asks(self) -> bool:
        """Does it take an answer?"""
        return self.kind not in NO_ANSWER

    @cached_property
    def has_rows(self) -> bool:
        """Repeated together with what is below it, so each repetition is a row with names of its own."""
        return self.repeats and bool(self.items) and self.kind != "display"

    @cached_property
    def many(self) -> bool:
        """A question that holds several answers under one name."""
        return self.repeats and self.asks and not self.items

    @cached_property
    def writable(self) -> bool:
        """May the person who fills in the form give or change the answer?"""
        return self.asks and not self.read_only and not self.hidden and self.calculated is None

    @cached_property
    def has_options(self) -> bool:
        return self.kind in ("choice", "open-choice")

    @cached_property
    def option_by_key(self) -> Mapping[str, Option]:
        return {option.key: option for option in self.options}

    @cached_property
    def scored(self) -> bool:
        return any(option.ordinal is not None for option in self.options)

    def walk(self) -> Iterator[Item]:
        """This item and everything below it, in the questionnaire's order."""
        waiting = [self]
        while waiting:
            item = waiting.pop()
            yield item
            waiting.extend(reversed(item.items))


@dataclass(frozen=True, eq=False, repr=False)
class Page:
    """A screenful: items shown together under a title.

    `named` is the group the title is taken from (None: it is the form's), `within` are the groups that were cut to
    make the page, and `opens` those of them that begin on it.
    """

    id: str
    title: str
    items: tuple[Item, ...]
    named: Item | None = None
    within: tuple[Item, ...] = ()
    opens: tuple[Item, ...] = ()

    def __repr__(self) -> str:
        return f"<Page {self.id} {self.title!r}>"

    @cached_property
    def link_ids(self) -> frozenset[str]:
        return frozenset(below.link_id for item in self.items for below in item.walk())

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, eq=False, repr=False)
class Questionnaire:
    """A checked questionnaire. `resource` is what was given, untouched; everything else was read from it."""

    resource: Mapping[str, Any]
    title: str
    items: tuple[Item, ...]
    pages: tuple[Page, ...]
    header: tuple[Item, ...] = ()
    footer: tuple[Item, ...] = ()
    variables: tuple[Expression, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    launch: frozenset[str] = frozenset()
    warnings: tuple[Problem, ...] = ()
    language: str = "en"
    titles: Wording = Wording()

    def __repr__(self) -> str:
        return f"<Questionnaire {self.title!r}: {len(self.by_link_id)} items>"

    @property
    def url(self) -> str:
        """The canonical address answers point to, with its version: `url|version`."""
        url, version = self.resource.get("url"), self.resource.get("version")
        return f"{url}|{version}" if url and version else url or ""

    @cached_property
    def languages(self) -> frozenset[str]:
        """The languages its texts are in, without regions; empty where its author doesn't say which is theirs."""
        if not isinstance(self.resource.get("language"), str):
            return frozenset()
        translated = {language for item in self.walk() for language in item.wording.translations}
        return frozenset(language.lower().split("-")[0] for language in (self.language, *translated))

    @cached_property
    def by_link_id(self) -> Mapping[str, Item]:
        return {item.link_id: item for item in self.walk()}

    @cached_property
    def parents(self) -> Mapping[str, Item]:
        return {child.link_id: item for item in self.walk() for child in item.items}

    @cached_property
    def page_of(self) -> Mapping[str, Page]:
        """The page an item is on; for a group that was cut, the page it begins on."""
        found = {link_id: page for page in self.pages for link_id in page.link_ids}
        for page in self.pages:
            found.update((group.link_id, page) for group in page.opens)
        return found

    def item(self, link_id: str) -> Item:
        """The item with this linkId; KeyError where there is none."""
        return self.by_link_id[link_id]

    def page(self, page_id: str) -> Page:
        """The page with this id; KeyError where there is none."""
        return self._page_by_id[page_id]

    @cached_property
    def _page_by_id(self) -> Mapping[str, Page]:
        return {page.id: page for page in self.pages}

    def ancestors(self, link_id: str) -> tuple[Item, ...]:
        """The items above, outermost first."""
        found = []
        above = self.parents.get(link_id)
        while above is not None:
            found.append(above)
            above = self.parents.get(above.link_id)
        return tuple(reversed(found))

    @cached_property
    def row_anchors(self) -> Mapping[str, tuple[Item, ...]]:
        """For each linkId, the repeated items above it, outermost first: what its field name must count."""
        anchors: dict[str, tuple[Item, ...]] = {}
        waiting: list[tuple[Item, tuple[Item, ...]]] = [(item, ()) for item in self.items]
        while waiting:
            item, above = waiting.pop()
            anchors[item.link_id] = above
            below = (*above, item) if item.has_rows else above
            waiting.extend((child, below) for child in item.items)
        return anchors

    def walk(self) -> Iterator[Item]:
        for item in self.items:
            yield from item.walk()

    @cached_property
    def row_items(self) -> tuple[Item, ...]:
        """The repeated groups and questions whose repetitions are rows."""
        return tuple(item for item in self.walk() if item.has_rows)

    @cached_property
    def order(self) -> Mapping[str, int]:
        return {item.link_id: number for number, item in enumerate(self.walk())}

    def catalogue(self) -> list[dict[str, Any]]:
        """The facts this form can give, typed, for whoever writes rules: see `facts.catalogue`."""
        from .facts import catalogue

        return catalogue(self)
