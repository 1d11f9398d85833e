"""Site profiles: counted exactly, in any order; what they take out, and what they must not."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_cli import run, said
from test_corpus import as_lines, documents, read_rows

from cleaner import Cleaner, DecidedBy, Label
from cleaner.adapters import job_of
from cleaner.corpus.learn import profile_of, sightings_table
from cleaner.errors import ProfileError
from cleaner.evidence.compact import compact
from cleaner.evidence.repeats import Origin, Profile, keys_of, line_keys, site_of
from cleaner.segment.plain import split

TEMPLATE_TOP = "Riverside Courier\nThe paper of the lower valley since 1904\n"
TEMPLATE_END = "The Courier is read in eleven villages and printed on paper from our own mill.\nAbout this paper\n"
THINGS = ("Ferry", "Market", "Library", "Band", "Bakery", "Tram", "Cinema", "Post", "Weir", "School", "Inn", "Mill")
TOWNS = ("Aldham", "Brook", "Culver", "Dene", "Elmham", "Ford", "Gale", "Holt", "Ince", "Jarvis", "Kell", "Lund")
STORIES = [
    f"{thing} comes back to {town}\n\n"
    f"The {thing.lower()} that {town} lost in the flood came back on Monday, and {number} people stood in the rain.\n\n"
    f"Nobody in {town} had expected it before the end of the winter.\n"
    for number, (thing, town) in enumerate(zip(THINGS, TOWNS, strict=True), start=20)
]


def site(refrain: str = "") -> list[str]:
    return [f"{TEMPLATE_TOP}\n{story}{refrain}\n{TEMPLATE_END}" for story in STORIES]


def test_what_a_site_repeats_is_taken_out_and_said(cleaner: Cleaner) -> None:
    texts = site()
    knowing = Cleaner(model=cleaner.model, profile=profile_of(texts, cleaner=cleaner))
    alone, document = cleaner.label(texts[0]), knowing.label(texts[0])
    last = TEMPLATE_END.splitlines()[0]
    before = next(line for line in alone.lines if line.text == last)
    assert before.label is Label.BODY  # the model alone cannot know
    after = next(line for line in document.lines if line.text == last)
    assert after.decided_by is DecidedBy.PROFILE and after.label not in document.keep
    assert after.reason == "stands in 12 of 12 documents of its site"
    assert after.score == before.score
    kept = knowing.clean(texts[0])
    assert all(line in kept for line in STORIES[0].splitlines())
    assert "Riverside Courier" not in kept


def test_a_refrain_that_reads_like_text_stays_if_few_have_it(cleaner: Cleaner) -> None:
    refrain = "And so the river went on down to the sea, as it had done before any of us were born.\n"
    texts = [f"{TEMPLATE_TOP}\n{story}{refrain if k < 4 else ''}\n" for k, story in enumerate(STORIES)]
    knowing = Cleaner(model=cleaner.model, profile=profile_of(texts, cleaner=cleaner))
    assert refrain in knowing.clean(texts[0])


def test_copies_beyond_the_usual_are_left_to_the_model(cleaner: Cleaner) -> None:
    texts = site()
    line = TEMPLATE_END.splitlines()[0]
    profile = profile_of(texts, cleaner=cleaner)
    knowing = Cleaner(model=cleaner.model, profile=profile)
    twice = texts[3].replace(TEMPLATE_END, f"{line}\n{TEMPLATE_END}")
    assert knowing.clean(twice).count(line) == 1


def test_counts_are_exact(cleaner: Cleaner) -> None:
    texts = [*site(), "about THIS paper\nAbout this paper\n", "7 of 12\n", "8 of 99\n", ""]
    profile = profile_of(texts, cleaner=cleaner, least=1)
    wanted: Counter[int] = Counter()
    for text in texts:
        wanted.update(set(line_keys(compact(split([text]))).tolist()))
    found = profile.sites[""]
    assert found.documents == len(texts)
    assert {key: line.documents for key, line in found.lines.items()} == dict(wanted)
    about = found.lines[int(keys_of(["About this paper"])[0])]
    assert (about.documents, about.copies, sum(about.places), about.text) == (13, 14, 13, "About this paper")


def test_a_profile_is_text_that_gives_itself_back(cleaner: Cleaner) -> None:
    profile = profile_of([*site(), "a\udcff\tb\nLINE  x"] * 2, cleaner=cleaner)
    text = profile.to_json()
    assert Profile.from_json(text).to_json() == text
    assert Profile.from_json(text.encode("utf-8").decode("utf-8")).sites == profile.sites
    assert len(text.splitlines()) > 40  # a line for each line


@given(st.lists(st.text(st.characters(exclude_categories=()), min_size=1, max_size=12), max_size=5))
def test_lines_count_as_the_same_whatever_is_around_them(lines: list[str]) -> None:
    texts = [line for line in lines if len(split([line])) == 1 and not line.startswith("\ufeff")]
    texts = [line for line in texts if len(line.splitlines()) == 1]
    assert keys_of(texts).tolist() == [int(line_keys(compact(split([f"x\n  {line}\t\ny"])))[1]) for line in texts]


def test_what_an_engine_adds_up_does_not_depend_on_a_profile(cleaner: Cleaner, tmp_path: Path) -> None:
    texts = site()
    (tmp_path / "p.json").write_text(profile_of(texts, cleaner=cleaner).to_json(), encoding="utf-8")
    batch = pyarrow.RecordBatch.from_pylist([{"text": text} for text in texts])
    seen = [sightings_table(batch, job_of(profile=profile)) for profile in (None, tmp_path / "p.json")]
    assert seen[0].equals(seen[1]) and seen[0].num_rows > len(texts)


def test_merging_is_exact_or_says_its_error(cleaner: Cleaner) -> None:
    texts = site()
    for least in (1, 2):
        whole = profile_of(texts, cleaner=cleaner, least=least)
        parts = [profile_of(part, cleaner=cleaner, least=least) for part in (texts[:5], texts[5:])]
        merged = parts[0].merged(parts[1])
        if least == 1:
            assert (merged.undercount, merged.to_json()) == (0, whole.to_json())
        else:
            assert merged.undercount == 2
            for key, line in whole.sites[""].lines.items():
                found = merged.sites[""].lines.get(key)
                assert line.documents - (found.documents if found else 0) <= merged.undercount


@pytest.mark.parametrize(
    ("url", "name", "wanted"),
    [
        ("https://www.example.com/a/b", "x/y.txt", "example.com"),
        ("example.com/a", "", "example.com"),
        (None, "example.com/a/b.txt", "example.com/a"),
        (None, "b.txt", ""),
        ("http://[", "d/b.txt", "d"),
    ],
)
def test_the_site_of_a_document(url: str | None, name: str, wanted: str) -> None:
    assert site_of(url, name) == wanted


def test_sites_are_kept_apart(cleaner: Cleaner) -> None:
    texts = site()
    profile = profile_of(texts, [Origin("one")] * len(texts), cleaner=cleaner)
    knowing = Cleaner(model=cleaner.model, profile=profile)
    assert knowing.clean(texts[0]) == knowing.clean(texts[0], site="two") == cleaner.clean(texts[0])
    assert knowing.clean(texts[0], site="one") != cleaner.clean(texts[0])


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    sites = [{"id": f"c{k}", "url": f"https://courier.example/{k}", "text": text} for k, text in enumerate(site())]
    return [*sites, *documents(700)]


def test_learning_does_not_depend_on_order_or_workers(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    for name, some in (("a", rows), ("b", rows[::-1])):
        (tmp_path / f"{name}.jsonl").write_bytes(as_lines(some))
        for jobs in ("1", "2"):
            result = run("learn", tmp_path / f"{name}.jsonl", "-o", tmp_path / f"{name}{jobs}.json", "--jobs", jobs)
            assert result.returncode == 0, said(result)
    profiles = {path.read_bytes() for path in tmp_path.glob("*[12].json")}
    assert len(profiles) == 1
    assert set(json.loads(profiles.pop())["sites"]) == {
        "courier.example", "site0.example", "site1.example", "site2.example",
    }  # fmt: skip


def test_learning_and_cleaning_in_one_command(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(as_lines(rows))
    run("learn", tmp_path / "a.jsonl", "-o", tmp_path / "p.json")
    one = run("clean", tmp_path / "a.jsonl", "-o", tmp_path / "one.jsonl", "--profile", tmp_path / "p.json")
    two = run("clean", tmp_path / "a.jsonl", "-o", tmp_path / "two.jsonl", "--learn", "--jobs", "2")
    assert one.returncode == two.returncode == 0, said(two)
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()
    assert (tmp_path / "p.json").read_bytes() == (tmp_path / "two.jsonl.profile.json").read_bytes()
    assert "Riverside Courier" not in (tmp_path / "one.jsonl").read_text()
    run("clean", tmp_path / "a.jsonl", "-o", tmp_path / "f.jsonl", "--profile", tmp_path / "p.json", "--keep-first")
    line = TEMPLATE_END.splitlines()[0]
    assert [row["id"] for row in read_rows(tmp_path / "f.jsonl") if line in row["text"]] == ["c0"]


def test_profiles_are_merged_by_the_command(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "all.jsonl").write_bytes(as_lines(rows))
    (tmp_path / "a.jsonl").write_bytes(as_lines(rows[:300]))
    (tmp_path / "b.jsonl").write_bytes(as_lines(rows[300:]))
    for name in ("all", "a"):
        run("learn", tmp_path / f"{name}.jsonl", "-o", tmp_path / f"{name}.json", "--least", "1")
    options = ("--least", "1", "--merge", tmp_path / "a.json")
    assert run("learn", tmp_path / "b.jsonl", "-o", tmp_path / "b.json", *options).returncode == 0
    assert (tmp_path / "b.json").read_bytes() == (tmp_path / "all.json").read_bytes()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 9}', '{"format": 1, "sites": {"a": 5}}'])
def test_what_is_no_profile_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(content)
    with pytest.raises(ProfileError, match=r"p\.json cannot be used: it"):
        Profile.load(tmp_path / "p.json")
    with pytest.raises(ProfileError, match=r"nowhere\.json cannot be read: No such file"):
        Cleaner(profile=tmp_path / "nowhere.json")


def test_options_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x\n")
    assert "can be read once only" in said(run("learn", "-", "-o", tmp_path / "p.json"))
    assert "give one of those too" in said(run("clean", tmp_path / "a.txt", "--keep-first"))
