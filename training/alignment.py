"""Labels carried from one dump of a page to another, and from an extracted text to a dump, by aligning words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Indel

from cleaner.records import Label

_WORD = re.compile(r"\w+")
#: A line takes a label that this share of its words agree on; below it the line has none.
_AGREEMENT = 0.7
#: A line is body if at least this share of its words is, and is not if at most one less this share is.
_BODY_SHARE = 0.6


def words_of(lines: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    """The words of some lines in lower case, and the line each stands in."""
    words: list[str] = []
    place: list[int] = []
    for k, line in enumerate(lines):
        found = _WORD.findall(line.lower())
        words += found
        place += [k] * len(found)
    return words, np.array(place, dtype=np.int64)


def matches(first: Sequence[str], second: Sequence[str]) -> NDArray[np.int64]:
    """For each word of the second sequence the index of the word in the first it is aligned with, or -1.

    The alignment is a longest common subsequence of words (Hyyrö 2004, bit-parallel, as rapidfuzz has it).
    """
    numbers: dict[str, int] = {}
    one = [numbers.setdefault(word, len(numbers)) for word in first]
    two = [numbers.setdefault(word, len(numbers)) for word in second]
    aligned = np.full(len(two), -1, dtype=np.int64)
    for step in Indel.opcodes(one, two):
        if step.tag == "equal":
            aligned[step.dest_start : step.dest_end] = np.arange(step.src_start, step.src_end)
    return aligned


def project(lines: Sequence[str], labels: Sequence[Label | None], target: Sequence[str]) -> list[Label | None]:
    """Give the lines of one dump the labels of another dump of the same page.

    Args:
        lines: the labelled dump.
        labels: one per line of it.
        target: the dump to label.

    Returns:
        One label per line of `target`; None where its words have none or disagree.
    """
    words, place = words_of(lines)
    target_words, target_place = words_of(target)
    aligned = matches(words, target_words)
    votes: list[Counter[Label | None]] = [Counter() for _ in target]
    for k, at in zip(target_place.tolist(), aligned.tolist(), strict=True):
        votes[k][labels[place[at]] if at >= 0 else None] += 1
    result = []
    for vote in votes:
        label, count = vote.most_common(1)[0] if vote else (None, 0)
        result.append(label if count >= _AGREEMENT * vote.total() else None)
    return result


def align(lines: Sequence[str], content: str) -> list[bool | None]:
    """Say which lines of a dump belong to a text that was extracted from the same page.

    Args:
        lines: the dump.
        content: the extracted text.

    Returns:
        True, False, or None for a line that is partly content or has no words.
    """
    words, place = words_of(lines)
    wanted, _ = words_of([content])
    matched = matches(wanted, words) >= 0
    size = np.bincount(place, minlength=len(lines))
    share = np.bincount(place, matched, minlength=len(lines)) / np.maximum(size, 1)
    return [
        None if not n or 1 - _BODY_SHARE < s < _BODY_SHARE else bool(s >= _BODY_SHARE)
        for n, s in zip(size.tolist(), share.tolist(), strict=True)
    ]
