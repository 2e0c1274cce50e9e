"""Django's system check of what only the database knows."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from portal.shell.database import refusals


@register(Tags.database)
def serves_without_owning(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """The app's role must not be able to rewrite what may only be added to.

    `check --database default` runs this.
    """
    return [
        Error(sentence, id="shell.E001")
        for alias in databases or ()
        for sentence in refusals(connections[alias])
    ]
