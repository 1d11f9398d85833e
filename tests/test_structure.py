"""What structure says of a line, on pages small enough to count by hand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cleaner.evidence import structure, verdicts
from cleaner.evidence.gather import gather_pages
from cleaner.evidence.structure import path_grams, structure_features, structure_of
from cleaner.records import Label
from cleaner.segment.html import Page, read_html

PAGE = (
    '<html><head><title>The ferry returns</title><meta property="og:type" content="article"></head><body>'
    '<nav class="top-menu"><a href=1>Home</a></nav>'
    "<main><h1>The ferry returns</h1><p>It sailed on Monday.</p><p>The <a href=2>town</a> came.</p></main></body>"
)
OTHER = "<div id=menu><div id=menu><p>One</p><p>Two</p></div></div>"


def features(pages: list[Page], label: Label = Label.BODY) -> NDArray[np.int8]:
    evidence = gather_pages(pages, None, 18, 16)
    probability = np.zeros((len(evidence.lines), len(Label)), dtype=np.int32)
    probability[:, list(Label).index(label)] = 127
    assert evidence.markup is not None
    return structure_features(evidence.lines, evidence.markup.structure, evidence.grams[1], probability)


def column(name: str, table: NDArray[np.int8]) -> list[int]:
    values: list[int] = table[:, structure.FEATURES.index(name)].tolist()
    return values


def test_each_feature_has_a_name_and_a_column() -> None:
    assert len(set(structure.FEATURES)) == len(structure.FEATURES)
    assert features([read_html(PAGE)]).shape == (4, len(structure.FEATURES))
    assert features([read_html("")]).shape == (0, len(structure.FEATURES))
    none = np.zeros(4, dtype=np.int8)
    evidence = gather_pages([read_html(PAGE)], None, 18, 16)
    columns = verdicts.verdict_features(evidence.lines, none, none, evidence.grams[1].count)
    assert columns.shape == (4, len(verdicts.FEATURES))


def test_place_links_and_the_page_s_own_words() -> None:
    table = features([read_html(PAGE)])
    assert column("in NAV", table) == [127, 0, 0, 0]
    assert column("in HEADING", table) == [0, 127, 0, 0]
    assert column("share of links", table) == [127, 0, 0, 127 * 4 // 14]
    assert column("words in the page's own title", table) == [0, 127, 0, 127 // 3]
    assert column("page says it is og:article", table) == [127] * 4
    assert column("page says it is product", table) == [0] * 4


def test_lines_of_one_element_are_company() -> None:
    table = features([read_html(PAGE)])
    lines = column("log lines 1 up", table)
    assert lines[1] == lines[2] == lines[3] > lines[0]
    assert column("mean of body on the same path", table) == [127] * 4
    other = features([read_html(PAGE)], Label.LEGAL)
    assert column("mean of body 1 up", other) == [0] * 4
    assert column("mean of legal 1 up", other) == [127] * 4


def test_neighbours_share_elements() -> None:
    table = features([read_html(PAGE)])
    before = column("log shared elements with the line before", table)
    after = column("log shared elements with the line after", table)
    assert before[0] == 0 and after[3] == 0
    assert before[1:] == after[:-1]
    assert before[2] > before[1], "html, body and main; html and body"


def test_a_batch_changes_nothing() -> None:
    pages = [read_html(PAGE), read_html(OTHER), read_html("")]
    together = features([*pages, *pages[::-1]])
    alone = [features([page]) for page in pages]
    assert np.array_equal(together, np.concatenate([*alone, *alone[::-1]]))


def test_names_of_elements_are_hashed_once_a_path() -> None:
    pages = [read_html(PAGE), read_html(OTHER)]
    grams, place = path_grams(structure_of(pages, 18), 16)
    assert len(place) == 6
    assert place[4] != place[5], "two elements"
    buckets = [set(part) for part in np.split(grams.bucket, grams.first[1:])]
    assert all(len(part) == size + 1 for part, size in zip(buckets, grams.count, strict=True)), "no name twice"
    assert buckets[place[4]] == buckets[place[5]], "of the same names"
    alone, there = path_grams(structure_of(pages[1:], 18), 16)
    assert {*np.split(alone.bucket, alone.first[1:])[there[0]].tolist()} == buckets[place[4]]
