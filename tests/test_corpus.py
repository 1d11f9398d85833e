"""Corpora in every format: the same clean texts, the rows otherwise as they were, and every failure named."""

from __future__ import annotations

import gzip
import io
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import zstandard
from pyarrow import parquet
from test_cli import ARTICLE, run, said, tree

from cleaner import Cleaner

TOPICS = ("ferry", "orchard", "library", "tannery", "quarry", "lighthouse")


def documents(count: int = 300) -> Iterator[dict[str, Any]]:
    """Rows with texts that differ, fields of all kinds, and a few hard texts among them."""
    chance = random.Random(7)
    for number in range(count):
        topic = TOPICS[number % len(TOPICS)]
        lines = [f"The old {topic} opens again", "", f"By A. Writer, {number}"]
        for _ in range(chance.randrange(2, 6)):
            years = chance.randrange(2, 90)
            lines += ["", f"The {topic} stood empty for {years} years before anybody thought of asking who owned it."]
            lines += chance.choice([[], ["ADVERTISEMENT"], ["Sign up for our newsletter"], ["Share", "Tweet"]])
        text = "\n".join(lines) + chance.choice(["", "\n", "\n© 2026 Example\n"])
        if number == 11:
            text = ""
        yield {
            "id": f"doc-{number}",
            "url": f"https://site{number % 3}.example/{number}",
            "text": text,
            "tags": ["a", str(number)],
            "extra": {"depth": number, "ratio": number / 7, "none": None},
        }


def as_lines(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def write_folder(rows: list[dict[str, Any]], folder: Path) -> Path:
    for row in rows:
        path = folder / "folder" / f"{row['id']}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(row["text"], encoding="utf-8")
    return folder / "folder"


def write_lines(name: str, pack: Callable[[bytes], bytes]) -> Callable[[list[dict[str, Any]], Path], Path]:
    def write(rows: list[dict[str, Any]], folder: Path) -> Path:
        half = len(rows) // 2  # two members: readers that stop after the first would lose the rest
        (folder / name).write_bytes(pack(as_lines(rows[:half])) + pack(as_lines(rows[half:])))
        return folder / name

    return write


def write_parquet(rows: list[dict[str, Any]], folder: Path) -> Path:
    table = pa.Table.from_pylist(rows).replace_schema_metadata({"made by": "a test"})
    parquet.write_table(table, folder / "corpus.parquet", row_group_size=70, compression="zstd")
    return folder / "corpus.parquet"


def write_warc(rows: list[dict[str, Any]], folder: Path) -> Path:
    with gzip.open(folder / "corpus.warc.gz", "wb") as stream:
        for row in rows:
            body = row["text"].encode()
            http = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
            http += b"Content-Length: %d\r\n\r\n" % len(body)
            for kind, block in ((b"request", b"GET / HTTP/1.1\r\n\r\n"), (b"response", http + body)):
                stream.write(
                    b"WARC/1.1\r\nWARC-Type: %s\r\nWARC-Record-ID: <urn:uuid:%s>\r\nWARC-Target-URI: %s\r\n"
                    b"WARC-Date: 2026-01-01T00:00:00Z\r\nContent-Type: application/http; msgtype=%s\r\n"
                    b"Content-Length: %d\r\n\r\n%s\r\n\r\n"
                    % (kind, row["id"].encode(), row["url"].encode(), kind, len(block), block)
                )
    return folder / "corpus.warc.gz"


def write_wet(rows: list[dict[str, Any]], folder: Path) -> Path:
    stream = io.BytesIO()
    for row in rows:
        body = row["text"].encode()
        stream.write(
            b"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Record-ID: <urn:uuid:%s>\r\nWARC-Target-URI: %s\r\n"
            b"WARC-Date: 2026-01-01T00:00:00Z\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n"
            % (row["id"].encode(), row["url"].encode(), len(body), body)
        )
    (folder / "corpus.warc.wet.gz").write_bytes(gzip.compress(stream.getvalue()))
    return folder / "corpus.warc.wet.gz"


FORMS: dict[str, Callable[[list[dict[str, Any]], Path], Path]] = {
    "folder": write_folder,
    "jsonl": write_lines("corpus.jsonl", bytes),
    "jsonl.gz": write_lines("corpus.jsonl.gz", gzip.compress),
    "jsonl.zst": write_lines("corpus.jsonl.zst", lambda data: zstandard.ZstdCompressor().compress(data)),
    "parquet": write_parquet,
    "warc": write_warc,
    "wet": write_wet,
}


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return list(documents())


@pytest.fixture(scope="module")
def clean(rows: list[dict[str, Any]], cleaner: Cleaner) -> list[str]:
    return cleaner.clean_many(row["text"] for row in rows)


def read_rows(path: Path) -> list[dict[str, Any]]:
    data = path.read_bytes()
    if path.suffix == ".parquet":
        return list(parquet.read_table(path).to_pylist())
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    elif path.suffix == ".zst":
        data = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()
    return [json.loads(line) for line in data.splitlines()]


@pytest.mark.parametrize("out", ["out.jsonl", "out.jsonl.gz", "out.jsonl.zst", "out.parquet"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_texts(
    form: str, out: str, rows: list[dict[str, Any]], clean: list[str], tmp_path: Path
) -> None:
    result = run("clean", FORMS[form](rows, tmp_path), "-o", tmp_path / out)
    assert result.returncode == 0, said(result)
    found = read_rows(tmp_path / out)
    wanted = dict(zip((row["id"] for row in rows), clean, strict=True))
    names = [row["id"].removesuffix(".txt").removeprefix("<urn:uuid:").removesuffix(">") for row in found]
    assert sorted(names) == sorted(wanted)
    assert {name: row["text"] for name, row in zip(names, found, strict=True)} == wanted
    if form not in ("folder",):
        assert [row["url"] for row in found] == [row["url"] for row in rows]
        assert names == list(wanted)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_standard_input_is_json_lines(rows: list[dict[str, Any]], clean: list[str]) -> None:
    result = run("clean", data=as_lines(rows))
    assert result.returncode == 0, said(result)
    assert [json.loads(line)["text"] for line in result.stdout.splitlines()] == clean


@pytest.mark.parametrize("form", ["jsonl", "jsonl.gz", "jsonl.zst", "parquet"])
def test_fields_and_schema_survive(form: str, rows: list[dict[str, Any]], clean: list[str], tmp_path: Path) -> None:
    source = FORMS[form](rows, tmp_path)
    result = run("clean", source, "-o", tmp_path / "out", "--jobs", "2")
    assert result.returncode == 0, said(result)
    found = read_rows(tmp_path / "out" / source.name)
    if form == "parquet":
        for row in found:
            assert row.pop("cleaner_error") is None and row.pop("cleaner_flag") is None
        before, after = (parquet.read_schema(path) for path in (source, tmp_path / "out" / source.name))
        assert [after.field(field.name) for field in before] == list(before)
        assert after.metadata == before.metadata
    assert found == [{**row, "text": text} for row, text in zip(rows, clean, strict=True)]


def test_a_folder_of_everything_is_mirrored(rows: list[dict[str, Any]], clean: list[str], tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for form in FORMS.values():
        form(rows[:40], source)
    result = run("clean", source, "-o", tmp_path / "out")
    assert result.returncode == 0, said(result)
    names = {name.split("/")[0] for name in tree(tmp_path / "out")}
    assert names == {
        "folder", "corpus.jsonl", "corpus.jsonl.gz", "corpus.jsonl.zst", "corpus.parquet", "corpus.warc.jsonl.gz",
        "corpus.warc.wet.jsonl.gz",
    }  # fmt: skip
    assert [row["text"] for row in read_rows(tmp_path / "out" / "corpus.jsonl.zst")] == clean[:40]


@pytest.mark.parametrize("form", ["folder", "jsonl", "parquet"])
def test_two_processes_write_what_one_does(form: str, rows: list[dict[str, Any]], tmp_path: Path) -> None:
    source = FORMS[form](rows * (1 if form == "folder" else 4), tmp_path)
    for jobs in ("1", "2"):
        run("clean", source, "-o", tmp_path / f"out{jobs}", "--jobs", jobs)
    assert tree(tmp_path / "out1") == tree(tmp_path / "out2") != {}


def test_labels_as_lists_and_as_spans(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(as_lines([{"id": "x", "text": ARTICLE, "n": 1}]))
    run("clean", tmp_path / "a.jsonl", "-o", tmp_path / "lines.jsonl", "--labels", "lines")
    (row,) = read_rows(tmp_path / "lines.jsonl")
    assert row["n"] == 1
    lines = [(ARTICLE[line["start"] : line["end"]], line["label"]) for line in row["labels"]]
    assert [text for text, _ in lines] == [line for line in ARTICLE.splitlines() if line]
    assert dict(lines)["ADVERTISEMENT"] == "advert"
    run("clean", tmp_path / "a.jsonl", "-o", tmp_path / "dolma.jsonl", "--labels", "dolma")
    (row,) = read_rows(tmp_path / "dolma.jsonl")
    assert set(row) == {"id", "attributes"}
    (((start, end, score),),) = [row["attributes"]["cleaner__advert"]]
    assert ARTICLE[start:end] == "ADVERTISEMENT" and 0 <= score < 0.5
    run("clean", tmp_path / "a.jsonl", "-o", tmp_path / "lines.parquet", "--labels", "lines")
    assert (
        read_rows(tmp_path / "lines.parquet")[0]["labels"]
        == json.loads((tmp_path / "lines.jsonl").read_text())["labels"]
    )


def test_rows_that_cannot_be_cleaned_become_rows_with_their_error(tmp_path: Path) -> None:
    lines = [
        b'{"id": "a", "text": "%s"}' % ARTICLE.replace("\n", "\\n").encode(),
        b'{"id": "b", "text": ',
        b"",
        b"[1]",
        b'{"id": "d"}',
        b'{"id": "e", "text": null, "n": 5}',
        b'{"id": "f", "text": "\\ud800 and more words for a line"}',
    ]
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(lines))
    result = run("clean", tmp_path / "a.jsonl", "-o", tmp_path / "o.jsonl", "--summary", tmp_path / "s.json")
    assert result.returncode == 1
    a, b, c, d, e, f = read_rows(tmp_path / "o.jsonl")
    assert "cleaner_error" not in a and "cleaner_error" not in f
    assert b["cleaner_error"].startswith("it is not JSON") and b["id"] == "a.jsonl:2"
    assert c["cleaner_error"] == "it is JSON but not an object with fields."
    assert d["cleaner_error"].startswith("it has no field 'text'; name the one with the text with --text-key.")
    assert (e["n"], e["text"], e["cleaner_error"]) == (5, "", "its field 'text' holds NoneType, not text.")
    summary = json.loads((tmp_path / "s.json").read_text())
    assert [failure["id"] for failure in summary["failures"]] == ["a.jsonl:2", "a.jsonl:4", "d", "e"]
    assert (summary["documents"], summary["failed"], summary["removed"]["advert"]) == (6, 4, 1)


def test_every_broken_file_is_named_and_the_rest_is_done(
    rows: list[dict[str, Any]], clean: list[str], tmp_path: Path
) -> None:
    source = tmp_path / "in"
    source.mkdir()
    whole = write_parquet(rows[:80], source).read_bytes()
    (source / "corpus.parquet").write_bytes(whole[: len(whole) // 2])
    chance = random.Random(1)
    noise = [{**row, "noise": chance.randbytes(200).hex()} for row in rows]
    packed = bytearray(gzip.compress(as_lines(noise)))
    packed[len(packed) // 2 : len(packed) // 2 + 40] = bytes(40)
    (source / "damaged.jsonl.gz").write_bytes(packed)
    (source / "short.jsonl.zst").write_bytes(zstandard.ZstdCompressor().compress(as_lines(noise))[:-900])
    (source / "short.txt.gz").write_bytes(gzip.compress(ARTICLE.encode())[:-20])
    (source / "not.jsonl").write_bytes(b"PAR1 something")
    (source / "not.warc.gz").write_bytes(b"WARC/1.0\r\n")
    write_lines("whole.jsonl", bytes)(rows, source)
    result = run("clean", source, "-o", tmp_path / "out", "--summary", tmp_path / "s.json", "--jobs", "2")
    assert result.returncode == 1
    failures = {
        failure["id"]: failure["error"] for failure in json.loads((tmp_path / "s.json").read_text())["failures"]
    }
    noise_read = {id for id in failures if id.startswith("damaged.jsonl.gz:")}  # before its checksum told
    assert set(failures) - noise_read == {
        "corpus.parquet", "damaged.jsonl.gz", "short.jsonl.zst", "short.txt.gz", "not.jsonl", "not.warc.gz",
    }  # fmt: skip
    assert "damaged" in failures["damaged.jsonl.gz"] and "cut short" in failures["short.txt.gz"]
    assert "begins like parquet" in failures["not.jsonl"]
    assert failures["not.warc.gz"].startswith("it is not gzip data, though its name ends in .gz")
    assert [row["text"] for row in read_rows(tmp_path / "out" / "whole.jsonl")] == clean
    assert "cut short, after 2" in failures["short.jsonl.zst"]
    saved = read_rows(tmp_path / "out" / "short.jsonl.zst")
    assert len(saved) > 200 and [row["text"] for row in saved] == clean[: len(saved)]


def test_names_that_stand_twice_are_told(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(as_lines([*rows[:20], rows[5], rows[5], rows[7]]))
    result = run("clean", tmp_path / "a.jsonl", "-o", tmp_path / "o.jsonl", "--summary", tmp_path / "s.json")
    assert result.returncode == 0
    assert json.loads((tmp_path / "s.json").read_text())["repeated_names"] == ["doc-5", "doc-7"]
    assert "doc-5: more than one document has this name" in said(result)
    assert len(read_rows(tmp_path / "o.jsonl")) == 23


def test_documents_that_lose_too_much_are_flagged_or_left_alone(tmp_path: Path) -> None:
    menu = "Home\nNews\nSport\nSign up for our newsletter\nShare\nTweet\nAbout us\nContact\n" + "A line of text.\n"
    (tmp_path / "a.jsonl").write_bytes(as_lines([{"id": "menu", "text": menu}, {"id": "good", "text": ARTICLE}]))
    result = run("clean", tmp_path / "a.jsonl", "-o", tmp_path / "f.jsonl", "--max-loss", "0.4")
    flagged, good = read_rows(tmp_path / "f.jsonl")
    assert "of its words were taken out" in flagged["cleaner_flag"] and flagged["text"] != menu
    assert "cleaner_flag" not in good
    assert "1 documents lost more" in said(result)
    run("clean", tmp_path / "a.jsonl", "-o", tmp_path / "k.jsonl", "--max-loss", "0.4", "--on-loss", "keep")
    kept, _ = read_rows(tmp_path / "k.jsonl")
    assert kept["text"] == menu and "would be taken out" in kept["cleaner_flag"]


def test_a_dry_run_writes_nothing(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    source = write_folder(rows[:3], tmp_path)
    write_lines("b.jsonl.gz", gzip.compress)(rows, source)
    result = run("clean", source, "-o", tmp_path / "out", "--dry-run")
    assert result.returncode == 0
    assert f"{source / 'b.jsonl.gz'} (jsonl) -> {tmp_path / 'out' / 'b.jsonl.gz'}" in result.stdout.decode()
    assert tree(tmp_path / "out") == {}


def test_limit_and_glob(rows: list[dict[str, Any]], clean: list[str], tmp_path: Path) -> None:
    source = write_folder(rows[:9], tmp_path)
    write_lines("b.jsonl", bytes)(rows, source)
    run("clean", source, "-o", tmp_path / "o.jsonl", "--limit", "5", "--glob", "*.jsonl")
    assert [row["text"] for row in read_rows(tmp_path / "o.jsonl")] == clean[:5]


def test_other_keys(rows: list[dict[str, Any]], clean: list[str], tmp_path: Path) -> None:
    renamed = [{"name": row["id"], "content": row["text"], "id": 5} for row in rows]
    (tmp_path / "a.ndjson").write_bytes(as_lines(renamed))
    run("clean", tmp_path / "a.ndjson", "-o", tmp_path / "o.jsonl", "--text-key", "content", "--id-key", "name")
    assert [row["content"] for row in read_rows(tmp_path / "o.jsonl")] == clean


def test_pages_in_warc_and_in_rows(tmp_path: Path, cleaner: Cleaner) -> None:
    html = "<!DOCTYPE html><html><head><title>t</title></head><body><nav><a href=/>Home</a></nav><article>"
    html += "".join(f"<p>{line}</p>" for line in ARTICLE.splitlines() if line) + "</article></body></html>"
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=iso-8859-1\r\n\r\n"
    body = http + html.replace("ferry", "f\xe9rry").encode("latin-1")
    record = (
        b"WARC/1.1\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:1>\r\nWARC-Target-URI: https://a.example/\r\n"
    )
    record += b"Content-Type: application/http; msgtype=response\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n"
    (tmp_path / "a.warc").write_bytes(record % (len(body), body))
    run("clean", tmp_path / "a.warc", "-o", tmp_path / "o.jsonl")
    (row,) = read_rows(tmp_path / "o.jsonl")
    assert row["text"] == cleaner.clean_html(html.replace("ferry", "f\xe9rry"), url="https://a.example/")
    assert "férry" in row["text"] and "Home" not in row["text"]
    (tmp_path / "b.jsonl").write_bytes(as_lines([{"text": html}]))
    run("clean", tmp_path / "b.jsonl", "-o", tmp_path / "p.jsonl")
    assert read_rows(tmp_path / "p.jsonl")[0]["text"] == cleaner.clean_html(html)


def test_a_missing_library_says_how_to_get_it(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    source = write_parquet(rows[:3], tmp_path)
    (tmp_path / "hide").mkdir()
    (tmp_path / "hide" / "pyarrow.py").write_text("raise ModuleNotFoundError('pyarrow')")
    result = run("clean", source, "-o", tmp_path / "o.parquet", PYTHONPATH=str(tmp_path / "hide"))
    assert result.returncode == 2
    assert (
        said(result) == 'error: pyarrow is needed to write Parquet; install it with: pip install "cleaner[parquet]"\n'
    )
    result = run("clean", source, "-o", tmp_path / "o.jsonl", PYTHONPATH=str(tmp_path / "hide"))
    assert result.returncode == 1
    assert "corpus.parquet: pyarrow is needed to read Parquet; install it" in said(result)


def test_places_that_fsspec_reaches(rows: list[dict[str, Any]], clean: list[str]) -> None:
    from typer.testing import CliRunner
    from upath import UPath

    from cleaner.cli import app

    def command(*arguments: str) -> None:  # memory:// is one process's own
        result = CliRunner().invoke(app, list(arguments))
        assert result.exit_code == 0, result.output

    here = UPath("memory://corpus/in")
    here.mkdir(parents=True)
    (here / "a.jsonl").write_bytes(as_lines(rows))
    (here / "sub").mkdir()
    (here / "sub" / "b.txt").write_bytes(ARTICLE.encode())
    command("clean", "memory://corpus/in", "-o", "memory://corpus/out")
    lines = UPath("memory://corpus/out/a.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["text"] for line in lines] == clean
    assert "ADVERTISEMENT" not in UPath("memory://corpus/out/sub/b.txt").read_text()
    command("clean", "memory://corpus/in/a.jsonl", "-o", "memory://corpus/all.parquet")
    with UPath("memory://corpus/all.parquet").open("rb") as stream:
        assert parquet.read_table(stream)["text"].to_pylist() == clean
