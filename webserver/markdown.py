"""Markdown of DAG authors and of notes as HTML: raw HTML, scripts and odd links stay text."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

#: Longer texts are shown as they are: laying them out would cost a reader's time.
LENGTH_MAX = 200_000


@lru_cache(maxsize=1)
def _renderer() -> MarkdownIt:
    from markdown_it import MarkdownIt  # 2 MB, where nobody writes notes

    # No raw HTML; links are checked by the library: no javascript:, vbscript:, file: or data:.
    made = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table")
    made.disable("image")  # an image would ask another server
    return made


@lru_cache(maxsize=256)
def markdown(text: str) -> Markup:
    """Return *text* as HTML that is safe to show; headings start below those of the page."""
    if len(text) > LENGTH_MAX:
        return Markup("<pre>") + text + Markup("</pre>")
    html = _renderer().render(text)
    for level in (5, 4, 3, 2, 1):
        html = html.replace(f"<h{level}>", f"<h{min(6, level + 2)}>")
        html = html.replace(f"</h{level}>", f"</h{min(6, level + 2)}>")
    html = html.replace("<a href=", '<a rel="noopener noreferrer" href=')
    return Markup(html)  # noqa: S704 - made by the library from escaped text
