"""Decides the past days' requests again under a version of the rules, here and now, and prints what would change."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.people.policies import Refused
from triage import actions, replay
from triage.management.commands.rules import found
from triage.models import Replay


class Command(BaseCommand):
    help = "Say what a version of the rules would have decided about the requests of the past days."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--draft", type=int, metavar="N", help="the version of this number; else the draft"
        )
        parser.add_argument("--days", type=int, default=90)
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        ruleset = found(options["draft"], draft=True)
        try:
            row = actions.start_replay(ruleset=ruleset, days=options["days"], by=None, in_worker=False)
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        while not replay.advance(row.pk, seconds=60):
            pass
        row.refresh_from_db()
        if row.state != Replay.State.DONE:
            raise CommandError("The rules were changed while they were replayed. Start again.")
        told = {"ruleset": ruleset.number, "days": options["days"], "seconds": row.seconds, **row.result}
        if options["json"]:
            self.stdout.write(json.dumps(told, ensure_ascii=False))
            return
        self.stdout.write(
            f"{told['changed']} of {told['count']} requests would be decided otherwise; {told['lost']} red flags would "
            f"be lost or lowered. {told['seconds']} seconds."
        )
        before, after = told["physician_share"]
        self.stdout.write(f"To physicians: {before} % before, {after} % after.")
        for code, (before_late, after_late) in told["late"].items():
            was, becomes = told["load"][code]
            self.stdout.write(
                f"{code}: {was} requests before, {becomes} after; late: {before_late} before, {after_late} after."
            )
        for old, new, count in told["moves"]:
            self.stdout.write(f"{old} → {new}: {count}")
        for old, new, count in told["urgencies"]:
            self.stdout.write(f"{old} → {new}: {count}")
