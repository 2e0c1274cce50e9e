"""Text an author formatted, made safe: CommonMark or XHTML in, a short list of tags out, no styles and no scripts."""

from __future__ import annotations

import re
from functools import lru_cache

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from .items import Wording

INLINE = {"b", "strong", "i", "em", "u", "br", "sub", "sup", "abbr", "code", "mark", "span", "small", "del", "s"}
BLOCK = INLINE | {"p", "div", "ul", "ol", "li", "dl", "dt", "dd", "blockquote", "h3", "h4", "h5", "h6", "hr", "pre", "a",
                  "table", "thead", "tbody", "tr", "th", "td", "caption"}  # fmt: skip
_ATTRIBUTES = {"a": {"href"}, "th": {"scope"}, "abbr": {"title"}, "td": {"colspan", "rowspan"}}
_BREAKS = re.compile(r"</(?:p|div|li|tr|h[1-6]|dd|dt)\s*>|<br\s*/?>", re.IGNORECASE)
_HEADINGS = re.compile(r"<(/?)h[12](?=[\s>])", re.IGNORECASE)
_markdown = MarkdownIt("commonmark", {"html": False}).disable("image")


@lru_cache(maxsize=4096)
def block(xhtml: str, markdown: str) -> SafeString:
    """Formatted text that may hold paragraphs, lists and tables."""
    source = _HEADINGS.sub(r"<\1h3", xhtml) if xhtml else _HEADINGS.sub(r"<\1h3", _markdown.render(markdown))
    return _clean(source, BLOCK)


@lru_cache(maxsize=4096)
def inline(xhtml: str, markdown: str) -> SafeString:
    """Formatted text for a legend or a label: its blocks become lines."""
    source = _BREAKS.sub("<br>", xhtml) if xhtml else _BREAKS.sub("<br>", _markdown.render(markdown))
    return mark_safe(re.sub(r"(?:\s*<br>\s*)+\Z", "", str(_clean(source, INLINE))).strip())


def _clean(source: str, tags: set[str]) -> SafeString:
    return mark_safe(  # nh3 has sanitised it
        nh3.clean(
            source,
            tags=tags,
            attributes={tag: names for tag, names in _ATTRIBUTES.items() if tag in tags},
            url_schemes={"https", "http", "mailto", "tel"},
            link_rel="noopener noreferrer",
            clean_content_tags={"script", "style", "svg", "math"},
        )
    )


def plain_text(html: str) -> str:
    return re.sub(r"<[^>]*>", "", html).strip()


def wording_html(wording: Wording, language: str, *, blocks: bool, text: str | None = None) -> SafeString:
    """A wording as HTML. A translation or a computed text is plain; the author's own may be formatted."""
    plain = wording.in_language(language) if text is None else text
    formatted = wording.xhtml or wording.markdown
    if formatted and text is None and not wording.translated(language):
        html = (block if blocks else inline)(wording.xhtml, wording.markdown)
        if plain_text(html):
            return html
    return mark_safe(str(escape(plain)).replace("\n", "<br>"))
