"""A labelled document becomes clean text, or JSON, or again the text it was.

Everything here works on spans of the input, so that the clean text can hold nothing the input does not, and
kept and removed pieces together are the input.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleaner.compiled import loops
from cleaner.errors import InputError
from cleaner.records import Document

_BREAK = re.compile("\r\n|[\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]")
_BYTE_ORDER_MARK = "\ufeff"

#: What the offsets of a page of HTML count, for who reads the JSON.
_HTML_OFFSETS = (
    "start and end count code points of the text that was read from the HTML: separators and lines in turn; "
    "they are not offsets into the HTML"
)

Span = tuple[int, int]


def clean_text(document: Document) -> str:
    """The kept part of a document."""
    return join(document.text, _document_spans(document))


def join(text: str, spans: Sequence[Span]) -> str:
    """The text of spans, one after the other."""
    return "".join([text[start:end] for start, end in spans])


def pieces(document: Document) -> list[tuple[bool, str]]:
    """Cut a document's text into kept (True) and removed (False) pieces that, in order, rebuild it."""
    found: list[tuple[bool, str]] = []
    at = 0
    for start, end in _document_spans(document):
        if start > at:
            found.append((False, document.text[at:start]))
        if end > start:
            found.append((True, document.text[start:end]))
        at = end
    if at < len(document.text):
        found.append((False, document.text[at:]))
    return found


def _document_spans(document: Document) -> list[Span]:
    lines = document.lines
    return kept_spans(
        document.text,
        np.array([line.start for line in lines], dtype=np.int64),
        np.array([line.end for line in lines], dtype=np.int64),
        np.array([document.is_kept(line) for line in lines], dtype=bool),
        {k: [(cut.start, cut.end) for cut in line.cuts] for k, line in enumerate(lines) if line.cuts},
    )


def kept_spans(
    text: str,
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    kept: NDArray[np.bool_],
    cuts: dict[int, list[Span]],
) -> list[Span]:
    """The spans of a text that make up its clean text.

    What stands between two lines stays as it is when both lines stay. Where lines are taken out between two
    kept ones, of the separators around them the one with the most line breaks stays, so that a paragraph break
    remains a paragraph break. A byte order mark is never part of the clean text.

    Args:
        text: the document.
        start, end: int64 [lines], where they stand.
        kept: bool [lines], whether each stays.
        cuts: by line, the spans inside it that go.
    """
    found = _runs(start, end, kept, sorted(cuts))
    if not found:
        return []
    spans: list[Span] = []
    if found[0][0] == 0:
        spans.append((len(_BYTE_ORDER_MARK) if text.startswith(_BYTE_ORDER_MARK) else 0, int(start[0])))
    before = -1
    for first, last, is_plain in found:
        if before >= 0 and is_plain:  # a gap of one character holds one break, and the first of equals stays
            spans.append((spans[-1][1], spans[-1][1] + 1))
        elif before >= 0:
            gaps = zip(end[before:first].tolist(), start[before + 1 : first + 1].tolist(), strict=True)
            spans.append(max(gaps, key=lambda gap: len(_BREAK.findall(text, *gap))))
        spans.extend(_without(int(start[first]), int(end[last]), cuts.get(first, [])))
        before = last
    if before == len(kept) - 1:
        spans.append((int(end[-1]), len(text)))
    elif after := _BREAK.search(text, int(end[before])):
        spans.append(after.span())
    return spans


def _runs(
    start: NDArray[np.int64], end: NDArray[np.int64], kept: NDArray[np.bool_], alone: list[int]
) -> list[tuple[int, int, int]]:
    """The runs of kept lines: the first and last line of each, and whether all gaps before it are of one character.

    Args:
        start, end, kept: as for `kept_spans`.
        alone: lines that are a run of their own if they stay.
    """
    if (fast := loops("text", len(kept))) is not None:
        some: list[tuple[int, int, int]] = fast.runs(start, end, kept, np.array(alone, dtype=np.int64)).tolist()
        return some
    goes_on = kept[1:] & kept[:-1]  # in the line after
    for k in alone:
        goes_on[max(k - 1, 0) : k + 1] = False
    is_first, is_last = kept.copy(), kept.copy()
    is_first[1:] &= ~goes_on
    is_last[:-1] &= ~goes_on
    first, last = np.flatnonzero(is_first), np.flatnonzero(is_last)
    wide = np.flatnonzero(start[1:] - end[:-1] != 1)
    plain = np.append(True, np.searchsorted(wide, last[:-1]) == np.searchsorted(wide, first[1:]))[: len(first)]
    return list(zip(first.tolist(), last.tolist(), plain.tolist(), strict=True))


def _without(start: int, end: int, cuts: Sequence[Span]) -> list[Span]:
    spans = []
    for cut_start, cut_end in cuts:
        spans.append((start, cut_start))
        start = cut_end
    return [*spans, (start, end)]


def to_json(document: Document, id: str, text: str) -> dict[str, Any]:
    """A document as JSON values.

    Args:
        document: the labelled document.
        id: what the caller calls it.
        text: the text to put beside the lines: the clean one, or the whole.

    Returns:
        `id`, `text`, `encoding`, `notes`, `lines`, and `separators`: what stands before, between and after the
        lines, one more than there are lines, so that `restore` can put the original together again. (JSON takes
        two lone surrogates that happen to form a pair for one character; no file decodes to such a text.)
    """
    edges = [0, *(offset for line in document.lines for offset in (line.start, line.end)), len(document.text)]
    return {
        "id": id,
        "text": text,
        "encoding": document.encoding,
        "shape": document.shape.value,
        **({"offsets": _HTML_OFFSETS} if document.is_html else {}),
        "notes": list(document.notes),
        "lines": [
            {
                "number": line.number,
                "start": line.start,
                "end": line.end,
                "text": line.text,
                "label": line.label.value,
                "score": line.score,
                "decided_by": line.decided_by.value,
                "reason": line.reason,
                **({"path": line.path} if document.is_html else {}),
                "kept": document.is_kept(line),
                "cuts": [
                    {"start": cut.start, "end": cut.end, "label": cut.label.value, "reason": cut.reason}
                    for cut in line.cuts
                ],
            }
            for line in document.lines
        ],
        "separators": [document.text[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)],
    }


def restore(content: Any) -> tuple[str, str | None]:
    """Put the original together again from what `to_json` made.

    Returns:
        The text, and the codec its bytes were read with (None if it never was bytes).

    Raises:
        InputError: if the content is not such an object.
    """
    try:
        lines, separators = content["lines"], content["separators"]
        texts = [line["text"] for line in lines]
        if len(separators) != len(texts) + 1:
            raise InputError("the JSON document is not whole: it needs one separator more than it has lines.")
        parts = [separators[0]]
        for text, separator in zip(texts, separators[1:], strict=True):
            parts += [text, separator]
        return "".join(parts), content.get("encoding")
    except (KeyError, TypeError, AttributeError):
        raise InputError(
            "this is not a document that `cleaner clean --json` or `cleaner label` wrote: "
            "it lacks the fields 'lines' and 'separators'."
        ) from None


def removed_text(document: Document) -> str:
    """What was taken out of a document: a line each, its label, a tab, and its text."""
    rows = []
    for line in document.lines:
        if not document.is_kept(line):
            rows.append(f"{line.label}\t{line.text}\n")
        rows += [f"{cut.label}\t{document.text[cut.start : cut.end]}\n" for cut in line.cuts if document.is_kept(line)]
    return "".join(rows)
