"""Documents as data: input, what should come out, and why. Known failures are strict: a fix is noticed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cleaner import Cleaner
from cleaner.evidence.compact import compact
from cleaner.evidence.ngrams import hash_lines
from cleaner.residue import candidates, cuts_in
from cleaner.segment.plain import split

Case = dict[str, Any]
CASES = Path(__file__).parent / "cases"


def _cases(name: str) -> list[Case]:
    cases: list[Case] = json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))
    assert cases, f"{name}.json holds no case"
    return cases


def _id(case: Case) -> str:
    return str(case.get("name", case["why"]))


@pytest.mark.parametrize("case", _cases("wild"), ids=_id)
def test_what_the_author_wrote_comes_back(cleaner: Cleaner, case: Case) -> None:
    assert cleaner.clean(case["input"]) == case["expected"], case["why"]


@pytest.mark.parametrize("case", _cases("negative"), ids=_id)
def test_clean_documents_stay_whole(cleaner: Cleaner, case: Case) -> None:
    assert cleaner.clean(case["input"]) == case["input"], case["why"]


@pytest.mark.parametrize("case", _cases("html"), ids=_id)
def test_what_the_author_wrote_comes_out_of_a_page(cleaner: Cleaner, case: Case) -> None:
    assert cleaner.clean_html(case["input"]) == case["expected"], case["why"]


@pytest.mark.xfail(reason="known failure")
@pytest.mark.parametrize("case", _cases("known_failures_html"), ids=_id)
def test_known_failures_on_pages(cleaner: Cleaner, case: Case) -> None:
    assert cleaner.clean_html(case["input"]) == case["expected"], case["why"]


@pytest.mark.xfail(reason="known failure")
@pytest.mark.parametrize("case", _cases("known_failures"), ids=_id)
def test_known_failures(cleaner: Cleaner, case: Case) -> None:
    assert cleaner.clean(case["input"]) == case["expected"], case["why"]


@pytest.mark.parametrize("case", _cases("residue"), ids=_id)
def test_residue_is_cut_and_nothing_else(case: Case) -> None:
    line = case["input"]
    cuts = cuts_in(line, 0, len(line))
    assert [line[cut.start : cut.end] for cut in cuts] == case["cuts"], case["why"]
    if cuts:  # the cheap test before the patterns must not miss what they find
        lines = compact(split([line]))
        assert candidates(lines, hash_lines(lines, 18)[0]).tolist() == [0]
