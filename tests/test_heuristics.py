"""Trafilatura's verdict falls on the right lines, in bounded time, and leaves nothing behind."""

from __future__ import annotations

import threading
import time

import pytest
import trafilatura

from cleaner.evidence import heuristics
from cleaner.evidence.compact import compact
from cleaner.evidence.heuristics import verdict
from cleaner.segment.html import read_html
from cleaner.segment.plain import split

SENTENCE = "The ferry sailed again on Monday after three winters in a shed, and the whole town came to see it leave."
PAGE = (
    "<html><body><nav><ul><li><a href=1>Home</a></li><li><a href=2>Ferries</a></li></ul></nav>"
    f"<article><h1>Ferries</h1>{''.join(f'<p>{SENTENCE} It was day {day}.</p>' for day in range(9))}</article>"
    f"<footer><p>Ferries</p><p>© 2019</p></footer></body></html>"
)


def test_a_verdict_is_on_the_line_and_not_on_its_words() -> None:
    found = verdict(read_html(PAGE))
    assert found.note is None
    assert found.kept[3:12].tolist() == [127] * 9
    assert not found.kept[[0, 1, 12, 13]].any(), "lines with the same words elsewhere"


def _may_match(pattern: str, texts: list[str]) -> list[bool]:
    lines = compact(split(["\n".join(texts)]))
    assert len(lines) == len(texts)
    return [bool(may) for may in heuristics._may_match(pattern, lines)]


def test_every_line_that_the_filter_matches_is_asked_about() -> None:
    from trafilatura.utils import RE_FILTER

    labels = RE_FILTER.pattern.removeprefix(r"\W*(").rstrip(")$").replace("{,8}", "").replace(".", "").split("|")
    forms = [form for label in labels for form in (label.replace("?", ""), label.replace("-?", "").replace(":?", ""))]
    forms += [form.upper() for form in forms] + ["Inſtagram", "Lınkedin", "PocKet", "E–Mail", "Q", "é", "0", "print:"]
    texts = [f"{before}{form}" for form in forms for before in ("", "- ", "» ", "_")]
    matched = [RE_FILTER.match(text) is not None for text in texts]
    asked = _may_match(RE_FILTER.pattern, texts)
    assert sum(matched) > 100
    assert not [text for text, is_match, is_asked in zip(texts, matched, asked, strict=True) if is_match > is_asked]


def test_most_lines_are_not_asked_about() -> None:
    from trafilatura.utils import RE_FILTER

    texts = ["The ferry sailed", "Every day", "Products", "Maybe", "In the evening", "2019", "Whatsapp", "• Menu"]
    assert _may_match(RE_FILTER.pattern, texts) == [False, False, False, False, False, False, True, True]


def test_a_filter_that_is_no_list_of_labels_is_asked_about_every_line() -> None:
    assert _may_match(r"(?:Share|Print)\b.*$", ["The ferry", "2019"]) == [True, True]


def test_pages_leave_nothing_behind() -> None:
    first = verdict(read_html(PAGE)).kept.tolist()
    verdict(read_html(PAGE.replace("Monday", "Sunday")))
    assert verdict(read_html(PAGE)).kept.tolist() == first


def test_letters_that_serve_as_marks_may_stand_in_the_page() -> None:
    plain = verdict(read_html(PAGE)).kept.tolist()
    assert verdict(read_html(PAGE.replace("Monday", "\U00020000\U00020001"))).kept.tolist() == plain


def test_a_page_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object, **__: object) -> None:
        while True:
            time.sleep(0.01)

    monkeypatch.setattr(trafilatura, "bare_extraction", slow)
    notes: list[str | None] = []

    def ask() -> None:
        notes.append(verdict(read_html(PAGE), seconds=0.1).note)

    ask()
    worker = threading.Thread(target=ask)  # signals would only reach the main thread
    worker.start()
    worker.join(10)
    assert len(notes) == 2 and all(note and "took more than 0.1 seconds" in note for note in notes)


def test_a_page_that_breaks_it_is_labelled_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trafilatura, "bare_extraction", lambda *_, **__: 1 / 0)
    found = verdict(read_html(PAGE))
    assert found.note == "trafilatura failed (ZeroDivisionError); labelled without trafilatura's verdict."
    assert not found.kept.any()


def test_what_it_cannot_take_is_not_given_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heuristics, "_MOST_ELEMENTS", 10)
    assert verdict(read_html(PAGE)).note == "it is too large; labelled without trafilatura's verdict."
    assert verdict(read_html("<div>" * 400 + SENTENCE)).note is not None
