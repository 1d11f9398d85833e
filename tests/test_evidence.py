from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from conftest import hard_text
from hypothesis import given
from hypothesis import strategies as st

from cleaner.evidence import blocks, cohesion, shape, topics
from cleaner.evidence.compact import compact
from cleaner.evidence.heuristics import share_labels
from cleaner.evidence.lanes import NARROW, WIDE, pack, sum_lines
from cleaner.evidence.ngrams import bucket_of, bucket_of_word, hash_lines
from cleaner.evidence.shape import line_hashes
from cleaner.segment.plain import split


def _feature(text: str, name: str) -> list[int]:
    lines = split([text])
    compacted = compact(lines)
    table = shape.shape_features(lines, compacted, hash_lines(compacted, 10))
    return [int(value) for value in table[:, shape.FEATURES.index(name)]]


def test_compact_lines_are_the_lines_with_white_space_folded() -> None:
    lines = compact(split(["  One \t two\u00a0\u00a0THREE 4 \r\n\n\tfive", "sechs\n"]))
    raw = [bytes(lines.raw[a:b]).decode() for a, b in zip(lines.start, lines.end, strict=True)]
    folded = [bytes(lines.folded[a:b]).decode() for a, b in zip(lines.start, lines.end, strict=True)]
    assert raw == ["One two THREE 4", "five", "sechs"]
    assert folded == ["one two three 0", "five", "sechs"]


@given(text=hard_text())
def test_compacting_keeps_every_line_and_one_line_feed_between(text: str) -> None:
    lines = compact(split([text]))
    assert (lines.raw[lines.end] == 0x0A).all()
    assert (lines.raw[lines.start - 1] == 0x0A).all()
    assert (lines.end > lines.start).all()
    assert np.count_nonzero(lines.raw == 0x0A) == len(lines) + 1


@given(text=hard_text())
def test_share_labels_are_trafilatura_s_own(text: str) -> None:
    from trafilatura.utils import RE_FILTER

    text += "\nShare on Facebook\nFacebook\n - E-Mail\nDrucken\n"
    lines = compact(split([text]))
    raw = [bytes(lines.raw[a:b]).decode("utf-8", "surrogatepass") for a, b in zip(lines.start, lines.end, strict=True)]
    assert share_labels(lines).tolist() == [RE_FILTER.match(line) is not None for line in raw]


@given(st.lists(st.lists(st.integers(0, 255), max_size=700), min_size=1, max_size=5))
def test_packed_sums_are_sums(rows: list[list[int]]) -> None:
    table = np.stack([np.arange(256), 255 - np.arange(256), np.full(256, 255)], axis=1)
    items = [[0, *row] for row in rows]  # no line is empty
    start = np.cumsum([0, *(len(row) for row in items[:-1])])
    found = sum_lines(pack(table), np.concatenate(items), start, 255)[:, :3]
    assert found.tolist() == [table[row].sum(axis=0).tolist() for row in items]


@pytest.mark.parametrize(
    ("line", "ends"),
    [
        *(("He left.", True), ("He left!”", True), ("“Who?”", True), ('(It rained.")', True), ("彼は去った。", True)),
        *(("He left", False), ("He left,", False), ("”", False), ("Share »", False), ("Chapter 3:", False)),
    ],
)
def test_the_end_of_a_sentence(line: str, ends: bool) -> None:
    assert _feature(line, "ends a sentence") == [127 if ends else 0]


def test_repeated_lines_are_counted_within_their_document() -> None:
    text = "Share\nA story\nA story\nshare\n"
    assert _feature(text, "log copies in the document") == [8, 8, 8, 8]
    assert _feature(text, "same as the line before") == [0, 0, 127, 0]
    assert _feature(text, "same as the line after") == [0, 127, 0, 0]
    lines = split(["Share", "Share"])
    compacted = compact(lines)
    table = shape.shape_features(lines, compacted, hash_lines(compacted, 10))
    assert not table[:, shape.FEATURES.index("log copies in the document")].any()


def test_words_shared_with_the_body_are_seen() -> None:
    lines = split(["The miller bought another millstone.\nA millstone outlives its miller.\nTwelve gardens nearby"])
    words = hash_lines(compact(lines), 16)[1]
    found = cohesion.cohesion_features(lines, words, np.array([127, 127, 10], dtype=np.int32))
    shares = found[:, cohesion.FEATURES.index("long words also in body")]
    assert shares.tolist() == [127 * 2 // 4, 127 * 2 // 3, 0]


def test_a_shared_rare_word_says_more_than_a_shared_common_one() -> None:
    lines = split(["people visit Lechlade\npeople leave Lechlade\npeople again", "other people"])
    words = hash_lines(compact(lines), 12)[1]
    rarity = np.where(words.length == len("Lechlade"), 200, 20).astype(np.uint8)
    rarity[words.length == 0] = 0
    body = np.array([127, 127, 127, 127], dtype=np.int32)
    found = cohesion.cohesion_features(lines, words, body, rarity)
    assert found.shape == (4, len(cohesion.FEATURES) + len(cohesion.RARITY_FEATURES))
    np.testing.assert_array_equal(
        found[:, : len(cohesion.FEATURES)], cohesion.cohesion_features(lines, words, body), "the rest is as without"
    )
    share = found[:, len(cohesion.FEATURES) + cohesion.RARITY_FEATURES.index("share of rarity also in body")]
    assert share.tolist() == [127 * 220 // 240, 127 * 220 // 240, 127 * 20 // 40, 0]


def test_a_line_on_another_subject_points_elsewhere() -> None:
    lines = split(["mill\nmill\nmill\nfilm star\nmill", "film", "film star\nnothing known"])
    mill, film, none = (100, 0), (0, 90), (0, 0)
    vector = np.zeros((8, topics.DIMENSIONS), dtype=np.int64)
    vector[:, :2] = [mill, mill, mill, film, mill, film, film, none]
    count = np.array([1, 1, 1, 2, 1, 1, 2, 2])
    body = np.array([127, 127, 127, 60, 127, 127, 127, 127], dtype=np.int32)
    found = topics.topic_features(lines, vector, body, count)
    likeness = found[:, topics.FEATURES.index("likeness to the body")].tolist()
    assert likeness == [126, 126, 126, 0, 126, 0, 0, 0], "alone, or of unknown words, a line is like nothing"
    beside = found[:, topics.FEATURES.index("likeness to the body beside that of the body")]
    assert beside[3] < -90
    axes = found[:, topics.FEATURES.index("topic 0") :]
    assert axes[[0, 3, 7], :2].tolist() == [[127, 0], [0, 127], [0, 0]]
    alone = topics.topic_features(split(["film"]), vector[5:6], body[5:6], count[5:6])
    np.testing.assert_array_equal(alone, found[5:6], "the batch does not matter")
    assert topics.topic_features(split([]), vector[:0], body[:0], count[:0]).shape == (0, len(topics.FEATURES))


def test_the_subject_of_a_document_as_long_as_many_books_is_told() -> None:
    lines = split(["mill\nmill\nmill\nfilm\nmill", "mill\nmill\nfilm"])
    vector = np.zeros((8, topics.DIMENSIONS), dtype=np.int64)
    vector[[0, 1, 2, 4, 5, 6], 0] = vector[[3, 7], 1] = 100
    body, count = np.full(8, 127, dtype=np.int32), np.ones(8, dtype=np.int64)
    small = topics.topic_features(lines, vector, body, count)
    size = np.where(lines.document == 0, 1 << 26, 1)
    large = topics.topic_features(lines, vector * size[:, None], body, count * size)
    np.testing.assert_array_equal(large, small)


def test_values_stay_in_range() -> None:
    text = "\n".join(["x" * 100_000, "1 " * 50_000, "A" * 3, "." * 70_000, "é" * 40_000, "word " * 40_000])
    lines = split([text])
    compacted = compact(lines)
    table = shape.shape_features(lines, compacted, hash_lines(compacted, 10))
    assert table.dtype == np.int8
    assert table.min() >= -127
    assert table[1, shape.FEATURES.index("share of digit")] == 63


def test_the_heaviest_stretch_is_found_in_every_document() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        lines = split(["\n".join("x" * rng.integers(0, 9)) for _ in range(5)])
        gain = rng.integers(-5, 6, size=len(lines))
        if not len(lines):
            continue
        inside = blocks._heaviest_stretch(lines, gain)[0] > 0
        for a, b in pairwise(lines.first.tolist()):
            part, chosen = gain[a:b], np.flatnonzero(inside[a:b])
            best = max((part[i:j].sum() for i in range(b - a) for j in range(i + 1, b - a + 1)), default=0)
            assert part[chosen].sum() == max(best, 0)
            assert not len(chosen) or np.ptp(chosen) == len(chosen) - 1, "one stretch, without a gap"


def test_narrow_counters_count_as_wide_ones() -> None:
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 2, size=(256, 11)).astype(np.uint8)
    index = rng.integers(0, 256, size=5000)
    start = np.array([0, 1, 2, 700, 701, 4990])
    expected = np.add.reduceat(counts[index].astype(np.int64), start, axis=0)
    for lanes in (WIDE, NARROW):
        np.testing.assert_array_equal(sum_lines(pack(counts, lanes), index, start, 1, lanes)[:, :11], expected)


def test_equal_lines_have_equal_hashes_in_any_batch() -> None:
    def hashes(texts: list[str]) -> list[int]:
        found: list[int] = line_hashes(hash_lines(compact(split(texts)), 18)[0]).tolist()
        return found

    first, second, other = hashes(["Reply 12\n  reply 97 \nReplies"])
    assert first == second != other
    assert hashes(["and", "more\nReply 35"])[2] == first


def test_buckets_of_single_words_and_n_grams_are_those_of_a_batch() -> None:
    lines = compact(split(["Read more\nPUBLICITÉ"]))
    grams, words = hash_lines(lines, 18)
    assert words.bucket[0] == bucket_of_word(b"read", 18)
    assert bucket_of_word("publicitÉ".encode(), 18) in words.bucket
    assert grams.bucket[1] == bucket_of(b"read", 18)
