from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.template import TemplateDoesNotExist, TemplateSyntaxError, engines


class Command(BaseCommand):
    help = (
        "Compiles every template of ours, so that a broken tag is found before the page that nobody opened."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        engine = engines["django"]
        problems, count = [], 0
        for root in (Path(place) for place in engine.dirs):
            for path in sorted(root.rglob("*")):
                if path.suffix not in {".html", ".txt", ".xml"}:
                    continue
                count += 1
                name = str(path.relative_to(root))
                try:
                    engine.get_template(name)
                except (TemplateSyntaxError, TemplateDoesNotExist) as error:
                    problems.append(f"{name}: {error}")
        if problems:
            raise CommandError("\n".join(problems))
        self.stdout.write(f"{count} templates compile.")
