import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.shell.database import CannotPrepare
from portal.shell.embedded import CannotStart
from portal.shell.own_database import inside, own_database, run_inside

WORLD = "simulation"


class Command(BaseCommand):
    help = (
        "SIMULATION: a practice's month on the published message mix, through the real intake, rules and clocks, "
        "worked by staff of a given speed. Runs in a database of its own, which is dropped afterwards."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--messages", type=int, default=1000, help="How many patients send in four weeks."
        )
        parser.add_argument("--seed", type=int, default=1, help="Another number, another month.")
        parser.add_argument("--speed", type=float, default=1.0, help="2 for staff who work twice as fast.")
        parser.add_argument("--json", action="store_true", help="One JSON object a line.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["messages"] <= 200_000:
            raise CommandError("Simulate between 1 and 200,000 messages.")
        if not 0.05 <= options["speed"] <= 50:
            raise CommandError("The speed of staff is a number between 0.05 and 50; 1 is as in mix.yaml.")
        if inside(WORLD):
            self._tell(options)
            return
        asked = [f"--{name}={options[name]}" for name in ("messages", "seed", "speed")]
        asked += ["--json"] if options["json"] else []
        try:
            with own_database(WORLD, careless=True) as environment:
                code = run_inside(environment, "simulate", *asked)
        except (CannotStart, CannotPrepare) as problem:
            raise CommandError(str(problem)) from None
        if code:
            raise CommandError("The simulation did not come to its end; the lines above say why.")

    def _tell(self, options: dict[str, Any]) -> None:
        # Only here: the practice's code wants a database that is there.
        from portal.shell.simulation import figures, mix
        from portal.shell.simulation.month import practice

        figured = mix.load()
        month = practice(figured, messages=options["messages"], seed=options["seed"], speed=options["speed"])
        month.tell_all(say=self._progress)
        for figure in figures.count(month, figured):
            if options["json"]:
                self.stdout.write(json.dumps(figure.line(), ensure_ascii=False))
            else:
                value = "nothing to count" if figure.value is None else f"{figure.value:,g} {figure.unit}"
                note = f" ({figure.note})" if figure.note else ""
                self.stdout.write(f"SIMULATION  {figure.name.replace('_', ' ')}: {value}{note}")

    def _progress(self, done: int, of: int) -> None:
        self.stderr.write(f"SIMULATION  {done} of {of} messages are sent …")
