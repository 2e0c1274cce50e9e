"""The way from a page to its compiled pieces (`portal.shell.compiled`)."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import engines
from django.template.context import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from portal.shell.compiled import words

register = template.Library()


@register.simple_tag(takes_context=True)
def compiled(context: Context, name: str, **more: Any) -> SafeString:
    """A piece of `templates/compiled`, which sees the names that the page sees here, and `more`."""
    token = format_html('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', context["csrf_token"])
    given = {"csrf_input": token, "_": words(get_language())}
    names: dict[str, Any] = {**context.flatten(), **given, **more}  # type: ignore[dict-item]
    return mark_safe(engines["compiled"].get_template(name).render(names))  # noqa: S308 - it escaped them
