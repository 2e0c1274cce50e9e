"""Templates that are compiled to Python (`templates/compiled`): for the few pieces that staff see all day.

Django's own templates are walked node by node, which took two thirds of a list's time in the server.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.urls import get_script_prefix, get_urlconf, reverse
from django.utils.translation import gettext
from jinja2 import Environment, StrictUndefined


def environment(*, autoescape: bool, undefined: Any, **options: Any) -> Environment:
    """Everything is escaped, a name that isn't given is an error, `_` translates and `url` is a named address."""
    made = Environment(autoescape=True, undefined=StrictUndefined, **options)
    made.globals |= {"_": gettext, "url": _url}
    return made


def _url(name: str, *args: Any) -> str:
    return _reversed(name, args, get_script_prefix(), get_urlconf())


@lru_cache(maxsize=1000)
def _reversed(name: str, args: tuple[Any, ...], _prefix: str, urlconf: str | None) -> str:
    """Working out an address takes as long as writing five rows."""
    return reverse(name, urlconf, args)
