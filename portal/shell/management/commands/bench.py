"""Measures what Porter promises about speed and prints one JSON line a figure. Exits with 1 where an aim is missed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from portal.shell.bench import GROUPS, SMALL, Group
from portal.shell.bench.web import SMALLS_SHARE
from portal.shell.management.commands.seed_load import world_of
from portal.shell.own_database import BASE, INSIDE, own_database, run_inside


class Command(BaseCommand):
    help = "Measure what Porter promises about speed: one JSON line a figure (name, value, unit, aim, ok)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        names = ", ".join(group.name for group in GROUPS)
        parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {names}")
        parser.add_argument(
            "--tasks",
            type=int,
            default=1_000_000,
            help="Size of the practice whose pages are measured (1,000,000).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        groups = {group.name: group for group in GROUPS}
        unknown = sorted(set(options["names"]) - set(groups) - {SMALL.name})
        if unknown:
            raise CommandError(f"There is no {', '.join(unknown)}; there are {', '.join(groups)}.")
        chosen = [(groups | {SMALL.name: SMALL})[name] for name in options["names"] or groups]
        if INSIDE in os.environ:
            if any(group.in_practice for group in chosen):
                call_command(
                    "collectstatic", interactive=False, verbosity=0
                )  # the server's pages name its files
            kept = [self._run(group) for group in chosen]
        else:
            alone = [group.name for group in chosen if not group.in_practice]
            practice = [group.name for group in chosen if group.in_practice]
            kept = [
                not alone or self._alone(alone),
                not practice or self._in_practice(practice, options["tasks"]),
            ]
        if not all(kept):
            sys.exit(1)

    def _alone(self, names: list[str]) -> bool:
        with own_database("bench", careless=True) as environment:
            return run_inside(environment, "bench", *names) == 0

    def _in_practice(self, names: list[str], tasks: int) -> bool:
        """In a practice of this size, which is made where it isn't there yet and stays for the next time."""
        before = {}
        if "list" in names:
            with self._practice(1_000) as environment:
                command = [sys.executable, "-W", "ignore", "manage.py", "bench", SMALL.name]
                done = subprocess.run(
                    command, cwd=BASE, env=environment, check=True, stdout=subprocess.PIPE, text=True
                )
            self.stdout.write(done.stdout.strip())
            self.stdout.flush()
            before = {SMALLS_SHARE: str(json.loads(done.stdout.splitlines()[-1])["value"])}
        with self._practice(tasks) as environment:
            return run_inside(environment | before, "bench", *names) == 0

    @contextmanager
    def _practice(self, tasks: int) -> Iterator[dict[str, str]]:
        with own_database(world_of(tasks), keep=True, careless=True, as_owner=True) as environment:
            command = [sys.executable, "-W", "ignore", "manage.py", "seed_load", f"--tasks={tasks}"]
            # Its progress is no figure.
            subprocess.run(command, cwd=BASE, env=environment, check=True, stdout=sys.stderr)
            yield environment

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
