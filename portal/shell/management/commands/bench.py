"""Measures what Porter promises about speed and prints one JSON line a figure. Exits with 1 where an aim is missed."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from portal.shell.bench import GROUPS, Group
from portal.shell.own_database import inside, own_database, run_inside


class Command(BaseCommand):
    help = "Measure what Porter promises about speed: one JSON line a figure (name, value, unit, aim, ok)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        names = ", ".join(group.name for group in GROUPS)
        parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {names}")

    def handle(self, *args: Any, **options: Any) -> None:
        groups = {group.name: group for group in GROUPS}
        unknown = sorted(set(options["names"]) - set(groups))
        if unknown:
            raise CommandError(f"There is no {', '.join(unknown)}; there are {', '.join(groups)}.")
        if not inside("bench"):
            with own_database("bench", careless=True) as environment:
                sys.exit(run_inside(environment, "bench", *options["names"]))
        kept = [self._run(groups[name]) for name in options["names"] or groups]
        if not all(kept):
            sys.exit(1)

    def _run(self, group: Group) -> bool:
        """Whether the group kept its aims."""
        if not group.rolls_back:
            return self._print(group)
        with transaction.atomic():
            kept = self._print(group)
            transaction.set_rollback(True)
        return kept

    def _print(self, group: Group) -> bool:
        kept = True
        for figure in group.run():
            self.stdout.write(json.dumps(figure.to_json(), ensure_ascii=False))
            self.stdout.flush()
            kept = kept and figure.ok
        return kept
