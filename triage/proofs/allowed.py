"""Which facts the forms allow, asked of one set of facts: what `World` says of all of them in formulas."""

from collections.abc import Callable, Mapping

from triage.conditions import evaluate, parse
from triage.fields import REQUEST_TYPE, Catalogue, Json


class Forms:
    """Raises ConditionError if the catalogue's `never` is not a condition over its own fields."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.never = tuple(parse(told, catalogue) for told in catalogue.never)

    def allow(self, facts: Mapping[str, Json]) -> bool:
        """Whether every value is one that its field allows, and all of them can be together."""
        known = self.catalogue.read(facts)
        if known.keys() != facts.keys():
            return False
        for key in known:
            asked_in = self.catalogue.asked_in(self.catalogue[key])
            if asked_in and REQUEST_TYPE in self.catalogue and known.get(REQUEST_TYPE) not in asked_in:
                return False
        for scale in self.catalogue.scales:
            coarse, fine = known.get(scale.coarse), known.get(scale.fine)
            if isinstance(coarse, int) and isinstance(fine, int) and fine // scale.per != coarse:
                return False
        return not any(evaluate(condition, known) is True for condition in self.never)

    def shortened(self, facts: dict[str, Json], shows: Callable[[dict[str, Json]], bool]) -> dict[str, Json]:
        """These facts without each one that they can be allowed, and show the same, without."""
        for key in tuple(facts):
            fewer = {one: value for one, value in facts.items() if one != key}
            if self.allow(fewer) and shows(fewer):
                facts = fewer
        return facts
