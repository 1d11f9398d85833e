from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse

from cleaner import Cleaner, Label
from cleaner.evidence.compact import compact
from cleaner.evidence.gather import beside, gather
from cleaner.evidence.ngrams import hash_lines
from cleaner.model.network import Linear, Neighbours, Network, Topics
from cleaner.segment.plain import split
from training import convolution
from training.convolution import Examples
from training.corpora import MIXED, SEEDS, CorpusError, Page, read_pages, read_seeds
from training.evaluate import Judges, pages_report, seeds_report
from training.fit import fit
from training.lines import Settings, training_lines
from training.measures import (
    Judged,
    Scored,
    body_f1,
    calibration,
    errors,
    label_table,
    promises,
    removal,
    scored,
    word_f1,
    words,
)
from training.promises import thresholds
from training.readings import READINGS, digest_of, read_labels
from training.stages import fit_linear, fit_networks, gram_matrix, in_bytes, neighbour_matrix, quantise
from training.synthetic import ALONE, BLOCK, END, INSERT_WEIGHTS, TEASER, synthetic_pages, with_inserts
from training.teacher import content_rates, teach
from training.topics import fit_topics
from training.wcxb import read_corpora


def test_every_line_of_the_seeds_has_a_label() -> None:
    seeds = read_seeds()
    assert [(len(page.labels), page.labels.count(Label.BODY)) for page in seeds] == [
        *((33, 11), (34, 25), (13, 6), (66, 22), (9, 7))
    ]
    assert all(label is not None for page in seeds for label in page.labels)


def test_the_seeds_say_where_to_cut() -> None:
    cut = {
        page.lines[line][a:b]: page.lines[line][b : b + 8]
        for page in read_seeds()
        for line, cuts in page.cuts.items()
        for a, b, _ in cuts
    }
    assert [text[:20] for text in cut] == ["Syria, Bashar assad,", "jpegMpeg4-1280x720"]
    assert list(cut.values()) == ["FILE – I", "Syria's "]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("1-2\tbody\n", "labels 2 lines; the text has 3 non-empty ones"),
        ("1-1\tbody\n3-3\tbody\n", "the run 3-3 does not follow line 1"),
        ("1-3\tboddy\n", "'boddy' is not a valid Label"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(tmp_path: Path, table: str, says: str) -> None:
    (tmp_path / "a.txt").write_text("one\n\ntwo\nthree\n")
    (tmp_path / "a.tsv").write_text(table)
    with pytest.raises(ValueError, match=says):
        read_pages(tmp_path)


def test_what_we_read_ourselves_is_of_one_text_only(tmp_path: Path) -> None:
    text = "Menu\n\nThe mill\nShare | It ground until 1911.\n"
    table = tmp_path / "readings.tsv"
    table.write_text(f"# page\ta\t{digest_of(text)}\n0001\t{digest_of(text)}\t1-1:navigation 2-2:title 3-3:mixed\n")
    assert read_labels("0001", text, table) == (Label.NAVIGATION, Label.TITLE, None)
    assert read_labels("0001", text + "More", table) is None, "another dump"
    assert read_labels("0002", text, table) is None, "another page"


@pytest.mark.parametrize(
    ("runs", "says"),
    [
        ("1-1:body 3-3:body", "the run 3-3:body does not follow line 1"),
        ("1-2:body", "labels 2 lines; the text has 3"),
        ("1-3:boddy", "'boddy' is not a valid Label"),
    ],
)
def test_readings_that_do_not_fit_are_refused(tmp_path: Path, runs: str, says: str) -> None:
    text, table = "a\nb\nc", tmp_path / "readings.tsv"
    table.write_text(f"0001\t{digest_of('one two')}\t{runs}\n0002\t{digest_of(text)}\t{runs}\n")
    with pytest.raises(ValueError, match=says):
        read_labels("0002", text, table)


def test_every_reading_can_be_read() -> None:
    rows = [row.split("\t") for row in READINGS.read_text(encoding="utf-8").splitlines()[1:]]
    assert len({name for name, _, _ in rows}) == len(rows)
    for name, digest, runs in rows:
        spans = [run.partition(":")[0].split("-") for run in runs.split()]
        assert spans[0][0] == "1" and len(digest) == 16, name
        assert all(int(a[1]) + 1 == int(b[0]) for a, b in pairwise(spans)), name
        assert {run.partition(":")[2] for run in runs.split()} <= {*Label, MIXED}, name


def test_a_folder_without_pages_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="holds no labelled page"):
        read_pages(tmp_path)
    assert read_corpora(tmp_path) == []


def test_rows_end_at_line_feeds_only(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\u2028and a half\ntwo\n", encoding="utf-8")
    (tmp_path / "a.tsv").write_text("1-1\tbody\n2-2\tlegal\n")
    assert read_pages(tmp_path)[0].labels == (Label.BODY, Label.BODY, Label.LEGAL)


def _page(name: str, *rows: tuple[Label, str]) -> Page:
    text = "\n".join(text for _, text in rows)
    return Page(name, "test", f"{name}.example", "en", text, tuple(label for label, _ in rows), kind="article")


PAGES = [
    _page(
        f"page{k}",
        (Label.TITLE, f"The mill of village {k}"),
        *((Label.BODY, f"In the year 18{k}{i} the miller bought a second stone.") for i in range(6)),
        (Label.RECOMMENDED, f"Ten mills to see, part {k}"),
        (Label.SUBSCRIPTION, f"Get the letter of village {k}"),
    )
    for k in range(4)
]


SMALL = Settings(bits=12, neighbour_bits=8, topic_bits=8, copies=1, hidden=8, passes=3)


def test_synthetic_pages_hold_only_text_of_the_given_pages() -> None:
    known = {(text, label) for page in PAGES for text, label in zip(page.lines, page.labels, strict=True)}
    made = synthetic_pages(PAGES, copies=5, seed=1)
    assert made == synthetic_pages(PAGES, copies=5, seed=1)
    thinned = [page for page in made if not page.name.endswith("+short")]
    assert len(thinned) == 20
    for page in thinned:
        assert set(zip(page.lines, page.labels, strict=True)) <= known
        assert page.host in {source.host for source in PAGES}
    assert any(page.labels.count(Label.SUBSCRIPTION) for page in made)


def test_some_clean_pages_are_written_in_short_lines() -> None:
    made = [page for page in synthetic_pages(PAGES * 5, copies=1, seed=1) if page.name.endswith("+short")]
    sources = {page.host: page for page in PAGES}
    assert 4 < len(made) < 20, "some"
    lengths = []
    for page in made:
        own = [line for line, label in zip(page.lines, page.labels, strict=True) if label is Label.BODY]
        body = zip(sources[page.host].lines, sources[page.host].labels, strict=True)
        assert " ".join(own) in " ".join(line for line, label in body if label is Label.BODY), "a stretch of its body"
        assert set(page.labels) <= {Label.BODY, Label.TITLE}
        assert not any(page.inserted)
        lengths += [len(line.split()) for line in own]
    assert max(lengths) <= 12
    assert np.mean(lengths) < 8


def test_lines_put_in_weigh_more_than_the_page_s_own() -> None:
    made = with_inserts(PAGES * 6, seed=3)
    lines = training_lines(made, SMALL)
    how = np.array([how for page in made for how in page.inserted])
    page = np.array([len(page.labels) ** -SMALL.crowding for page in made])[lines.page]
    for kind, weight in INSERT_WEIGHTS.items():
        np.testing.assert_allclose(lines.weight[how == kind], SMALL.synthetic_weight * weight * page[how == kind])


def test_inserted_lines_say_how_they_came() -> None:
    made = with_inserts(PAGES * 6, seed=3)
    assert {how for page in made for how in page.inserted} == {"", ALONE, BLOCK, END, TEASER}
    for page in made:
        for line, label, how in zip(page.lines, page.labels, page.inserted, strict=True):
            assert (label in (Label.BODY, Label.TITLE)) == (how == ""), line
        own = [k for k, how in enumerate(page.inserted) if not how]
        assert all(k > own[-1] for k, how in enumerate(page.inserted) if how == END), "the end comes after the body"


def test_neighbour_matrix_and_library_agree() -> None:
    texts = ["Comments\nA fine mill\nReply", "", "One line", "Two\nlines of it"]
    lines = split(texts)
    words = hash_lines(compact(lines), 10)[1]
    weight = np.random.default_rng(0).integers(-127, 128, size=(2 << 8, len(Label))).astype(np.int8)
    bias = np.linspace(-1, 1, len(Label))
    matrix = neighbour_matrix(words, *beside(lines), 8)
    limited = np.clip(matrix @ (weight / 64.0) + bias, -12, 12)
    expected = limited - np.log(np.exp(limited).sum(axis=1, keepdims=True))
    found = Neighbours(weight[: 1 << 8], weight[1 << 8 :], 1 / 64, bias).log_probabilities(words, *beside(lines))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert matrix[3].nnz == 0, "a document of one line has no neighbours"


def test_training_matrix_and_library_agree() -> None:
    texts = [(SEEDS / name).read_text(encoding="utf-8") for name in ("000_1361d716e4f5d7c1.txt",)]
    grams = hash_lines(compact(split(texts)), 10)
    weight = np.random.default_rng(0).integers(-127, 128, size=(1 << 10, len(Label))).astype(np.int8)
    bias = np.linspace(-1, 1, len(Label))
    logits = gram_matrix(grams, 10) @ (weight / 64.0) + bias
    limited = np.clip(logits, -12, 12)
    expected = limited - np.log(np.exp(limited).sum(axis=1, keepdims=True))
    found = Linear(weight, 1 / 64, bias).log_probabilities(grams)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def _advert_weights(settings: Settings, rare: float = 0.0) -> NDArray[np.float64]:
    """Sixty lines, every second an advert: column 0 stands in all adverts, 1 in three of them, 2 in the other lines."""
    dense = np.zeros((60, 3), np.float32)
    dense[::2, 0] = dense[1::2, 2] = dense[:6:2, 1] = 1
    label = np.where(np.arange(60) % 2, list(Label).index(Label.BODY), list(Label).index(Label.ADVERT))
    weights, bias = fit_linear(sparse.csr_matrix(dense), label, np.ones(60), settings, rare)
    np.testing.assert_array_equal((dense @ weights + bias).argmax(axis=1), label)
    return weights[:, list(Label).index(Label.ADVERT)]


def test_a_rare_ngram_counts_more_in_the_weights_themselves() -> None:
    plain, scaled = _advert_weights(SMALL), _advert_weights(SMALL, rare=0.75)
    assert scaled[1] / scaled[0] > 5 * plain[1] / plain[0] > 0, (
        "it learns faster, and the counts it is for are not scaled"
    )


def test_the_first_passes_can_be_left_out_of_the_mean() -> None:
    settings = replace(SMALL, alpha=1e-4, epochs=6, unaveraged_epochs=0)
    every, last = _advert_weights(settings), _advert_weights(replace(settings, unaveraged_epochs=5))
    assert (np.abs(last) > np.abs(every))[[0, 2]].all(), "what stands in half of the lines gains weight to the end"


def test_rounding_a_network_hardly_changes_it() -> None:
    rng = np.random.default_rng(0)
    first, first_bias = rng.normal(size=(40, 16)) / 40, rng.normal(size=16)
    output, output_bias = rng.normal(size=(16, 12)), rng.normal(size=12)
    rows = rng.integers(-127, 128, size=(500, 40)).astype(np.int8)
    expected = np.maximum(rows @ first + first_bias, 0) @ output + output_bias
    arrays = quantise(first, first_bias, output, output_bias, rows.astype(np.float32))
    found = Network.from_arrays(arrays).logits(rows, np.arange(len(rows)))
    assert np.abs(found - expected).mean() < 0.05
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).mean() > 0.98


def test_a_network_s_sums_are_exact_in_any_order() -> None:
    rng = np.random.default_rng(0)
    rows = rng.integers(-127, 128, size=(64, 40)).astype(np.int8)
    arrays = quantise(
        *(rng.normal(size=(40, 16)), rng.normal(size=16), rng.normal(size=(16, 12)), rng.normal(size=12)),
        rows.astype(np.float32),
    )
    network = Network.from_arrays(arrays)
    alone = np.concatenate([network.logits(rows[i : i + 1], np.zeros(1, dtype=np.int64)) for i in range(len(rows))])
    np.testing.assert_array_equal(network.logits(rows, np.arange(len(rows))), alone)
    whole = rows.astype(np.int64) @ arrays["hidden_weight"] + arrays["hidden_bias"]
    assert np.abs(whole).max() < 1 << 24


def _wide_examples() -> tuple[Examples, Settings]:
    """Documents in which a line's label is the sign of the line before it, and being wanted that of the line after."""
    rng = np.random.default_rng(5)
    first = np.cumsum([0, *rng.integers(1, 30, size=60)])
    features = rng.integers(-127, 128, size=(first[-1], 6)).astype(np.int8)
    sign, place = features[:, 0] > 0, np.arange(first[-1]) - np.repeat(first[:-1], np.diff(first))
    label = np.where((place > 0) & np.roll(sign, 1), 1, 0)
    last = np.append(place[1:] == 0, True)
    examples = Examples(features, first, label, np.ones(len(label)), ~last & np.roll(sign, -1), np.ones(len(label)))
    return examples, replace(SMALL, hidden=16, passes=150, batch=64, dropout=0.0)


def test_the_gradient_is_the_slope_of_the_loss() -> None:
    rng = np.random.default_rng(0)
    small = replace(SMALL, hidden=5, dilations=(1, 2))
    place = np.concatenate([np.arange(5), np.arange(1), np.arange(8)])
    inputs: Any = rng.normal(size=(14, 6))
    weights = [part.astype(np.float64) for part in convolution.start(rng, 6, small, len(Label) + 1)]
    mask: Any = (rng.random((14, 5)) > 0.2) / 0.8
    target: Any = (rng.integers(0, 12, 14), rng.random(14), rng.random(14) > 0.5, rng.random(14))
    asked: Any = (weights, small.dilations, convolution.Batch(inputs, place, mask, *target))
    for weight, slope in zip(weights, convolution.gradient(*asked), strict=True):
        for at in rng.permutation(list(np.ndindex(weight.shape)))[:8]:
            at, step = tuple(at), 1e-6
            weight[at] += step
            above = convolution.loss(*asked)
            weight[at] -= 2 * step
            below = convolution.loss(*asked)
            weight[at] += step
            assert slope[at] == pytest.approx((above - below) / (2 * step), abs=1e-6)


def test_a_wide_network_learns_from_the_lines_around() -> None:
    examples, settings = _wide_examples()
    network = Network.from_arrays(fit_networks(examples, settings))
    logits = network.logits(examples.features, examples.place)
    assert (logits[:, : len(Label)].argmax(axis=1) == examples.label).mean() > 0.97
    assert ((logits[:, -1] > 0) == examples.wanted).mean() > 0.97


def test_a_wide_network_sees_its_document_only(monkeypatch: pytest.MonkeyPatch) -> None:
    examples, settings = _wide_examples()
    network = Network.from_arrays(fit_networks(examples, replace(settings, passes=3)))
    parts = [slice(a, b) for a, b in pairwise(examples.first.tolist())]
    place = np.concatenate([np.arange(part.stop - part.start) for part in parts])
    together = network.logits(examples.features, place)
    alone = [network.logits(examples.features[part], place[part]) for part in parts]
    np.testing.assert_array_equal(together, np.concatenate(alone))
    monkeypatch.setattr("cleaner.model.network._ROWS", 3)
    np.testing.assert_array_equal(together, network.logits(examples.features, place))


def test_rounding_a_wide_network_hardly_changes_it() -> None:
    examples, settings = _wide_examples()
    arrays = fit_networks(examples, settings)
    network = Network.from_arrays(arrays)
    networks = [convolution.train(examples, settings, settings.seed + k) for k in range(settings.networks)]
    inputs = examples.features.astype(np.float32)
    logits = [part.hidden_units(inputs, examples.place, settings) @ part.output + part.output_bias for part in networks]
    expected = np.mean(logits, axis=0)
    found = network.logits(examples.features, examples.place)
    assert np.abs(found - expected).mean() < 0.01 * np.abs(expected).mean()
    largest = np.abs(arrays["layer_weight"]).sum(axis=(2, 3)).reshape(arrays["layer_bias"].shape) * 1023
    assert largest.max() + np.abs(arrays["layer_bias"]).max() < 1 << 24, "sums in float32 stay exact"


def test_a_network_of_bytes_is_hardly_another() -> None:
    examples, settings = _wide_examples()
    arrays = fit_networks(examples, settings)
    small = in_bytes(arrays)
    assert small["layer_weight"].dtype == np.int8
    assert np.abs(small["layer_weight"]).max() == 127, "each unit uses all the room there is"
    expected = Network.from_arrays(arrays).logits(examples.features, examples.place)
    found = Network.from_arrays(small).logits(examples.features, examples.place)
    assert 0 < np.abs(found - expected).mean() < 0.02 * np.abs(expected).mean()
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).mean() > 0.99


def test_a_network_of_one_line_at_a_time_has_nothing_to_make_bytes_of() -> None:
    arrays = {"hidden_weight": np.full((2, 3), 700)}
    assert in_bytes(arrays) is arrays


def test_words_that_stand_together_point_the_same_way() -> None:
    subjects = ("miller flour stones grind", "actor film prize stage", "sailor harbour anchor waves")
    common = ("people years first", "people years later", "people first later", "years first later")
    texts = [f"the {subject} and the {some} {subject}" for subject in subjects for some in common]
    pages = [_page(f"{k}", *((Label.BODY, text),) * 2) for k, text in enumerate(texts)]
    settings = replace(SMALL, topics=2, topic_bits=12)
    lines = training_lines(pages, settings)
    arrays = fit_topics(lines, lines.full, settings)
    again = fit_topics(lines, lines.full, settings)
    np.testing.assert_array_equal(arrays["topic_weight"], again["topic_weight"])
    asked = "flour\nmiller\nfilm\nactor\nfilm the\nunheard\nmiller people years first\nactor people years first"
    words = Topics.from_arrays(arrays).subjects(hash_lines(compact(split([asked])), 12)[1])
    flour, miller, film, actor, both, unheard, one_story, another = words.vector.astype(float)

    def cosine(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
        return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))

    assert cosine(flour, miller) > 0.8 > 0.2 > cosine(flour, film)
    assert cosine(film, actor) > 0.8
    assert cosine(one_story, another) < 0.2, "words of many subjects do not make two alike"
    assert np.linalg.norm(both - film) <= 2, "what stands on every page is about nothing"
    assert not unheard.any(), "nor is what stands on none"
    assert words.rarity[0] > 0 == words.rarity[1], "and no word has no rarity"


def test_seeds_alone_make_a_model_and_the_same_one_again() -> None:
    first, second = (fit(read_seeds(), SMALL) for _ in range(2))
    assert first.thresholds == second.thresholds
    assert first.arrays.keys() == second.arrays.keys()
    for name, array in first.arrays.items():
        np.testing.assert_array_equal(array, second.arrays[name])
    probabilities = first.model().linear.log_probabilities(gather(["Share\nADVERTISEMENT"], 12).grams)
    np.testing.assert_allclose(np.exp(probabilities).sum(axis=1), 1.0)


def test_word_f1_is_over_multisets() -> None:
    assert word_f1(words(["The mill, the stone"]), words(["the MILL"])) == pytest.approx(2 * 2 / 6)
    assert word_f1(words([]), words([])) == 1.0


def test_the_teacher_labels_what_nobody_read_and_nothing_else() -> None:
    unread = [
        replace(page, corpus="unread", name=f"unread{k}", host=f"unread{k}.example", labels=(None,) * 9, content="-")
        for k, page in enumerate(PAGES)
    ]
    told = [replace(page, in_content=(None, *(True,) * 6, False, False)) for page in unread]
    lines = training_lines([*PAGES, *told], SMALL)
    matrix = gram_matrix(lines.evidence.grams, SMALL.bits)
    label = teach(lines, matrix, None, SMALL)
    read = lines.label >= 0
    np.testing.assert_array_equal(label[read], lines.label[read])
    assert (label[lines.unread] >= 0).all()
    silent = ~read & ~lines.unread
    assert silent.any() and (label[silent] == -1).all(), "where WCXB says nothing no label is made up"
    np.testing.assert_allclose(content_rates(lines).sum(axis=1), 1.0)


def test_a_threshold_loses_what_it_says() -> None:
    lines = training_lines(PAGES, SMALL)
    probability = np.zeros((len(lines.label), len(Label)))
    probability[:, 0] = np.linspace(0.5, 1.0, len(lines.label))
    table = thresholds(lines, probability)
    assert [loss for loss, _ in table["body"]] == sorted(loss for loss, _ in table["body"])
    scores = [score for _, score in table["body"]]
    assert scores == sorted(scores)
    assert table["body"] == table["body+title"], "titles have no probability here"


def test_removal_is_measured_at_a_loss() -> None:
    body, advert = list(Label).index(Label.BODY), list(Label).index(Label.ADVERT)
    score = np.array([0.9, 0.8, 0.3, 0.2, 0.1])
    lines = Scored(
        score, score, np.array([body, body, body, advert, advert]), np.array([50, 49, 1, 3, 3]), np.array([""] * 5)
    )
    assert lines.threshold(0.005) == 0.3 and lines.threshold(0.01) == 0.8
    assert lines.loss(0.8) == pytest.approx(0.01)
    assert lines.removed(lines.labelled([Label.ADVERT]), 0.2) == 0.5
    table, error = calibration(lines, [Label.BODY])
    assert "0.9-1.0" in table and 0 < error < 1


def test_figures_come_out_of_judged_pages(cleaner: Cleaner) -> None:
    judged = [Judged(page, cleaner.label(page.text), cleaner.model) for page in read_seeds()]
    assert "promotional lines removed: " in removal(judged)
    assert "macro" in label_table(judged)
    assert all((score := body_f1(one)) is not None and score > 0.9 for one in judged)
    report, figures = seeds_report(judged)
    assert report.startswith("000_1361d716e4f5d7c1")
    assert figures == {"seeds: promotional lines removed": 1.0, "seeds: body lines lost": 0.0}
    assert promises(judged, [0.01])[0.01] == 0.0
    assert all(0 < one.sure <= 1 for one in judged)
    assert len(scored(judged).label) == sum(len(one.page.labels) for one in judged)
    wrong = Judged(PAGES[0], cleaner.label(PAGES[0].text), cleaner.model)
    assert all(row.startswith("  ") for row in errors(wrong))


def test_pages_from_elsewhere_get_the_same_tables(tmp_path: Path) -> None:
    lines = [
        "Home", "News", "Log in", "The house by the sound", "By Inga Dahl, 4 May 2021",
        "The ferry across the sound stopped running in 1974, and the ferryman's house has stood empty since.",
        "Last autumn a group of neighbours bought it for one crown and began to mend the roof.",
        "Sign up for our newsletter and get the best stories every morning.",
        "They work on Saturdays, and whoever comes by is handed a hammer.",
        "By midsummer they hope to open a small museum with the logbooks of four ferrymen.",
        "Related articles", "Ten islands to visit this summer", "Share on Facebook",
    ]  # fmt: skip
    (tmp_path / "ferry.txt").write_text("\n".join(lines), encoding="utf-8")
    runs = (
        *("1-3\tnavigation", "4-4\ttitle", "5-5\tbyline", "6-7\tbody", "8-8\tsubscription", "9-10\tbody"),
        *("11-12\trecommended", "13-13\tshare"),
    )
    (tmp_path / "ferry.tsv").write_text("\n".join(runs) + "\n", encoding="utf-8")
    judges = Judges(tmp_path / "no corpora", Settings())
    report, figures = pages_report(judges.label(read_pages(tmp_path)), judges)
    assert "removal on 1 articles" in report
    assert "lines put into clean articles" in report
    assert "cleaned a second time, 1 of 1 texts stay the same; of all words, 100.0% are kept" in report
    assert figures["pages: body F1"] == 1.0
    assert set(figures) >= {"articles: promotional lines removed at 1% loss", "inserts: removed at 1% loss"}
