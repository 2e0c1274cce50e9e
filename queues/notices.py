"""What rooms above have to tell everybody who works here, on every page of theirs."""

from collections.abc import Callable

# Each gives sentences; none as long as all is well.
to_staff: list[Callable[[], list[str]]] = []


def told() -> list[str]:
    return [sentence for ask in to_staff for sentence in ask()]
