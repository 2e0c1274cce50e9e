"""Fills a database of its own with a large practice, to measure with."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from portal.people.policies import Refused
from portal.shell.demo.base import load_base
from portal.shell.demo.history import load_history
from portal.shell.loading import Size, load
from portal.shell.own_database import inside, own_database, run_inside
from queues.models import Task

TEMPLATES = 400  # requests that the demo's actions tell, before they are copied


def world_of(tasks: int) -> str:
    """The database of a practice of this size. Each size has its own: rows can't be added to one that is there."""
    return f"load_{tasks}"


class Command(BaseCommand):
    help = (
        "Fill a database of its own with so many tasks, for measuring: most of them done, spread over two years, "
        "many facilities and their patients. It stays for the next time; no other database is ever touched."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tasks", type=int, default=10_000, help="How many (10,000).")
        parser.add_argument("--seed", type=int, default=1, help="Another number, other rows.")
        parser.add_argument(
            "--then", nargs="+", metavar="COMMAND", help="Run this command of ours in it at the end."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["tasks"] <= 5_000_000:
            raise CommandError("Between 1 and 5,000,000 tasks can be loaded.")
        if inside(world_of(options["tasks"])):
            self._fill(options["tasks"], options["seed"])
            return
        arguments = ["seed_load", f"--tasks={options['tasks']}", f"--seed={options['seed']}"]
        with own_database(world_of(options["tasks"]), keep=True, careless=True, as_owner=True) as environment:
            code = run_inside(environment, *arguments)
            if code == 0 and options["then"]:
                code = run_inside(environment, *options["then"])
        if code:
            sys.exit(code)

    def _fill(self, tasks: int, seed: int) -> None:
        there = Task.objects.count()
        if there >= tasks:
            self.stdout.write(f"{there} tasks are there already.")
            return
        if there:
            raise CommandError(
                f"{there} tasks are there already; more can't be added."
                f" Remove var/own/{world_of(tasks)} and start again."
            )
        try:
            load_base(planned=TEMPLATES, seed=seed)
            load_history()
        except Refused as refused:
            raise CommandError(str(refused)) from None
        connection.close()
        loaded = load(
            os.environ["DATABASE_OWNER_URL"],
            tasks=tasks,
            size=Size.of(tasks),
            seed=seed,
            say=self.stdout.write,
        )
        self.stdout.write(
            f"{loaded.tasks} tasks ({loaded.open} open) and {loaded.rows} rows in {loaded.seconds:.0f} s."
        )
