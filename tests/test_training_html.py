"""Training and measuring on HTML, on a small folder in WCXB's layout."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer

from cleaner import Cleaner, Label
from cleaner.model import store
from cleaner.model.network import lean
from training.bad_input import main, run
from training.corpora import CorpusError, Page, read_pages
from training.fit import fit_lines
from training.floors import FLOORS
from training.html import HtmlPage, html_digest, read_corpora, read_folder
from training.html_report import HtmlJudges, html_report, languages_report
from training.lines import HTML_SETTINGS, html_lines

SMALL = replace(HTML_SETTINGS, bits=12, neighbour_bits=10, place_bits=10, epochs=2, hidden=8, networks=1, passes=2)
TOPICS = ("ferry", "mill", "orchard", "bell", "bridge", "quarry", "well", "lamp")


def page(topic: str) -> tuple[str, str, list[tuple[str, Label]]]:
    """HTML, the text to keep, and the lines of its full dump with their labels."""
    body = [
        f"The {topic} stood at the end of the road, and {how}." for how in ("nobody used it", "it was old", "it fell")
    ]
    lines = [
        ("Home News Contact", Label.NAVIGATION),
        (f"Gone for good: {topic}", Label.TITLE),
        *((text, Label.BODY) for text in body),
        ("Subscribe to our letter", Label.SUBSCRIPTION),
    ]
    html = (
        "<nav><a>Home</a> <a>News</a> <a>Contact</a></nav><article>"
        f"<h1>Gone for good: {topic}</h1>{''.join(f'<p>{text}</p>' for text in body)}</article>"
        "<aside class=newsletter>Subscribe to our letter</aside>"
    )
    return html, "\n".join(body), lines


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    for folder in ("wcxb-dev/html", "wcxb-dev/ground-truth", "labelled-pages/en"):
        (tmp_path / folder).mkdir(parents=True)
    for k, topic in enumerate(TOPICS):
        html, content, lines = page(topic)
        (tmp_path / "wcxb-dev/html" / f"{k}.html.gz").write_bytes(gzip.compress(html.encode()))
        truth = {
            "url": f"https://{topic}.example/blog/{k}",
            "ground_truth": {"main_content": content},
            "_internal": {"page_type": {"primary": "article" if k % 2 else "product"}},
        }
        (tmp_path / "wcxb-dev/ground-truth" / f"{k}.json").write_text(json.dumps(truth))
        if k < 6:  # the last two are judged by WCXB alone
            (tmp_path / "labelled-pages/en" / f"{k}.txt").write_text("\n".join(text for text, _ in lines))
            rows = "\n".join(f"{n}-{n}\t{label}" for n, (_, label) in enumerate(lines, start=1))
            (tmp_path / "labelled-pages/en" / f"{k}.tsv").write_text(rows)
    return tmp_path


def test_labels_and_content_fall_on_the_lines_of_the_html(corpora: Path) -> None:
    pages = read_corpora(corpora)
    assert [one.page.name for one in pages] == [str(k) for k in range(len(TOPICS))]
    first = pages[0]
    assert first.page.labels == tuple(label for _, label in page(TOPICS[0])[2])
    assert first.page.in_content == (False, False, True, True, True, False)
    assert first.page.host == "ferry.example" and first.url == "https://ferry.example/blog/0"
    assert pages[-1].page.labels == (None,) * 6 and pages[-1].page.in_content == first.page.in_content
    assert first.markup.tree is None and first.verdict.kept.shape == (6,)


def test_a_folder_without_pages_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="holds no page"):
        read_folder(tmp_path)


def test_a_model_for_html_comes_out(corpora: Path, tmp_path: Path, cleaner: Cleaner) -> None:
    pages: list[HtmlPage] = read_corpora(corpora)
    assert html_digest(pages) == html_digest(read_corpora(corpora)) != html_digest(pages[1:])
    trained = [fit_lines(html_lines(pages, SMALL), SMALL) for _ in range(2)]
    for name, array in trained[0].arrays.items():
        np.testing.assert_array_equal(array, trained[1].arrays[name])
    store.save(tmp_path / "model", trained[0].arrays, trained[0].config(), "")
    model = store.load(tmp_path / "model")
    assert model.input == store.HTML and model.fast is not None
    assert model.second.content is not None and model.second.content_share == 0.5
    for fast in (False, True):
        document = Cleaner(model=cleaner.model, html_model=model, fast=fast).label_html(page("tower")[0])
        assert len(document.lines) == 6
        assert all(0 <= line.score <= 1 for line in document.lines)


def test_reports_stand_beside_other_extractors(corpora: Path) -> None:
    judges = HtmlJudges(corpora / "nothing", HTML_SETTINGS)
    table, figures = html_report(corpora / "wcxb-dev", judges, corpora / "labelled-pages" / "en")
    assert {"all", "article", "product"} <= {row.split()[0] for row in table.split("\n")}
    assert figures["html: word F1"] > 0.9
    told = json.loads(FLOORS.read_text(encoding="utf-8"))[store.DEFAULT_HTML]
    assert set(figures) & set(told)
    table, figures = languages_report(corpora / "wcxb-dev", judges, corpora / "labelled-pages" / "en")
    assert figures["languages: body word F1"] > 0.9


def test_labelled_pages_keep_their_own_reader(corpora: Path) -> None:
    pages: list[Page] = read_pages(corpora / "labelled-pages" / "en")
    assert len(read_folder(corpora / "wcxb-dev", pages)) == len(TOPICS)


def test_a_second_opinion_moves_one_class() -> None:
    probability = np.array([[0.6, 0.2, 0.1, 0.1], [0.0, 0.0, 0.5, 0.5], [1.0, 0.0, 0.0, 0.0]])
    opinion = np.array([0.2, 1.0, 0.5])
    moved = lean(probability, 0, opinion, 0.5)
    np.testing.assert_allclose(moved[:2], [[0.4, 0.3, 0.15, 0.15], [0.5, 0.0, 0.25, 0.25]])
    assert moved[2, 0] == 0.75
    np.testing.assert_array_equal(lean(probability, 0, opinion, 0.0), probability)


def test_bad_input_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert "0 of 0 lines kept. it holds no visible text." in run("empty")
    assert "InputError: it is gzip-compressed data" in run("a gzip file")
    with pytest.raises(typer.Exit):
        main("no such case")
    assert "CRASHED" in capsys.readouterr().out
