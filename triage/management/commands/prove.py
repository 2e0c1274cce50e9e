"""Proves a version of the rules, or a file of them, as the gate does. Exits with 1 if something is not proven."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from triage import engine, proving, publishing, rules_yaml
from triage.management.commands.rules import found, read
from triage.models import Ruleset


class Command(BaseCommand):
    help = "Prove that rules give every request a queue, that every rule can fire, and that every promise is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--draft", type=int, metavar="N", help="the version of this number")
        which.add_argument("--file", help="rules and promises as YAML, which need not be stored")
        parser.add_argument(
            "--seconds", type=float, default=proving.WORKER_SECONDS, help="how long it may take"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["file"]:
            broken, findings = _of_file(read(options["file"]), options["seconds"])
            warnings: list[str] = []
        else:
            draft = options["draft"] is None and Ruleset.objects.filter(status=Ruleset.Status.DRAFT).exists()
            ruleset = found(options["draft"], draft=draft)
            around = proving.Surroundings.present()
            broken, warnings = proving.problems(ruleset, around), publishing.warnings(ruleset)
            findings = [] if broken else proving.findings(ruleset, around, seconds=options["seconds"])
        proven = not broken and all(one.proven for one in findings)
        if options["json"]:
            told = {
                "proven": proven,
                "problems": broken,
                "warnings": warnings,
                "findings": [one.to_json() for one in findings],
            }
            self.stdout.write(json.dumps(told, ensure_ascii=False))
        else:
            for sentence in (*broken, *warnings, *(said for one in findings for said in one.sentences)):
                self.stdout.write(sentence)
        if not proven:
            sys.exit(1)


def _of_file(text: str, seconds: float) -> tuple[list[str], list[proving.Finding]]:
    around = proving.Surroundings.present()
    try:
        # Promises may use @clinical, so they are checked only when it is written out.
        told = rules_yaml.load(text)
        rules = engine.compile_ruleset(
            told.ruleset.to_json()["rules"],
            told.ruleset.number,
            around.catalogue,
            fallback=told.ruleset.fallback,
            signals_version=told.ruleset.signals_version,
        )
        broken = proving.unplaced(rules, around)
        if broken:
            return broken, []
        promises = proving.with_built_in([one.to_json() for one in told.promises], around)
        return [], proving.proven(rules, promises, around, seconds=seconds)
    except engine.RulesetError as error:
        return [str(problem) for problem in error.problems], []
