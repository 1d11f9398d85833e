"""The shipped model on the seeds it was trained on: the least that must be right."""

from __future__ import annotations

import pytest

from cleaner import Cleaner, Label
from training.corpora import Page, read_seeds
from training.measures import PROMOTIONAL_IN_SEEDS


@pytest.mark.parametrize("page", read_seeds(), ids=lambda page: page.name)
def test_the_author_s_lines_stay_and_the_promotional_ones_go(cleaner: Cleaner, page: Page) -> None:
    document = cleaner.label(page.text)
    kept = [document.is_kept(line) for line in document.lines]
    for line, label, stays in zip(document.lines, page.labels, kept, strict=True):
        if label in (Label.BODY, Label.TITLE):
            assert stays, line
        elif label in PROMOTIONAL_IN_SEEDS:
            assert not stays, line


def test_the_cuts_are_the_readers(cleaner: Cleaner) -> None:
    for page in read_seeds():
        document = cleaner.label(page.text)
        for k, line in enumerate(document.lines):
            if document.is_kept(line):
                expected = [(line.start + a, line.start + b) for a, b, _ in page.cuts.get(k, ())]
                assert [(cut.start, cut.end) for cut in line.cuts] == expected


def test_a_sentence_freed_of_residue_is_whole(cleaner: Cleaner) -> None:
    text = cleaner.clean(read_seeds()[3].text)
    assert "\nSyria's conflict erupted in March 2011 with widespread demonstrations but has" in text
    assert "jpeg" not in text and "ADVERTISEMENT" not in text
