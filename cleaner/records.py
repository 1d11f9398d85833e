"""The values that travel through the library: frozen, slotted, and free of behaviour that could surprise.

Offsets are always counted in code points of the input text (`str` indices), never in bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Label(StrEnum):
    """What a line is. The order of the members is the order of a model's outputs."""

    BODY = "body"
    TITLE = "title"
    BYLINE = "byline"
    CAPTION = "caption"
    ADVERT = "advert"
    SUBSCRIPTION = "subscription"
    RECOMMENDED = "recommended"
    SHARE = "share"
    NAVIGATION = "navigation"
    LEGAL = "legal"
    COMMENT = "comment"
    OTHER = "other"

    @property
    def meaning(self) -> str:
        """One sentence that says which lines carry this label."""
        return _MEANINGS[self]


_MEANINGS = {
    Label.BODY: "the author's text: paragraphs, quotes, subheadings, list items, table cells, code, posts",
    Label.TITLE: "the headline and the deck under it",
    Label.BYLINE: "author, date, place, reading time, news agency",
    Label.CAPTION: "captions and credits of pictures and videos",
    Label.ADVERT: "ad markers, sponsored blocks, affiliate and deal boxes",
    Label.SUBSCRIPTION: "newsletter, membership, donation, app, paywall and sign-in appeals",
    Label.RECOMMENDED: "related, most read, trending, next and previous, 'read more' and their teasers",
    Label.SHARE: "share, follow, like and print buttons and their counters",
    Label.NAVIGATION: "menus, breadcrumbs, search, page numbers, tag lists, jump lists, filters",
    Label.LEGAL: "copyright, cookies, terms, disclaimers",
    Label.COMMENT: "readers' comments and the form for them",
    Label.OTHER: "residue of templates and widgets",
}

#: What is kept unless the caller says otherwise.
DEFAULT_KEEP = frozenset({Label.BODY, Label.TITLE})


class DecidedBy(StrEnum):
    """Who had the last word on a line's label."""

    MODEL = "model"
    GUARD = "guard"
    RULE = "rule"
    PROFILE = "profile"
    STRUCTURE = "structure"


class Shape(StrEnum):
    """How a dump is written down; see `cleaner.segment.shapes`."""

    LINES = "lines"
    PARAGRAPHS = "paragraphs"
    WRAPPED = "wrapped"
    ONE_LINE = "one line"
    FRAGMENTS = "fragments"
    MARKDOWN = "markdown"


@dataclass(frozen=True, slots=True)
class Cut:
    """A stretch of boilerplate inside a line that is itself kept.

    `start` and `end` are offsets into the document's text, as a line's are.
    """

    start: int
    end: int
    label: Label
    reason: str


@dataclass(frozen=True, slots=True)
class Line:
    """One non-empty line of a document.

    Attributes:
        number: 1 for the first non-empty line, counting non-empty lines only.
        start: offset of the line's first character in the document's text.
        end: offset after its last character; the line break is not part of the line.
        text: `document.text[start:end]`.
        label: the final label.
        score: the model's probability, from 0 to 1, that the line carries one of the kept labels.
        decided_by: who had the last word; where it is not the model, label and score may disagree.
        reason: why, in words.
        cuts: stretches inside the line that are taken out although the line is kept, in order.
        path: on a page of HTML the elements around the line, as `html > body > p`; else "".
    """

    number: int
    start: int
    end: int
    text: str
    label: Label
    score: float
    decided_by: DecidedBy
    reason: str
    cuts: tuple[Cut, ...] = ()
    path: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A text and what was found out about each of its lines.

    Attributes:
        text: the whole input, unchanged; of a page of HTML, the text that was read from it.
        lines: its non-empty lines, in order.
        keep: the labels whose lines belong to the clean text.
        encoding: the codec the text was read with; None for a text that came as `str`.
        notes: what the reader of the result should know, one sentence each.
        is_html: whether it was read from HTML; offsets then count in the page's text, not in the HTML.
        shape: how it is written down; lines of a logical line, such as a wrapped paragraph, share a label.
    """

    text: str
    lines: tuple[Line, ...]
    keep: frozenset[Label] = DEFAULT_KEEP
    encoding: str | None = None
    notes: tuple[str, ...] = ()
    is_html: bool = False
    shape: Shape = Shape.LINES

    def is_kept(self, line: Line) -> bool:
        """Whether a line of this document belongs to the clean text."""
        return line.label in self.keep
