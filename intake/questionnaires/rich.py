"""Text an author formatted, made safe: CommonMark or XHTML in, a short list of tags out, no styles and no scripts."""

from __future__ import annotations

import re
from functools import lru_cache

import nh3
from django.template.defaultfilters import linebreaksbr
from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from .items import Wording

INLINE = {
    "b",
    "strong",
    "i",
    "em",
    "u",
    "br",
    "sub",
    "sup",
    "abbr",
    "code",
    "mark",
    "span",
    "small",
    "del",
    "s",
}
BLOCK = INLINE | {
    "p",
    "div",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "blockquote",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "pre",
    "a",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "caption",
}
_ATTRIBUTES = {"a": {"href"}, "th": {"scope"}, "abbr": {"title"}, "td": {"colspan", "rowspan"}}
_BREAKS = re.compile(r"</(?:p|div|li|tr|h[1-6]|dd|dt)\s*>|<br\s*/?>", re.IGNORECASE)
_LAST_BREAKS = re.compile(r"(?:\s*<br>\s*)+\Z")
_HEADINGS = re.compile(r"<(/?)h[12](?=[\s>])", re.IGNORECASE)
_markdown = MarkdownIt("commonmark", {"html": False}).disable("image")


@lru_cache(maxsize=4096)
def block(xhtml: str, markdown: str) -> SafeString:
    """Formatted text that may hold paragraphs, lists and tables."""
    source = xhtml or _markdown.render(markdown)
    return mark_safe(_clean(_HEADINGS.sub(r"<\1h3", source), BLOCK))  # noqa: S308 - nh3 has cleaned it


@lru_cache(maxsize=4096)
def inline(xhtml: str, markdown: str) -> SafeString:
    """Formatted text for a legend or a label: its blocks become lines."""
    cleaned = _clean(_BREAKS.sub("<br>", xhtml or _markdown.render(markdown)), INLINE)
    return mark_safe(_LAST_BREAKS.sub("", cleaned).strip())  # noqa: S308 - nh3 has cleaned it


def _clean(source: str, tags: set[str]) -> str:
    return nh3.clean(
        source,
        tags=tags,
        attributes={tag: names for tag, names in _ATTRIBUTES.items() if tag in tags},
        url_schemes={"https", "http", "mailto", "tel"},
        link_rel="noopener noreferrer",
        clean_content_tags={"script", "style", "svg", "math"},
    )


def wording_html(wording: Wording, language: str, *, blocks: bool, text: str | None = None) -> SafeString:
    """A wording as HTML. A translation or a computed text is plain; the author's own may be formatted."""
    plain = wording.in_language(language) if text is None else text
    if (wording.xhtml or wording.markdown) and text is None and not wording.translated(language):
        html = (block if blocks else inline)(wording.xhtml, wording.markdown)
        # Formatting that was nothing but a picture leaves nothing: then the plain text says more.
        if strip_tags(html).strip():
            return html
    return as_html(plain)


def as_html(text: str) -> SafeString:
    """Plain text, escaped, its lines kept."""
    return linebreaksbr(text)
