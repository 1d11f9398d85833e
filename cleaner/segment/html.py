"""HTML becomes lines in reading order, each with what the page's structure says of it.

The lines are joined into one text, the page's text: a blank line between paragraphs, a line feed between list items
and table rows, a dash before a list item, code with its indentation. Every offset counts in that text, never in the
HTML. All text a browser could show is there; what no one sees (scripts, styles, templates) is not. Where a page shows
little, text that stands in its structured data alone (schema.org's `articleBody` and `description`) is added.
"""

from __future__ import annotations

import html.parser
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from cleaner.segment.structured import (
    StructuredData,
    is_filled_by_scripts,
    missing_texts,
    structured_data,
    texts_of_scripts,
)
from cleaner.segment.walker import VOID, Elements, TextNode, Walker

#: libxml2 drops, without a word, what is nested deeper than 2,048 elements; such a page is read by another parser.
_DEEPEST = 2000
_TOO_DEEP = "its elements are nested more than 2,000 deep; it was read without a tree."
_NO_TEXT = "it holds no visible text."
_ADDED = "it shows little of the text in its structured data, which was added at the end."
_FROM_SCRIPTS = "it shows little text; texts in the data of its scripts were added at the end."
_LAST_TAGS = re.compile(rb"</(?:[Hh][Tt][Mm][Ll]|[Bb][Oo][Dd][Yy])\s*>")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A page's lines and what structure says of them; lists run over the lines.

    Attributes:
        text: the lines with what stands between them.
        elements: of the page.
        element: the innermost element around the whole of a line.
        characters: how many characters a line has.
        linked: how many of them stand in links.
        links: how many links begin in it.
        data: what the page says of itself.
        nodes: where the lines' text stands in `tree`, if that was kept.
        tree: the parsed page, or None.
        notes: what the reader of the result should know.
    """

    text: str
    elements: Elements
    element: list[int]
    characters: list[int]
    linked: list[int]
    links: list[int]
    data: StructuredData
    nodes: list[TextNode]
    tree: Any
    notes: tuple[str, ...]

    def path(self, line: int) -> str:
        """The elements around a line, the outermost first, as `html > body > p`."""
        names = []
        at = self.element[line]
        while at:
            names.append(self.elements.names[self.elements.name[at]].split(" ", 1)[0])
            at = self.elements.parent[at]
        return " > ".join(reversed(names))


def read_html(text: str, url: str | None = None, *, keeps_tree: bool = True) -> Page:
    """Read a page.

    Args:
        text: HTML, however broken.
        url: its address; by default the one it gives itself.
        keeps_tree: whether the result has `nodes` and `tree`; without them it takes half the time.
    """
    source = text.replace("\x00", "\ufffd") if "\x00" in text else text
    try:
        encoded = source.encode()
    except UnicodeEncodeError:
        source = _SURROGATE.sub("\ufffd", source)
        encoded = source.encode()
    walker, tree, notes = Walker(), None, []
    if keeps_tree:
        if (tree := _parse(encoded)) is not None:
            _walk(tree, walker)
    else:
        _parse(encoded, walker)
    if is_too_deep := max(walker.elements.depth) >= _DEEPEST:
        walker, tree = Walker(), None
        notes.append(_TOO_DEEP)
        reader = _Reader(walker)
        reader.feed(source)
        reader.close()
    walker.close()
    data = structured_data("".join(walker.title), walker.meta, ["".join(script) for script in walker.scripts], url)
    if missing := list(missing_texts(data, walker.lines)):
        walker.append(missing)
        notes.append(_ADDED)
    if not is_too_deep and is_filled_by_scripts(walker.lines):
        whole = _parse(encoded) if tree is None else tree
        if whole is not None and (missing := list(texts_of_scripts(whole, walker.lines))):
            walker.append(missing)
            notes.append(_FROM_SCRIPTS)
    if not walker.lines:
        notes.append(_NO_TEXT)
    body = [part for pair in zip(walker.separators, walker.lines, strict=True) for part in pair]
    return Page(
        text="".join([*body, "\n"]) if body else "",
        elements=walker.elements,
        element=walker.element,
        characters=walker.characters,
        linked=walker.linked,
        links=walker.links,
        data=data,
        nodes=walker.nodes,
        tree=tree,
        notes=tuple(notes),
    )


def _parse(encoded: bytes, target: Walker | None = None) -> Any:
    """The page's tree; or nothing, if a target is given, which is told of the elements and texts one by one."""
    import lxml.etree  # paid with the first page
    import lxml.html

    options: dict[str, Any] = {"encoding": "utf-8", "huge_tree": True}
    if target is None:
        parser = lxml.html.HTMLParser(remove_comments=True, remove_pis=True, **options)
    else:
        parser = lxml.etree.HTMLParser(target=target, **options)
    try:
        # libxml2 drops what follows them; a browser does not, and they say nothing that the page's end does not
        return lxml.etree.fromstring(_LAST_TAGS.sub(b"", encoded), parser)
    except lxml.etree.LxmlError:  # nothing in it
        return None


def _walk(tree: Any, walker: Walker) -> None:
    import lxml.etree

    for event, element in lxml.etree.iterwalk(tree, events=("start", "end")):
        if event == "start":
            walker.start(element.tag, dict(element.items()))
            text = element.text
        else:
            walker.end(element.tag)
            text = element.tail
        if text:
            if text.isspace():
                walker.space(text)
            else:
                walker.text(text, element, event == "end")


class _Reader(html.parser.HTMLParser):
    """Reads a page that libxml2 would cut, with nothing but a stack."""

    def __init__(self, walker: Walker) -> None:
        super().__init__(convert_charrefs=True)
        self._walker = walker
        self._open: list[str] = []
        self._count: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._walker.start(tag, {name: value or "" for name, value in attrs})
        if tag in VOID:
            self._walker.end(tag)
        else:
            self._open.append(tag)
            self._count[tag] += 1

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        while self._count[tag]:
            closed = self._open.pop()
            self._count[closed] -= 1
            self._walker.end(closed)
            if closed == tag:
                break

    def handle_data(self, data: str) -> None:
        self._walker.data(data)
