from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from cleaner import Cleaner, Label
from cleaner.model.store import Model
from training.alignment import align, project
from training.corpora import CorpusError, Page, read_pages
from training.dumps import STYLES, dump
from training.evaluate import Judges, wcxb_report
from training.structure import paths, read_nodes
from training.wcxb import read_corpora, read_wcxb

PAGE = """<html><head><title>Pond</title><script>var words = 1;</script><style>p {}</style></head><body>
<nav class="main-menu"><a href="/">Home</a> <a href="/news">News of the day</a></nav>
<article><h1>The school pond</h1><p>Pupils have won a <b>national prize</b> for a pond they dug themselves.</p>
<p>It took them two years, and in the second spring the frogs came without being asked by anyone at all.</p>
<p>The prize money will buy a jetty, so that the youngest can look into the water without falling in.</p></article>
<div id="newsletter">Sign up for our weekly letter</div><!-- no comment --><footer>All rights reserved</footer>
</body></html>"""
FULL_TEXT = dump(PAGE, "full")


def _label(line: str) -> Label:
    if line.startswith("Sign"):
        return Label.SUBSCRIPTION
    if line.startswith("All"):
        return Label.LEGAL
    if line.startswith(("Home", "News")):
        return Label.NAVIGATION
    return Label.TITLE if line == "The school pond" else Label.BODY


@pytest.mark.parametrize("style", STYLES)
def test_every_style_holds_the_article_and_no_script(style: str) -> None:
    text = dump(PAGE, style)
    assert "two years" in text.replace("\n", " ")
    assert "var words" not in text and "no comment" not in text
    assert all(line == line.strip() and line for line in text.split("\n"))


@pytest.mark.parametrize("style", STYLES)
def test_a_page_without_text_gives_no_line(style: str) -> None:
    assert [dump(page, style) for page in ("", "<html></html>", "<script>a</script>")] == ["", "", ""]


def test_text_nodes_break_sentences_and_columns_wrap_them() -> None:
    assert "Pupils have won a\nnational prize\nfor a pond they dug themselves." in dump(PAGE, "nodes")
    wrapped = dump(PAGE, "wrapped").split("\n")
    assert max(map(len, wrapped)) <= 80 and " ".join(wrapped) == FULL_TEXT.replace("\n", " ")


@pytest.mark.parametrize("style", STYLES)
def test_labels_travel_from_style_to_style(style: str) -> None:
    source = FULL_TEXT.split("\n")
    target = dump(PAGE, style).split("\n")
    found = project(source, [_label(line) for line in source], target)
    for line, label in zip(target, found, strict=True):
        if label is not None:
            origin = next(whole for whole in source if line in whole or whole in line)
            assert label is _label(origin), line
    assert found.count(None) <= 1  # the page's title stands in no full dump


def test_a_line_whose_words_disagree_has_no_label() -> None:
    labels = [Label.BODY, Label.LEGAL]
    assert project(["one two", "three four"], labels, ["one two three four", "one two three", "new"]) == [None] * 3
    assert project(["one two", "three four"], labels, ["one two", "...", "four"]) == [Label.BODY, None, Label.LEGAL]


def test_content_is_found_in_a_dump() -> None:
    lines = ["Home", "one two three", "four five six", "seven two eight", "---", "nine ten eleven twelve thirteen"]
    assert align(lines, "One two three.\n\nFour five. Nine ten") == [False, True, True, False, None, None] or align(
        lines, "One two three.\n\nFour five. Nine ten"
    ) == [False, True, True, False, None, False]


def test_lines_know_the_elements_they_stand_in() -> None:
    nodes = read_nodes(PAGE)
    found = dict(zip(FULL_TEXT.split("\n"), paths(FULL_TEXT.split("\n"), nodes), strict=True))
    paragraphs = [path for line, path in found.items() if _label(line) is Label.BODY]
    assert paragraphs[1] == paragraphs[2] != found["Sign up for our weekly letter"]
    assert all(path == tuple(sorted(path)) for path in found.values())
    assert "words" not in nodes.words, "a script is not text"
    assert "by" in nodes.words and len(nodes.words) == len(nodes.path)


def _corpus(folder: Path) -> Path:
    (folder / "wcxb-dev" / "html").mkdir(parents=True)
    (folder / "wcxb-dev" / "ground-truth").mkdir()
    (folder / "labelled-pages" / "en").mkdir(parents=True)
    for name in ("0001", "0002", "0003"):
        (folder / "wcxb-dev" / "html" / f"{name}.html.gz").write_bytes(gzip.compress(PAGE.encode()))
        content = None if name == "0003" else " ".join(FULL_TEXT.split("\n")[-5:-2])
        truth = {
            "url": f"https://www.school{name}.org/pond",
            "ground_truth": {"main_content": content},
            "_internal": {"page_type": {"primary": "category" if name == "0002" else "article"}},
        }
        (folder / "wcxb-dev" / "ground-truth" / f"{name}.json").write_text(json.dumps(truth))
    lines = FULL_TEXT.split("\n")
    (folder / "labelled-pages" / "en" / "0001.txt").write_text(FULL_TEXT + "\n")
    rows = (f"{number}-{number}\t{_label(line)}\n" for number, line in enumerate(lines, start=1))
    (folder / "labelled-pages" / "en" / "0001.tsv").write_text("".join(rows))
    return folder


def test_wcxb_is_read_in_every_style(tmp_path: Path) -> None:
    corpora = _corpus(tmp_path)
    labelled = read_pages(corpora / "labelled-pages" / "en")
    pages = list(read_wcxb(corpora / "wcxb-dev", labelled))
    assert [(page.name, page.style) for page in pages] == [
        (name, style) for name in ("0001", "0002") for style in STYLES
    ]
    first, other = pages[0], pages[len(STYLES)]
    assert (first.corpus, first.kind, first.host) == ("en", "article", "school0001.org")
    assert all(first.labels) and not any(other.labels) and other.kind == "collection"
    assert {label for label, told in zip(first.labels, first.in_content, strict=True) if told} == {Label.BODY}


def test_training_pages_come_as_full_dumps_and_one_style_more(tmp_path: Path) -> None:
    pages = read_corpora(_corpus(tmp_path))
    assert [page.style for page in pages[::2]] == ["full", "full"] and len(pages) == 4
    assert all(page.style != "full" for page in pages[1::2])
    assert all(len(page.paths) == len(page.labels) == len(page.lines) for page in pages)


def test_a_folder_without_wcxb_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="holds no page"):
        list(read_wcxb(tmp_path))


def test_wcxb_is_judged_in_every_style_with_or_without_articles(tmp_path: Path, cleaner: Cleaner) -> None:
    class Shipped(Judges):
        def __init__(self) -> None:
            pass

        def split(self, pages: Sequence[Page]) -> Iterator[tuple[Model, list[Page]]]:
            yield cleaner.model, list(pages)

    corpora = _corpus(tmp_path)
    report, figures = wcxb_report(corpora / "wcxb-dev", Shipped())
    assert figures["wcxb full: word F1"] > 0.9
    assert figures["wcxb full: word F1 above keeping everything"] > 0
    assert all(style in report for style in STYLES) and "collection" in report
    (corpora / "wcxb-dev" / "ground-truth" / "0001.json").unlink()
    _, figures = wcxb_report(corpora / "wcxb-dev", Shipped())
    assert np.isnan(figures["wcxb full: word F1, articles"])
