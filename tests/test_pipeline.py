from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import cleaner as library
from cleaner import Cleaner, Config, DecidedBy, InputError, Label
from cleaner.render import clean_text

SEEDS = Path(__file__).parent.parent / "seeds"


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return [path.read_bytes().decode() for path in sorted(SEEDS.glob("*.txt"))]


def test_the_functions_are_the_default_cleaner(cleaner: Cleaner, texts: list[str]) -> None:
    assert [library.clean(text) for text in texts] == cleaner.clean_many(texts)
    assert [library.label(text) for text in texts] == cleaner.label_many(texts)


def test_threads_share_a_cleaner(cleaner: Cleaner, texts: list[str]) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(cleaner.clean, texts * 8)) == cleaner.clean_many(texts) * 8


def test_a_cleaner_can_be_pickled(cleaner: Cleaner, texts: list[str]) -> None:
    assert pickle.loads(pickle.dumps(cleaner)).label_many(texts) == cleaner.label_many(texts)


def test_nothing_carries_over_from_one_document_to_the_next(cleaner: Cleaner, texts: list[str]) -> None:
    first = cleaner.label(texts[0])
    for text in texts:
        cleaner.clean(text)
    assert cleaner.label(texts[0]) == first


@pytest.mark.parametrize("text", ["", " \n\t\n", "\ufeff", "\u2028\x85"])
def test_a_text_without_lines_stays_without(cleaner: Cleaner, text: str) -> None:
    assert cleaner.label(text).lines == ()
    assert cleaner.clean(text) == ""


def test_keeping_more_labels_keeps_more(cleaner: Cleaner, texts: list[str]) -> None:
    config = Config(keep=["body", "title", "caption"])
    document = Cleaner(config=config, model=cleaner.model).label(texts[2])
    captions = [line for line in document.lines if line.label is Label.CAPTION]
    assert captions and all(document.is_kept(line) for line in captions)
    assert captions[0].text in clean_text(document)
    assert captions[0].text not in cleaner.clean(texts[2])


def test_an_ad_marker_is_decided_by_a_rule(cleaner: Cleaner) -> None:
    line = cleaner.label("The lake froze over in the first week of December.\n\n--- Advertisement ---\n").lines[1]
    assert (line.label, line.decided_by, line.reason) == (Label.ADVERT, DecidedBy.RULE, "a bare ad marker")


def test_indentation_survives(cleaner: Cleaner) -> None:
    text = (
        "The function below counts the words of a text and returns the ten most frequent ones.\n\n"
        "    def top(text):\n        return Counter(text.split()).most_common(10)\n"
    )
    assert cleaner.clean(text) == text


def test_what_is_not_str_is_refused(cleaner: Cleaner) -> None:
    with pytest.raises(InputError, match="a text must be str, not bytes; decode bytes first"):
        cleaner.clean(b"text")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="pass a list of texts"):
        cleaner.clean_many("text")
