from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.people.policies import Refused
from portal.records.importing import import_charts


class Command(BaseCommand):
    help = (
        "Reads charts from FHIR R4 bulk export files (AllergyIntolerance, MedicationRequest, Condition, Encounter, "
        "Immunization; one resource a line) for the patients whose record number they name. A Patient file among "
        "them tells which identifiers belong to which id."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE.ndjson")
        parser.add_argument(
            "--source", default="imported file", help="What staff read as the chart's source."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = import_charts(options["files"], source=options["source"][:80], by=None)
        except Refused as refused:
            raise CommandError(str(refused)) from None
        self.stdout.write(f"{done.patients} charts with {done.entries} lines are read in.")
        if done.strangers:
            self.stdout.write(
                f"{done.strangers} resources belong to nobody registered here and were left out."
            )
        if done.other:
            self.stdout.write(f"Not part of a chart: {', '.join(sorted(done.other))}.")
