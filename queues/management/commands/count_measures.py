"""Counts every figure anew from the tasks."""

from typing import Any

from django.core.management.base import BaseCommand

from queues.actions import count_all


class Command(BaseCommand):
    help = (
        "Count all figures anew from the tasks, as after a change of what is counted. The pages show the old "
        "ones until it ends; changes made meanwhile are counted after it."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        done = count_all(lambda said: self.stdout.write(said))
        self.stdout.write(f"All {done} tasks are counted.")
