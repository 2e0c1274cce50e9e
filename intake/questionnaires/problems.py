"""What can be wrong with a questionnaire, said so that the person who imports it can mend it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: where it is (`path`, as in FHIRPath), which feature it belongs to, and a sentence for a person.

    What is wrong with a file as a whole has no path.
    """

    path: str
    feature: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}: {self.sentence}" if self.path else self.sentence


class QuestionnaireError(ValueError):
    """A questionnaire refused as a whole, because using it would lose or change what its author meant.

    `problems` holds every fault found, not only the first.
    """

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(str(problem) for problem in problems[:5]))


class UnknownField(ValueError):
    """A posted field that no question on the page has. Its text is a sentence for the person who posted it."""


class Findings:
    """Collects faults while a questionnaire is read: `refuse` for those that stop it, `warn` for the rest."""

    MOST = 200

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []

    def refuse(self, path: str, feature: str, sentence: str) -> None:
        if len(self.problems) < self.MOST:
            self.problems.append(Problem(path, feature, sentence))

    def warn(self, path: str, feature: str, sentence: str) -> None:
        if len(self.warnings) < self.MOST:
            self.warnings.append(Problem(path, feature, sentence))

    def raise_if_refused(self) -> None:
        if self.problems:
            raise QuestionnaireError(self.problems)
