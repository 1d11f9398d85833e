"""The elements and texts of a page, in order, become lines: what breaks a line, what runs on, what no one sees."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import Any, NamedTuple

#: Elements whose text runs on in the line around them.
_INLINE = frozenset((
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i",
    "ins", "kbd", "mark", "math", "nobr", "q", "rb", "rt", "ruby", "s", "samp", "small", "span", "strike", "strong",
    "sub", "sup", "time", "tt", "u", "var", "wbr", "label", "output", "img", "input",
))  # fmt: skip
#: Elements whose text nobody sees as part of the page.
_UNSEEN = frozenset((
    "script", "style", "template", "head", "svg", "iframe", "object", "embed", "canvas", "audio", "video", "map",
    "textarea", "select", "datalist", "rp", "frameset", "noframes", "applet", "noscript",
))  # fmt: skip
#: Of those, the ones in which nothing else is looked for.
_SKIPPED = _UNSEEN - {"head", "script", "noscript"}
#: Tags are in lower case; this is a `noscript` that turned out to be worth reading.
_SEEN_NOSCRIPT = "NOSCRIPT"
#: Elements after which a line ends but no paragraph does.
_CLOSE = frozenset((
    "li", "tr", "br", "dt", "dd", "option", "caption", "thead", "tbody", "tfoot", "summary", "legend", "button",
))  # fmt: skip
_CELLS = frozenset(("td", "th"))
#: Blocks that say something of the lines in them, or of the page.
_MARKING = frozenset(("li", "tr", "pre", "meta", "link"))
VOID = frozenset((
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
))  # fmt: skip
#: How many line feeds stand around an element; less than none: it is not seen.
_BREAKS = dict.fromkeys(_INLINE | _CELLS, 0) | dict.fromkeys(_CLOSE, 1) | dict.fromkeys(_UNSEEN, -1)
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))


class Place(IntFlag):
    """What a line stands in: the elements around it, as far as they have a meaning of their own."""

    ARTICLE = 1
    MAIN = 2
    ASIDE = 4
    NAV = 8
    HEADER = 16
    FOOTER = 32
    FORM = 64
    TABLE = 128
    LIST = 256
    FIGURE = 512
    CAPTION = 1024
    QUOTE = 2048
    CODE = 4096
    HEADING = 8192
    PARAGRAPH = 16384
    HIDDEN = 32768
    BUTTON = 65536
    #: Not shown: from the page's structured data.
    DATA = 131072


_PLACES = {
    "article": Place.ARTICLE, "main": Place.MAIN, "aside": Place.ASIDE, "nav": Place.NAV, "header": Place.HEADER,
    "footer": Place.FOOTER, "form": Place.FORM, "table": Place.TABLE, "ul": Place.LIST, "ol": Place.LIST,
    "dl": Place.LIST, "figure": Place.FIGURE, "figcaption": Place.CAPTION, "caption": Place.CAPTION,
    "blockquote": Place.QUOTE, "pre": Place.CODE, "p": Place.PARAGRAPH, "button": Place.BUTTON,
    **dict.fromkeys(_HEADINGS, Place.HEADING),
}  # fmt: skip
_ROLES = {
    "article": Place.ARTICLE, "main": Place.MAIN, "complementary": Place.ASIDE, "navigation": Place.NAV,
    "banner": Place.HEADER, "contentinfo": Place.FOOTER, "form": Place.FORM, "search": Place.FORM,
    "list": Place.LIST, "figure": Place.FIGURE, "heading": Place.HEADING, "button": Place.BUTTON,
}  # fmt: skip
# sets of flags are slow to join, whole numbers are not
_PLACE_OF_TAG = {tag: int(place) for tag, place in _PLACES.items()}
_PLACE_OF_ROLE = {role: int(place) for role, place in _ROLES.items()}
#: The attributes that name an element, and those that say more of it.
_NAMES = ("class", "id", "role", "itemprop")
_READ_ATTRIBUTES = (*_NAMES, "style", "hidden", "aria-hidden")
_HIDING = re.compile(r"display:none|visibility:hidden")

#: A row's cells share a line as long as it has at most so many characters: longer ones are a layout, not a table.
_LONGEST_ROW = 160
#: Stands between the cells of a row while the row is read.
_CELL_EDGE = "\x1f"
#: A `noscript` of so many words is read.
_LONG_NOSCRIPT = 60
_BREAK_IN_CODE = re.compile("[\n\r\v\f\x1c-\x1f\x85\u2028\u2029\ufeff]")


@dataclass(frozen=True, slots=True, eq=False)
class Elements:
    """The elements of a page, each as a number; 0 is the page itself. Lists run over the elements.

    Attributes:
        parent: the element around it.
        name: its tag and names (class, id, role, itemprop) in lower case, as `div.post-body content`: which of `names`.
        place: what it stands in, itself included; of `Place`.
        depth: how many elements are around it.
        names: those of all elements, each once.
    """

    parent: list[int]
    name: list[int]
    place: list[int]
    depth: list[int]
    names: list[str]


class TextNode(NamedTuple):
    """Where a stretch of a line's text stands: it is the text of an element of the tree, or its tail."""

    line: int
    element: Any
    is_tail: bool


_LIST, _HIDDEN = int(Place.LIST), int(Place.HIDDEN)


class Walker:
    """Takes a page's elements and texts in order, and makes lines of them.

    `start`, `data` and `end` are what parsers call their targets by; where the page is a tree, `text` and `space` say
    in addition where in it a text stands.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.separators: list[str] = []
        self.element: list[int] = []
        self.characters: list[int] = []
        self.linked: list[int] = []
        self.links: list[int] = []
        self.nodes: list[TextNode] = []
        self.title: list[str] = []
        self.scripts: list[list[str]] = []
        self.meta: dict[str, str] = {}
        self._names: dict[str, int] = {"": 0}
        self.elements = Elements([0], [0], [0], [0], [])
        # of elements with these attributes: name, place, how many line feeds stand around them
        self._known: dict[Any, tuple[int, int, int]] = {}
        self._breaks = dict(_BREAKS)
        self._here = 0  # the innermost open element
        self._chunks: list[str] = []
        #: Text follows, or a part of it.
        self.data = self._chunks.append
        self._unseen = 0  # how many open elements, from the first unseen one
        self._skipped = 0  # of which so many are around the one in which nothing is looked for, it included
        self._reading: list[str] | None = None  # where the text of the innermost unseen element goes
        self._held: list[tuple[Callable[..., None], tuple[Any, ...]]] | None = None  # what is in an open `noscript`
        self._code = 0
        self._anchors = 0
        self._parts: list[str] = []
        self._around = -1
        self._linked = self._links = 0
        self._blank = 0  # characters of white space before the line's text
        self._pending = 0  # line breaks asked for before the next line
        self._is_item = False  # whether the next line is the first of a list item
        self._in_row = False  # whether a cell has begun
        self._after_link = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        if self._chunks:
            self._take_chunks()
        if self._unseen:
            self._start_unseen(tag, attributes)
            return
        if len(attributes) == 1 and "class" in attributes:  # half of all elements
            key: Any = (tag, attributes["class"])
        elif attributes:
            key = (tag, *map(attributes.get, _READ_ATTRIBUTES))
        else:
            key = tag
        try:
            name, place, breaks = self._known[key]
        except KeyError:
            name, place, breaks = self._known[key] = self._kind_of(tag, attributes)
        if breaks < 0:
            self._start_unseen(tag, attributes)
            return
        elements, parent = self.elements, self._here
        self._here = len(elements.parent)
        elements.parent.append(parent)
        elements.name.append(name)
        elements.place.append(elements.place[parent] | place)
        elements.depth.append(elements.depth[parent] + 1)
        after_link, self._after_link = self._after_link, False
        if breaks:
            if self._parts or self._links or breaks > self._pending or tag == "br":
                self._break(breaks, doubled=tag == "br")
            else:  # a break where one was asked for already
                self._blank = 0
            if tag in _MARKING:
                self._begin_marking(tag, attributes)
        elif tag == "a":
            self._anchors += 1
            self._links += 1
            if after_link:  # links side by side are words, not one word
                self._parts.append(" ")
        elif tag in _CELLS:
            if not self._in_row or self._blank + sum(map(len, self._parts)) > _LONGEST_ROW:
                self._break(1)
            elif self._parts:
                self._parts.append(_CELL_EDGE)
            self._in_row = True

    def _kind_of(self, tag: str, attributes: Mapping[str, str]) -> tuple[int, int, int]:
        """The name, the place and the breaks of an element."""
        breaks = self._breaks.get(tag)
        if breaks is None:
            breaks = self._breaks[tag] = _breaks_of_unknown(tag)
        if breaks < 0:
            return 0, 0, breaks
        name, place = _describe(tag, attributes)
        return self._names.setdefault(name, len(self._names)), place, breaks

    def _begin_marking(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "li":
            self._is_item = True
            if self.lines and self.elements.place[self.element[-1]] & _LIST:
                self._pending = 1  # a list is not torn apart by paragraphs in its items
        elif tag == "tr":
            self._in_row = False
        elif tag == "pre":
            self._code += 1
        else:
            self._take_meta(attributes)

    def end(self, tag: str) -> None:
        """The innermost open element ends."""
        if self._chunks:
            self._take_chunks()
        if self._unseen:
            self._end_unseen(tag)
            return
        self._here = self.elements.parent[self._here]
        if tag == "a":
            self._anchors -= 1
            self._after_link = True
        elif (breaks := self._breaks[tag]) and tag != "br":
            if self._parts or self._links or breaks > self._pending:
                self._break(breaks)
            else:
                self._blank, self._after_link = 0, False
            if tag in _MARKING:
                if tag == "tr":
                    self._in_row = False
                elif tag == "li":
                    self._is_item = False
                elif tag == "pre":
                    self._code -= 1

    def _start_unseen(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._unseen += 1
        if self._skipped:
            return
        self._reading = None
        if tag in _SKIPPED:
            self._skipped = self._unseen
        if self._held is not None:
            self._held.append((self.start, (tag, attributes)))
        elif tag == "noscript" and self._unseen == 1:
            self._held = [(self.start, (_SEEN_NOSCRIPT, attributes))]
        elif tag in ("meta", "link"):
            self._take_meta(attributes)
        elif tag == "title":
            self._reading = self.title
        elif tag == "script" and "ld+json" in attributes.get("type", ""):
            self._reading = []
            self.scripts.append(self._reading)

    def _end_unseen(self, tag: str) -> None:
        self._reading = None
        if self._unseen == self._skipped:
            self._skipped = 0
        self._unseen -= 1
        if self._held is not None and not self._skipped:
            if self._unseen:
                self._held.append((self.end, (tag,)))
            else:
                self._release(self._held)

    def _release(self, held: Sequence[tuple[Callable[..., None], tuple[Any, ...]]]) -> None:
        """A `noscript` has ended. Most only ask for scripts; some hold the page that scripts would fill."""
        self._held = None
        texts = [arguments[0] for call, arguments in held if call in (self.text, self.space)]
        is_seen = len("".join(texts).split()) >= _LONG_NOSCRIPT
        self._unseen = 0 if is_seen else 1
        for call, arguments in held if is_seen else held[1:]:
            call(*arguments)
        self._unseen = 0
        if is_seen:
            self.end(_SEEN_NOSCRIPT)

    def text(self, text: str, element: Any = None, is_tail: bool = False) -> None:
        """Text that is not only white space stands in the innermost open element.

        Args:
            text: all of it, up to the next element.
            element: of a tree, the one whose text it is, or its tail.
            is_tail: which of the two.
        """
        if self._unseen:
            if self._skipped:
                return
            if self._held is not None:
                self._held.append((self.text, (text, element, is_tail)))
            elif self._reading is not None:
                self._reading.append(text)
        elif self._code:
            first, *others = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            self._add(first, element, is_tail)
            for other in others:
                self._break(1, doubled=True)
                self._add(other, element, is_tail)
        else:
            self._add(text, element, is_tail)

    def space(self, text: str) -> None:
        """White space stands in the innermost open element."""
        if self._unseen:
            if self._held is not None and not self._skipped:
                self._held.append((self.space, (text,)))
        elif self._code:
            self.text(text)
        elif self._parts:
            self._parts.append(text)
        else:
            self._blank += len(text)

    def close(self) -> None:
        """Nothing follows."""
        if self._chunks:
            self._take_chunks()
        self._code = 0
        self._break(0)
        self.elements.names[:] = self._names

    def _take_chunks(self) -> None:
        chunks = self._chunks
        if self._unseen and self._reading is None and self._held is None:
            chunks.clear()
            return
        text = chunks[0] if len(chunks) == 1 else "".join(chunks)
        chunks.clear()
        if not text.isspace():
            self.text(text)
        elif self._unseen or self._code or self._parts:
            self.space(text)
        else:  # most stretches of text are the indentation of the markup
            self._blank += len(text)

    def _add(self, text: str, element: Any, is_tail: bool) -> None:
        self._parts.append(text)
        if not text or text.isspace():
            return
        here = self._here
        self._around = here if self._around < 0 else self._common(self._around, here)
        self._after_link = False
        if self._anchors:
            self._linked += len(text.strip())
        if element is not None:
            self.nodes.append(TextNode(len(self.lines), element, is_tail))

    def _common(self, one: int, other: int) -> int:
        """The innermost element around two."""
        parent, depth = self.elements.parent, self.elements.depth
        while one != other:
            if depth[one] >= depth[other]:
                one = parent[one]
            else:
                other = parent[other]
        return one

    def _break(self, strength: int, *, doubled: bool = False) -> None:
        """End the line; before the next one stand so many line feeds or more, or one more than till now."""
        self._after_link = False
        if self._parts:
            text = self._line("".join(self._parts))
            self._parts = []
            if text:
                self._flush(text)
                self._pending, self._blank = strength, 0
                return
            self._blank += 1
        if self._blank:
            self._around, self._linked, self._links, self._blank = -1, 0, 0, 0
        if (strength > self._pending or doubled) and not self._is_item:
            pending = self._pending + doubled
            self._pending = strength if pending < strength else pending if pending < 2 else 2

    def _line(self, joined: str) -> str:
        if self._code:
            return _BREAK_IN_CODE.sub(" ", joined).rstrip()
        if "\ufeff" in joined:
            joined = joined.replace("\ufeff", "")
        if _CELL_EDGE in joined:
            cells = (" ".join(cell.split()) for cell in joined.split(_CELL_EDGE))
            return " | ".join(cell for cell in cells if cell)
        return " ".join(joined.split())

    def _flush(self, text: str) -> None:
        self.separators.append("\n" * self._pending if self.lines else "")
        self.characters.append(len(text.strip()))
        self.lines.append(f"- {text}" if self._is_item and not self._code else text)
        self.element.append(max(self._around, 0))
        self.linked.append(min(self._linked, self.characters[-1]))
        self.links.append(self._links)
        self._is_item, self._around, self._linked, self._links = False, -1, 0, 0

    def _take_meta(self, attributes: Mapping[str, str]) -> None:
        name = attributes.get("property") or attributes.get("name") or attributes.get("rel")
        if name and (content := attributes.get("content") or attributes.get("href")):
            self.meta.setdefault(name.lower(), content)

    def append(self, paragraphs: Sequence[str]) -> None:
        """Paragraphs follow that the page does not show; it is closed."""
        self.elements.names.append("script")
        for text in paragraphs:
            self._around, self._pending = len(self.elements.parent), 2
            self.elements.parent.append(0)
            self.elements.name.append(len(self.elements.names) - 1)
            self.elements.place.append(int(Place.DATA))
            self.elements.depth.append(1)
            self._flush(text)


def _describe(tag: str, attributes: Mapping[str, str]) -> tuple[str, int]:
    """An element's name and place."""
    place = _PLACE_OF_TAG.get(tag, 0)
    if not attributes:
        return tag.lower(), place
    if "role" in attributes:
        place |= _PLACE_OF_ROLE.get(attributes["role"].strip().lower(), 0)
    hides = "style" in attributes and _HIDING.search(attributes["style"].replace(" ", "").lower())
    if hides or "hidden" in attributes or attributes.get("aria-hidden") == "true":
        place |= _HIDDEN
    own = " ".join(" ".join([attributes[name] for name in _NAMES if name in attributes]).split())
    return (f"{tag}.{own}" if own else tag).lower(), place


def _breaks_of_unknown(tag: str) -> int:
    """How many line feeds stand around an element that HTML does not know: none around <my-card> and <o:p>."""
    return 0 if "-" in tag or ":" in tag else 2
