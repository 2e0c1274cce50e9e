"""`manage.py check_queues`: what the nightly check would report now. Exit code 1 where there is something."""

from typing import Any

from django.core.management.base import BaseCommand

from queues import watch


class Command(BaseCommand):
    help = "Tell which queues hold open tasks that nobody works, never open again, or lack round-the-clock coverage."

    def handle(self, *args: Any, **options: Any) -> None:
        found = [str(problem) for problem in watch.problems()]
        for sentence in found:
            self.stdout.write(sentence)
        if found:
            raise SystemExit(1)
        self.stdout.write(
            "Every open task is in a live queue with people to work it, and urgent work is covered."
        )
