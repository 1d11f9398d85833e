"""Trafilatura's verdicts on a line: the only place that imports trafilatura.

On bare lines one of its text heuristics works without an HTML tree and without state from document to document: the
filter for labels of share and print buttons (`trafilatura.utils.RE_FILTER`). Its extraction functions must never see
plain text: they take it for broken HTML.

On a page its extraction is run whole. Which lines it keeps is read off a mark, one letter that no page uses, put
before each stretch of a line's text; on development pages the marks changed .03 % of the words it extracts.
"""

from __future__ import annotations

import functools
import logging
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleaner.evidence.compact import CompactLines
from cleaner.segment.html import Page
from cleaner.timelimit import TakesTooLongError, no_longer_than

# what it logs of single pages reaches those who ask for logs, and not standard error by default
logging.getLogger("trafilatura").addHandler(logging.NullHandler())

#: The labels it knows have less than 24 letters; no longer line, in bytes, is asked about.
_LONGEST = 40

#: A filter that is a plain list of labels, what may be missing in one, and the bytes that words are made of.
_LABELS = re.compile(r"\\W\*\(([^()\[\]\\]+?)\$?\)\$")
_OPTIONAL = re.compile(r"(.)\?")
_IS_WORD = np.zeros(256, dtype=bool)
_IS_WORD[list(b"abcdefghijklmnopqrstuvwxyz0_")] = True

#: Blocks of letters that hardly any page uses, and how many letters are taken of each: a line's number chooses one.
_MARKS = ((0x20000, 42_000), (0x17000, 6_000))
#: Characters that libxml2 reads (from `&#1;`) but does not take.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
#: Beyond this trafilatura takes too long, or too much memory: characters of text, elements.
_MOST_CHARACTERS, _MOST_ELEMENTS = 2_000_000, 100_000
#: It finds nothing in elements nested deeper.
_DEEPEST = 250
SECONDS = 20.0
_WITHOUT = "; labelled without trafilatura's verdict."
#: A verdict on the whole of a line.
_WHOLE = 127


def share_labels(lines: CompactLines) -> NDArray[np.int8]:
    """Which lines trafilatura takes for the label of a share or print button.

    Args:
        lines: the batch.

    Returns:
        int8 [lines], 1 where `RE_FILTER` matches the line, else 0.
    """
    from trafilatura.utils import RE_FILTER  # 0.1 s: paid when the first text is labelled, not on import

    found = np.zeros(len(lines), dtype=np.int8)
    short = np.flatnonzero(_may_match(RE_FILTER.pattern, lines) & (lines.end - lines.start <= _LONGEST))
    text = lines.raw.tobytes()
    spans = zip(lines.start[short].tolist(), lines.end[short].tolist(), strict=True)
    texts = b"\n".join([text[start:end] for start, end in spans]).decode("utf-8", "surrogatepass").split("\n")
    found[short] = [match is not None for match in map(RE_FILTER.match, texts[: len(short)])]
    return found


def _may_match(pattern: str, lines: CompactLines) -> NDArray[np.bool_]:
    """Which lines of a batch a filter may match, by their first three bytes: bool [lines]; it need not see the others.

    Args:
        pattern: of the filter, as in ``\\W*(Facebook|E-?Mail|Print)$``, whatever the case; where it is no such list of
            labels, any line may match.
        lines: the batch.
    """
    one_two, two_three = _beginnings(pattern)
    places = (np.minimum(lines.start + k, len(lines.folded) - 1) for k in range(3))
    one, two, three = (lines.folded[place] for place in places)
    may: NDArray[np.bool_] = one_two[one, two] & (two_three[two, three] | ~_IS_WORD[one])
    return may


@functools.cache
def _beginnings(pattern: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which first and second byte, and which second and third, a line has that a filter may match: bool [256, 256]."""
    listed = _LABELS.fullmatch(pattern)
    if listed is None:
        return np.ones((256, 256), dtype=bool), np.ones((256, 256), dtype=bool)
    one_two, two_three = np.zeros((256, 256), dtype=bool), np.zeros((256, 256), dtype=bool)
    one_two[~_IS_WORD] = True  # all else may stand before a label
    for label in listed[1].lower().split("|"):
        for form in {_OPTIONAL.sub(r"\1", label), _OPTIONAL.sub("", label)}:
            one, two, three = (_bytes_of(form[k : k + 1], form[k + 1 : k + 2]) for k in range(3))
            one_two[np.ix_(one, two)] = True
            two_three[np.ix_(two, three)] = True
    return one_two, two_three


def _bytes_of(character: str, after: str) -> NDArray[np.int64]:
    """Which bytes may stand where a pattern has a character; all may, unless it is plain."""
    plain = character == "-" or (character.isascii() and character.isalpha())
    if not plain or after in ("?", "*", "{"):
        return np.arange(256)
    # some letters beyond ASCII count as the lower case of one in it
    return np.array([ord(character), *range(0x80, 0x100)])


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What trafilatura made of a page.

    Attributes:
        kept: int8 [lines], how much of each line it keeps as text, from 0 to 127.
        comment: int8 [lines], how much it keeps as readers' comments.
        note: why there is no verdict, one sentence, or None.
    """

    kept: NDArray[np.int8]
    comment: NDArray[np.int8]
    note: str | None = None


def verdict(page: Page, seconds: float = SECONDS) -> Verdict:
    """Run trafilatura's extraction on a page and say which lines it keeps. The page's tree is used up.

    Args:
        page: the page.
        seconds: how long it may take.
    """
    count = len(page.element)
    none = np.zeros(count, dtype=np.int8)
    if not count:
        return Verdict(none, none)
    if note := _hindrance(page):
        return Verdict(none, none, note + _WITHOUT)
    base = next((base for base, size in _MARKS if count <= size and not _holds(page.text, base, size)), None)
    if base is None:
        return Verdict(none, none, "no letters are left to mark its lines" + _WITHOUT)
    from trafilatura import bare_extraction
    from trafilatura.settings import Document

    _mark(page, base)
    try:
        with no_longer_than(seconds):
            # of its modes the one whose verdicts helped most and cost least (see the card of the model)
            document = bare_extraction(page.tree, favor_recall=True, deduplicate=False)
    except TakesTooLongError:
        return Verdict(none, none, f"trafilatura took more than {seconds:g} seconds{_WITHOUT}")
    except Exception as error:  # whatever breaks it must not cost the page
        return Verdict(none, none, f"trafilatura failed ({type(error).__name__}){_WITHOUT}")
    if not isinstance(document, Document):  # it finds nothing
        return Verdict(none, none)
    stretches = np.bincount([node.line for node in page.nodes], minlength=count)
    kept, comment = (_marked_lines(text or "", base, stretches) for text in (document.text, document.comments))
    return Verdict(kept, comment)


def _hindrance(page: Page) -> str | None:
    if page.tree is None:
        return "it has no tree"
    if len(page.text) > _MOST_CHARACTERS or len(page.elements.parent) > _MOST_ELEMENTS:
        return "it is too large"
    if max(page.elements.depth) > _DEEPEST:
        return "its elements are nested too deep"
    return None


def _holds(text: str, base: int, size: int) -> bool:
    return not text.isascii() and any(base <= ord(letter) < base + size for letter in set(text))


def _mark(page: Page, base: int) -> None:
    for node in page.nodes:
        element, mark = node.element, chr(base + node.line)
        text = element.tail if node.is_tail else element.text
        begin = len(text) - len(text.lstrip())
        marked = _CONTROLS.sub(" ", f"{text[:begin]}{mark}{text[begin:]}")
        if node.is_tail:
            element.tail = marked
        else:
            element.text = marked


def _marked_lines(text: str, base: int, stretches: NDArray[np.int64]) -> NDArray[np.int8]:
    """How much of each line stands in an extracted text, by its marks."""
    lines = len(stretches)
    number = np.frombuffer(text.encode("utf-32-le", "replace"), dtype="<u4").astype(np.int64) - base
    found = np.bincount(number[(number >= 0) & (number < lines)], minlength=lines)
    share: NDArray[np.int8] = np.minimum(_WHOLE * found // np.maximum(stretches, 1), _WHOLE).astype(np.int8)
    return share
