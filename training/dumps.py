"""The ways scrapers write a page down: one HTML page becomes several plain text dumps.

Each style is what a common tool gives. A model that has seen one style only is worse by points on the others, so every
page is trained on in two styles and measured in all.
"""

from __future__ import annotations

import textwrap

import lxml.html
import trafilatura
from resiliparse.extract.html2text import extract_plain_text

from training.corpora import FULL

#: Styles, and what makes them.
STYLES = {
    FULL: "all visible text, a line per block (resiliparse)",
    "nodes": "a line per text node, so that sentences break at inline tags (as get_text with a line feed gives)",
    "recall": "what trafilatura leaves when told to favour recall, with comments",
    "main": "what an extractor takes for the main content (resiliparse)",
    "wrapped": "all visible text, hard-wrapped at 80 columns",
}
_COLUMNS = 80


def dump(html: str, style: str) -> str:
    """Write a page down.

    Args:
        html: the page.
        style: one of `STYLES`.

    Returns:
        Stripped lines without empty ones between; "" where the style's tool finds nothing.
    """
    match style:
        case "nodes":
            text = _text_nodes(html)
        case "recall":
            text = trafilatura.extract(html, favor_recall=True, include_comments=True, deduplicate=False) or ""
        case "main":
            text = _plain_text(html, main_content=True)
        case "wrapped":
            full = dump(html, FULL).split("\n")
            text = "\n".join(part for line in full for part in textwrap.wrap(line, _COLUMNS, break_on_hyphens=False))
        case _:
            text = _plain_text(html, main_content=False)
    return "\n".join(line.strip() for line in text.split("\n") if line.strip())


def _plain_text(html: str, *, main_content: bool) -> str:
    text: str = extract_plain_text(
        html,
        main_content=main_content,
        preserve_formatting=True,
        links=False,
        alt_texts=False,
        list_bullets=False,
    )
    return text


def _text_nodes(html: str) -> str:
    try:
        tree = lxml.html.document_fromstring(html.encode("utf-8", "replace"), parser=_PARSER)
    except lxml.etree.ParserError:  # a page without any element
        return ""
    for element in tree.xpath("//script|//style|//template|//*/comment()"):
        element.drop_tree()  # a tail belongs to the text around
    return "\n".join(tree.itertext())


_PARSER = lxml.html.HTMLParser(encoding="utf-8")
