import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_datetime

from portal.people.policies import Refused
from portal.shell.demo.base import PLANNED, SEED, load_base
from portal.shell.demo.history import load_history
from portal.shell.demo.logins import PASSWORD, logins
from portal.shell.models import DemoClinic

MOST_LOADERS = 4  # PostgreSQL needs a core, too, and so does whoever looks at the first pages


class Command(BaseCommand):
    help = (
        "Fills an empty database with the demo clinic: --base enters its people, forms and rules, --history its last "
        "ninety days. Both may be run again: what is there stays, and a history that was stopped goes on."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--base", action="store_true", help="Enter the clinic, its people, forms and rules."
        )
        parser.add_argument(
            "--history", action="store_true", help="Tell the last ninety days, or the rest of them."
        )
        parser.add_argument(
            "--loaders",
            type=int,
            default=min(os.cpu_count() or 1, MOST_LOADERS),
            help="With --history: how many processes tell it; one a core where nothing is said.",
        )
        parser.add_argument("--logins", action="store_true", help="Print whom anybody can log in as.")
        parser.add_argument(
            "--requests", type=int, default=PLANNED, help="With --base: how many requests to plan."
        )
        parser.add_argument(
            "--seed", type=int, default=SEED, help="With --base: another number, another clinic."
        )
        parser.add_argument("--anchor", help="With --base: when the history ends, as 2026-03-04T15:00-05:00.")

    def handle(self, *args: Any, **options: Any) -> None:
        anything = options["base"] or options["history"] or options["logins"]
        if options["loaders"] < 1:
            raise CommandError("Somebody has to tell the history: --loaders is 1 or more.")
        try:
            if options["base"] or not anything:
                self._base(options)
            if options["history"] or not anything:
                load_history(say=self._progress, loaders=options["loaders"])
        except Refused as refused:
            raise CommandError(str(refused)) from None
        if options["logins"] or not anything:
            self._logins()

    def _base(self, options: dict[str, Any]) -> None:
        anchor = None
        if options["anchor"]:
            anchor = parse_datetime(options["anchor"])
            if anchor is None or anchor.tzinfo is None:
                raise CommandError("Write the anchor with its time zone, like 2026-03-04T15:00-05:00.")
        if options["requests"] < 0:
            raise CommandError("The number of requests can't be below zero.")
        marker = load_base(planned=options["requests"], seed=options["seed"], anchor=anchor)
        ends = f"{marker.anchor:%Y-%m-%d %H:%M} UTC"
        self.stdout.write(f"The clinic and its people are there; its history ends at {ends}.")

    def _progress(self, marker: DemoClinic) -> None:
        self.stdout.write(f"{marker.done} of {marker.planned} requests are told.")

    def _logins(self) -> None:
        marker = DemoClinic.objects.first()
        if marker is None:
            raise CommandError("This database is not the demo's: nobody here can be logged in as.")
        rows = [(login.name, login.role, login.email) for login in logins(marker)]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        for row in rows:
            self.stdout.write(
                "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            )
        self.stdout.write(f"Everybody's password is “{PASSWORD}”; /demo/ logs in with one click.")
