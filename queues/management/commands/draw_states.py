"""`manage.py draw_states`: the table of transitions as the diagram in docs/tasks.md. `--check` only compares."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import override

from queues.states import diagram

PAGE = Path(settings.BASE_DIR) / "docs" / "tasks.md"
BEGINS, ENDS = "```mermaid\n", "\n```"


def drawn(page: str) -> str:
    """The page with the diagram as the table gives it now."""
    before, _begins, rest = page.partition(BEGINS)
    _old, _ends, after = rest.partition(ENDS)
    with override("en"):  # the docs are English, whatever is spoken around them
        return f"{before}{BEGINS}{diagram()}{ENDS}{after}"


class Command(BaseCommand):
    help = "Draw the states of a task into docs/tasks.md, from the table of transitions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="Write nothing; fail where it is not current."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        page = PAGE.read_text(encoding="utf-8")
        new = drawn(page)
        if options["check"]:
            if new != page:
                raise CommandError("docs/tasks.md is not current: run `manage.py draw_states`.")
            return
        PAGE.write_text(new, encoding="utf-8")
