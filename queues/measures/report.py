"""What the pages of measures show, out of the sums. A few statements each, whatever the number of tasks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.apps import apps
from django.db.models import QuerySet

from audit.now import now
from portal.people.models import LANGUAGES, Facility, StaffRole, User, signature
from portal.people.roles import Role
from queues.measures.cells import EVERYWHERE
from queues.measures.figures import Figures, Share
from queues.measures.suppression import TOTAL, hidden
from queues.models import MeasureCell, MeasureMark, Outcome, Queue, place_name

Cut, Grain = MeasureCell.Cut, MeasureCell.Grain
MONTHS = 24  # that can be chosen, back from this one
MOST_WAITING = 1_000


@dataclass(frozen=True)
class Scope:
    """The places whose figures somebody may see, and those that were chosen of them."""

    places: tuple[Facility, ...]
    everywhere: bool  # whether they may see all facilities as one
    chosen: Facility | None

    @property
    def keys(self) -> list[int]:
        if self.chosen is not None:
            return [self.chosen.pk]
        return [EVERYWHERE] if self.everywhere else [place.pk for place in self.places]


def scope(user: User, facility: str = "") -> Scope | None:
    """What this person may see: leads the places where they lead, central leads and administrators all; None for
    everybody else."""
    led = StaffRole.objects.current().filter(user=user, role=Role.LEAD)
    keys = set(led.values_list("facility_id", flat=True))
    everywhere = None in keys or user.is_superuser
    if not keys and not everywhere:
        return None
    places = Facility.objects.all() if everywhere else Facility.objects.filter(pk__in=keys)
    found = tuple(places)
    chosen = next((place for place in found if str(place.pk) == facility), None)
    if chosen is None and not everywhere and len(found) == 1:
        chosen = found[0]
    return Scope(found, everywhere, chosen)


@dataclass(frozen=True)
class Period:
    """Whole months, from the first day of `first` to the end of `last`."""

    first: date
    last: date

    @classmethod
    def of(cls, first: str = "", last: str = "") -> Period:
        """The months that were asked for (as 2026-11), or this one and the two before. What can't be read is not."""
        this = now().date().replace(day=1)
        begin, end = _month(first) or earlier(this, 2), _month(last) or this
        begin, end = max(begin, earlier(this, MONTHS - 1)), min(end, this)
        return cls(min(begin, end), end)

    @property
    def after(self) -> date:
        return earlier(self.last, -1)

    @property
    def months(self) -> list[date]:
        found, month = [], self.first
        while month <= self.last:
            found.append(month)
            month = earlier(month, -1)
        return found

    @property
    def until_now(self) -> bool:
        return self.last == now().date().replace(day=1)


def earlier(month: date, number: int) -> date:
    """The first day of the month so many before, or after where it is negative."""
    count = month.year * 12 + month.month - 1 - number
    return date(count // 12, count % 12 + 1, 1)


def months() -> list[date]:
    """The months that can be chosen, this one first."""
    this = now().date().replace(day=1)
    return [earlier(this, number) for number in range(MONTHS)]


def _month(text: str) -> date | None:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return None


# ---- the groups of a table ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Group:
    name: str
    figures: Figures
    place: str = ""  # where a queue of that name is


def whole(scope: Scope, period: Period) -> Figures:
    found: Counter[str] = Counter()
    for _key, sums in _sums(Cut.ALL, scope.keys, period):
        found.update(sums)
    return Figures(found)


def groups(by: str, scope: Scope, period: Period) -> list[Group]:
    """One group for each role, queue, request type or facility, those with most requests first."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    if by == "facility":
        cells = _cells(Cut.ALL, [place.pk for place in _shown(scope)], period)
        for place, sums in cells.values_list("place", "counts"):
            found[str(place)].update(sums)
    else:
        for key, sums in _sums(by, scope.keys, period):
            found[key].update(sums)
    names = _names(by, found)
    rows = [
        Group(names.get(key, (key, ""))[0], Figures(sums), names.get(key, ("", ""))[1])
        for key, sums in found.items()
    ]
    return sorted(rows, key=lambda row: (-row.figures["tasks"], row.name, row.place))


def _shown(scope: Scope) -> Sequence[Facility]:
    return scope.places if scope.chosen is None else [scope.chosen]


def _names(by: str, keys: Iterable[str]) -> dict[str, tuple[str, str]]:
    """By key: what it is called, and where it is."""
    if by == "role":
        return {role.value: (str(role.label), "") for role in Role}
    if by == "facility":
        return {str(place.pk): (place.name, "") for place in Facility.objects.all()}
    if by == "queue":
        rows = Queue.objects.filter(pk__in=[int(key) for key in keys])
        found = rows.values_list("pk", "name", "facility__name")
        return {str(pk): (name, place_name(place or "")) for pk, name, place in found}
    return {key: (key.replace("-", " ").capitalize(), "") for key in keys}


def _cells(cut: str, places: Iterable[int], period: Period) -> QuerySet[MeasureCell]:
    return MeasureCell.objects.filter(
        grain=Grain.MONTH, cut=cut, place__in=places, start__gte=period.first, start__lte=period.last
    )


def _sums(cut: str, places: Iterable[int], period: Period) -> Iterable[tuple[str, dict[str, int]]]:
    return _cells(cut, places, period).values_list("key", "counts")


# ---- over time ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Week:
    """One week's requests; heights are parts of the fullest week, which is 100."""

    start: date
    requests: int
    reached: int
    late: int
    most: int

    @property
    def height(self) -> str:
        return f"{100 * self.requests / self.most:.1f}"

    @property
    def reached_height(self) -> str:
        return f"{100 * self.reached / self.most:.1f}"


def weeks(scope: Scope, period: Period) -> list[Week]:
    found: dict[date, Counter[str]] = {}
    start = period.first - timedelta(days=period.first.weekday())
    while start < min(period.after, now().date() + timedelta(days=1)):
        found[start] = Counter()
        start += timedelta(days=7)
    cells = MeasureCell.objects.filter(
        grain=Grain.WEEK, cut=Cut.ALL, place__in=scope.keys, start__in=list(found)
    )
    for start, sums in cells.values_list("start", "counts"):
        found[start].update(sums)
    most = max((sums["tasks"] for sums in found.values()), default=0) or 1
    return [Week(start, sums["tasks"], sums["reached"], sums["late"], most) for start, sums in found.items()]


# ---- the counterfactual ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Baseline:
    """What would have reached a physician under another routing, and what did, of the same requests."""

    name: str
    then: Share
    now: Share

    @property
    def reduction(self) -> Share:
        """By how much fewer; below nothing where it is more."""
        return Share(self.then.part - self.now.part, self.then.part)


def baselines(figures: Figures, everything: str) -> list[Baseline]:
    """Everything to the doctor first, then those that administrators keep."""
    routed, reached = figures["routed"], figures["reached"]
    found = [Baseline(everything, Share(routed, routed), Share(reached, routed))]
    known = figures.kinds("known")
    for row in _rulesets().filter(pk__in=known).order_by("number"):
        asked = known[row.pk]
        then, reached = figures[f"former:{row.pk}"], figures[f"reached:{row.pk}"]
        name = row.note or f"ruleset {row.number}"
        found.append(Baseline(name, Share(then, asked), Share(reached, asked)))
    return found


def _rulesets() -> QuerySet[Any]:
    """The baselines; their model is of the room above, which left their key here."""
    return apps.get_model("triage", "Ruleset")._default_manager.all()


# ---- outcomes and people --------------------------------------------------------------------------------------------


def outcomes(figures: Figures) -> list[tuple[str, Share]]:
    found = figures.kinds("outcome")
    named = {outcome.pk: str(outcome) for outcome in Outcome.objects.filter(pk__in=found)}
    rows = [(named[key], Share(number, figures["resolved"])) for key, number in found.items() if key in named]
    return sorted(rows, key=lambda row: (-row[1].part, row[0]))


def people(scope: Scope, period: Period) -> list[Group]:
    """What each person did in this time, by the day on which they did it."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for key, sums in _sums(Cut.PERSON, scope.keys, period):
        found[key].update(sums)
    # Their names alone: of two thousand people and a thousand queues, whole objects took a third of the page.
    users = User.objects.filter(pk__in=[int(key) for key in found]).values_list("pk", "name", "title")
    named = {str(pk): signature(name, title) for pk, name, title in users}
    rows = [Group(named.get(key, key), Figures(sums)) for key, sums in found.items()]
    return sorted(rows, key=lambda row: (-row.figures["steps"], row.name))


def waiting() -> int:
    """How many changes are not counted yet, or the most that are told."""
    return MeasureMark.objects.all()[:MOST_WAITING].count()


# ---- by language and place ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Quarter:
    """A calendar quarter. Its figures are told of whole quarters only: two that overlap would give away what lies
    between them."""

    year: int
    number: int

    @classmethod
    def of(cls, text: str) -> Quarter:
        """As 2026-4, or the present one."""
        today = now().date()
        year, _dash, number = text.partition("-")
        if year.isdecimal() and len(year) == 4 and number in ("1", "2", "3", "4"):
            asked = cls(int(year), int(number))
            if asked.period.first <= today:
                return asked
        return cls(today.year, (today.month - 1) // 3 + 1)

    @property
    def period(self) -> Period:
        first = date(self.year, 3 * self.number - 2, 1)
        return Period(first, earlier(first, -2))

    @property
    def before(self) -> Quarter:
        return Quarter(self.year - 1, 4) if self.number == 1 else Quarter(self.year, self.number - 1)

    @property
    def code(self) -> str:
        return f"{self.year}-{self.number}"

    def __str__(self) -> str:
        return f"{self.year}, Q{self.number}"


@dataclass(frozen=True)
class Fair:
    """One language at one place; `figures` is None where so few people could be recognised."""

    place: str
    language: str
    figures: Figures | None


def by_language(scope: Scope, quarter: Quarter) -> list[Fair]:
    """Every place by every language, with totals; what is too small is not there, nor what would give it away."""
    places = {place.pk: place.name for place in _shown(scope)}
    found: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    cells = _cells(Cut.LANGUAGE, list(places), quarter.period)
    for place, language, sums in cells.values_list("place", "key", "counts"):
        for cell in ((str(place), language), (str(place), TOTAL), (TOTAL, language), (TOTAL, TOTAL)):
            found[cell].update(sums)
    counts = {cell: sums["tasks"] for cell, sums in found.items() if TOTAL not in cell}
    out = hidden(counts)
    languages = [code for code, _name in LANGUAGES if any(cell[1] == code for cell in found)]
    rows = []
    for key, name in [(TOTAL, ""), *((str(pk), name) for pk, name in places.items())]:
        if key == TOTAL and len(places) == 1:
            continue
        for language in [TOTAL, *languages]:
            if (key, language) in found:
                cell = (key, language)
                shown = None if cell in out else Figures(found[cell])
                rows.append(Fair(name, str(dict(LANGUAGES).get(language, "")), shown))
    return rows
