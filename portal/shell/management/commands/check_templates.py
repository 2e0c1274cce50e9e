from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.template import TemplateDoesNotExist, TemplateSyntaxError, engines


class Command(BaseCommand):
    help = (
        "Compiles every template of ours, so that a broken tag is found before the page that nobody opened."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        problems, count = [], 0
        roots = {Path(place): engine for engine in engines.all() for place in engine.dirs}
        for root, engine in roots.items():
            for path in sorted(root.rglob("*")):
                if path.suffix not in {".html", ".txt", ".xml"}:
                    continue
                if any(inner != root and root in inner.parents and inner in path.parents for inner in roots):
                    continue  # another engine's
                count += 1
                name = str(path.relative_to(root))
                try:
                    engine.get_template(name)
                except (TemplateSyntaxError, TemplateDoesNotExist) as error:
                    problems.append(f"{name}: {error}")
        if problems:
            raise CommandError("\n".join(problems))
        self.stdout.write(f"{count} templates compile.")
