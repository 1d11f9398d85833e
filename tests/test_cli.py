"""The command, run for real: what it prints, what it writes, and with which exit code it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cleaner import Cleaner, __version__
from cleaner.segment.decode import decode

SEEDS = Path(__file__).parent.parent / "seeds"
NAMES = sorted(path.name for path in SEEDS.glob("*.txt"))
ARTICLE = (
    "Harbour ferry returns after three winters ashore\n\n"
    "The ferry that once tied the two halves of the town together sailed again on Monday.\n\n"
    "ADVERTISEMENT\n\n"
    "It had spent three winters in a shed while the council argued over who should pay for a new boiler.\n"
)


def run(*arguments: str | Path, data: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "cleaner.cli", *map(str, arguments)],
        input=data,
        capture_output=True,
        env={**os.environ, **environment},
        check=False,
    )


def said(result: subprocess.CompletedProcess[bytes]) -> str:
    return result.stderr.decode()


@pytest.fixture
def dumps(tmp_path: Path) -> Path:
    folder = tmp_path / "dumps"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text(ARTICLE)
    (folder / "sub" / "b.txt").write_text(ARTICLE)
    (folder / "notes.md").write_text("not a dump")
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_one_input_prints(cleaner: Cleaner) -> None:
    text = (SEEDS / NAMES[0]).read_bytes().decode()
    result = run("clean", SEEDS / NAMES[0])
    assert (result.returncode, result.stdout, said(result)) == (0, cleaner.clean(text).encode(), "")


def test_standard_input_with_and_without_a_dash(cleaner: Cleaner) -> None:
    expected = cleaner.clean(ARTICLE).encode()
    assert run("clean", data=ARTICLE.encode()).stdout == expected
    assert run("clean", "-", data=ARTICLE.encode()).stdout == expected


def test_a_folder_is_mirrored(dumps: Path, tmp_path: Path, cleaner: Cleaner) -> None:
    result = run("clean", dumps, "-o", tmp_path / "out")
    assert result.returncode == 0
    assert result.stdout == b""
    expected = cleaner.clean(ARTICLE).encode()
    assert tree(tmp_path / "out") == {"a.txt": expected, "sub/b.txt": expected}
    assert "2 of 2 documents" in said(result)


def test_one_file_to_a_file_and_to_a_folder(dumps: Path, tmp_path: Path, cleaner: Cleaner) -> None:
    expected = cleaner.clean(ARTICLE).encode()
    assert run("clean", dumps / "a.txt", "-o", tmp_path / "new.txt").returncode == 0
    assert (tmp_path / "new.txt").read_bytes() == expected
    (tmp_path / "folder").mkdir()
    assert run("clean", dumps / "a.txt", "-o", tmp_path / "folder").returncode == 0
    assert (tmp_path / "folder" / "a.txt").read_bytes() == expected


def test_results_below_the_input_are_not_read_again(dumps: Path) -> None:
    for _ in range(2):
        assert run("clean", dumps, "-o", dumps / "clean").returncode == 0
    assert sorted(tree(dumps / "clean")) == ["a.txt", "sub/b.txt"]


def test_removed_lines_are_written_beside_their_labels(dumps: Path, tmp_path: Path) -> None:
    assert run("clean", dumps, "-o", tmp_path / "out", "--removed", tmp_path / "removed").returncode == 0
    assert tree(tmp_path / "removed") == {"a.txt": b"advert\tADVERTISEMENT\n", "sub/b.txt": b"advert\tADVERTISEMENT\n"}


def test_json_has_every_line_and_restores(tmp_path: Path, cleaner: Cleaner) -> None:
    source = SEEDS / NAMES[3]
    result = run("clean", "--json", source)
    content = json.loads(result.stdout)
    document = cleaner.label(source.read_bytes().decode())
    assert content["id"] == NAMES[3]
    assert content["text"] == cleaner.clean(document.text)
    assert len(content["lines"]) == len(document.lines)
    assert set(content["lines"][0]) == {
        *("number", "start", "end", "text", "label", "score", "decided_by", "reason", "kept", "cuts")
    }
    assert run("restore", data=result.stdout).stdout == source.read_bytes()


def test_label_prints_a_line_a_document() -> None:
    result = run("label", SEEDS)
    contents = [json.loads(row) for row in result.stdout.splitlines()]
    assert [content["id"] for content in contents] == NAMES
    for content in contents:
        original = (SEEDS / content["id"]).read_bytes().decode()
        assert content["text"] == original
        assert [line["text"] for line in content["lines"]] == [row for row in original.splitlines() if row.strip()]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_restore_gives_the_bytes_back_in_any_encoding(encoding: str) -> None:
    data = ("Die Fähre fährt wieder, sagte der Kapitän.\r\n\r\nÜber den Fluss.\n" * 3).encode(encoding)
    assert run("restore", data=run("label", data=data).stdout).stdout == data


def test_restore_of_several_documents_needs_a_folder(tmp_path: Path) -> None:
    lines = run("label", SEEDS).stdout
    assert run("restore", data=lines).returncode == 2
    assert run("restore", "-", "-o", tmp_path / "back", data=lines).returncode == 0
    assert tree(tmp_path / "back") == {name: (SEEDS / name).read_bytes() for name in NAMES}


def test_restore_never_writes_outside_its_folder(tmp_path: Path) -> None:
    content = json.loads(run("label", SEEDS / NAMES[4]).stdout)
    rows = "\n".join(json.dumps(content | {"id": id}) for id in ("../evil.txt", "a.txt"))
    result = run("restore", "-", "-o", tmp_path / "back", data=rows.encode())
    assert result.returncode == 2
    assert "'../evil.txt' cannot be a file below" in said(result)
    assert not (tmp_path / "evil.txt").exists()


def test_two_processes_write_what_one_does(tmp_path: Path) -> None:
    folder = tmp_path / "dumps"
    folder.mkdir()
    for k in range(600):  # more than one group of documents
        (folder / f"{k:04}.txt").write_bytes((SEEDS / NAMES[k % 5]).read_bytes() + b"%d" % k)
    for jobs in (1, 2):
        assert run("clean", folder, "-o", tmp_path / f"out{jobs}", "--jobs", str(jobs)).returncode == 0
    assert len(tree(tmp_path / "out1")) == 600
    assert tree(tmp_path / "out1") == tree(tmp_path / "out2")


def test_explain_shows_labels_without_colour_off_a_terminal() -> None:
    result = run("explain", "-", data=ARTICLE.encode())
    shown = result.stdout.decode()
    assert "\x1b" not in shown
    assert "    3 - ADVERTISEMENT  [advert 0." in shown
    assert "rule: a bare ad marker]" in shown
    assert "    1   Harbour ferry returns" in shown


@pytest.mark.parametrize(("environment", "colours"), [({"FORCE_COLOR": "1"}, True), ({"NO_COLOR": "1"}, False)])
def test_explain_colours_only_where_wanted(environment: dict[str, str], colours: bool) -> None:
    shown = run("explain", "-", data=ARTICLE.encode(), TERM="xterm-256color", **environment).stdout
    assert (b"\x1b[33m  [advert" in shown) == colours


def test_explain_disarms_control_characters() -> None:
    shown = run("explain", "-", data=b"The river \x1b[2J rose \x07 again in the night, and nobody slept.\n").stdout
    assert b"\x1b" not in shown and b"\x07" not in shown


def test_labels_and_version() -> None:
    shown = run("labels").stdout.decode()
    assert all(name in shown for name in ("subscription", "newsletter, membership", "navigation"))
    assert run("--version").stdout.decode().startswith(f"cleaner {__version__} ")


def test_less_body_loss_keeps_more() -> None:
    seed = SEEDS / NAMES[3]
    kept = [
        len(run("clean", *options, seed).stdout.split(b"\n"))
        for options in (("--precision",), (), ("--max-body-loss", "0.01"), ("--recall",), ("--min-score", "0"))
    ]
    assert kept == sorted(kept) and kept[0] < kept[-1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["clean", "{dumps}"], "several documents would run into each other; name a folder for them with -o OUT"),
        (["clean", "{dumps}/a.txt", "{dumps}/sub/b.txt"], "name a folder for them with -o OUT"),
        (["clean", "{dumps}/a.txt", "--keep", "boddy"], "'boddy' is not a valid Label in keep; the labels are body"),
        (["clean", "{dumps}/a.txt", "--drop", "advert"], "would change nothing"),
        (["clean", "{dumps}/a.txt", "-o", "{dumps}/a.txt"], "is both input and output"),
        (["clean", "{dumps}/a.txt", "-o", "{dumps}"], "is both input and output"),
        (["clean", "{dumps}", "-o", "{dumps}"], "is both input and output"),
        (["clean", "{dumps}", "-o", "{dumps}/out", "--removed", "{dumps}"], "is both input and output"),
        (["clean", "{dumps}/sub", "{dumps}", "-o", "{dumps}/a.txt/out"], "cannot be made: Not a directory"),
        (["clean", "{dumps}/a.txt", "{dumps}/../more/a.txt", "-o", "{dumps}/out"], "written to the same file"),
        (["clean", "{dumps}/a.txt", "--precision", "--recall"], "favor_precision and favor_recall are given"),
        (["clean", "{dumps}/a.txt", "--max-body-loss", "0.9"], "max_body_loss is 0.9; the model can promise 0.001 to"),
        (["clean", "{dumps}", "-o", "{dumps}/out", "--max-body-loss", "0.9"], "the model can promise 0.001 to 0.1"),
        (["label", "{dumps}/a.txt", "--recall", "--keep", "caption"], "is about the body, which is not kept"),
        (["explain", "{dumps}/a.txt", "--max-body-loss", "0"], "it is a share of the body between 0 and 1"),
        (["clean", "{dumps}/nowhere.txt"], "nowhere.txt does not exist"),
        (["clean", "{dumps}/empty", "-o", "{dumps}/out"], "holds no .txt or .html or .htm or .jsonl"),
        (["clean", "-", "-", "-o", "{dumps}/out"], "standard input (-) is named more than once"),
        (["explain", "{dumps}/nowhere.txt"], "nowhere.txt cannot be read: No such file"),
        (["restore", "{dumps}/a.txt"], "this is not JSON"),
        (["clean", "--jobs", "0"], "'--jobs'"),
        (["frobnicate"], "No such command"),
    ],
)
def test_wrong_usage_says_what_to_do(dumps: Path, arguments: list[str], says: str) -> None:
    (dumps / "empty").mkdir()
    (dumps.parent / "more").mkdir()
    (dumps.parent / "more" / "a.txt").write_text(ARTICLE)
    before = tree(dumps)
    result = run(*(argument.format(dumps=dumps) for argument in arguments), NO_COLOR="1", COLUMNS="400")
    assert (result.returncode, result.stdout) == (2, b"")
    assert says in said(result)
    assert tree(dumps) == before


def test_one_bad_document_does_not_stop_the_run(dumps: Path, tmp_path: Path, cleaner: Cleaner) -> None:
    (dumps / "0-picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (dumps / "1-circle.txt").symlink_to(dumps / "1-circle.txt")
    (dumps / "2-empty.txt").touch()
    (dumps / "3-blank.txt").write_text(" \n\n\t\n")
    result = run("clean", dumps, "-o", tmp_path / "out")
    assert result.returncode == 1
    assert "error: 0-picture.txt: it is a PNG picture, not text" in said(result)
    assert "error: 1-circle.txt: it cannot be read: Too many levels of symbolic links" in said(result)
    assert "2 of 6 documents failed" in said(result)
    expected = cleaner.clean(ARTICLE).encode()
    assert tree(tmp_path / "out") == {"2-empty.txt": b"", "3-blank.txt": b"", "a.txt": expected, "sub/b.txt": expected}


@pytest.mark.parametrize(
    "data",
    [b"", b" \n\n", b"a\x00b", b"\xff\xfeh\x00i\x00", b"The caf\xe9 was full.", b"broken \xc3\x28 bytes \xff here"],
    ids=["empty", "blank", "nul", "utf-16", "latin-1", "invalid utf-8"],
)
def test_odd_input_is_survived(data: bytes) -> None:
    result = run("label", data=data)
    assert result.returncode == 0
    assert run("restore", data=result.stdout).stdout == data


def test_binary_input_fails_with_a_reason() -> None:
    result = run("clean", data=bytes(range(256)) * 20)
    assert (result.returncode, result.stdout) == (1, b"")
    assert said(result) == "error: -: it is binary data, not text; take it out of the input.\n"


def test_a_line_of_ten_megabytes() -> None:
    sentence = b"The river rose again that night, photo_1.jpg 0x0 [watch (read more advertisement and nobody slept. "
    data = sentence * (10_000_000 // len(sentence) + 1)
    result = run("label", data=data)
    assert result.returncode == 0
    assert run("restore", data=result.stdout).stdout == data


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_said(dumps: Path) -> None:
    result = run("clean", dumps / "a.txt", "-o", "/dev/full")
    assert result.returncode == 4
    assert said(result).startswith("error: /dev/full cannot be written: No space left on device.\n")
    assert Path("/dev/full").is_char_device()
    with Path("/dev/full").open("wb") as full:
        printed = subprocess.run(
            [sys.executable, "-m", "cleaner.cli", "clean", dumps / "a.txt"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert printed.returncode == 1
    assert printed.stderr == b"error: standard output cannot be written: No space left on device.\n"


def test_nothing_half_written_where_files_may_not_grow(dumps: Path, tmp_path: Path, cleaner: Cleaner) -> None:
    (dumps / "b-long.txt").write_text("The river rose again that night, and nobody in the village slept. " * 500)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b-long.txt").write_text("from an earlier run")
    limited = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); "
    limited += "sys.argv = ['cleaner', *sys.argv[1:]]; from cleaner.cli import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", limited, "clean", dumps, "-o", tmp_path / "out"], capture_output=True, check=False
    )
    assert result.returncode == 1
    assert "error: b-long.txt: " in said(result) and "cannot be written: File too large" in said(result)
    expected = cleaner.clean(ARTICLE).encode()
    assert tree(tmp_path / "out") == {"a.txt": expected, "b-long.txt": b"from an earlier run", "sub/b.txt": expected}


def test_a_model_that_is_missing_has_its_own_exit_code() -> None:
    result = run("clean", "--model", "nowhere", data=b"text")
    assert result.returncode == 3
    assert "there is no model folder 'nowhere'" in said(result)


def test_quiet_and_verbose(dumps: Path, tmp_path: Path) -> None:
    assert said(run("clean", dumps, "-o", tmp_path / "out", "-q")) == ""
    assert "a.txt: 3 of 4 lines kept.\n" in said(run("clean", dumps, "-o", tmp_path / "out", "-v"))


def test_a_reader_that_stops_early_is_no_error(dumps: Path) -> None:
    for k in range(300):
        (dumps / f"{k}.txt").write_text(ARTICLE)
    command = f"'{sys.executable}' -m cleaner.cli label '{dumps}' | head -c 10 > /dev/null"
    result = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert result.stderr == b""


def test_notes_on_the_encoding_are_said() -> None:
    data = "Die Fähre fährt wieder über den Fluß, sagte der Kapitän.\n".encode("cp1252")
    assert "not UTF-8; read as" in said(run("clean", data=data))
    assert decode(data).notes


PAGE = (
    "<!doctype html><html><head><title>Ferry</title></head><body><nav><a href=1>Home</a> <a href=2>Boats</a></nav>"
    f"<main><h1>Ferry returns</h1><p>{'</p><p>'.join(ARTICLE.split(chr(10) * 2))}</p></main></body></html>"
)


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.html").write_text(PAGE)
    (folder / "sub" / "b.HTM").write_text(PAGE)
    (folder / "c.txt").write_text(ARTICLE)
    return folder


def test_a_folder_of_pages_becomes_text(pages: Path, tmp_path: Path, cleaner: Cleaner) -> None:
    assert run("clean", pages, "-o", tmp_path / "out", "--removed", tmp_path / "removed").returncode == 0
    clean = cleaner.clean_html(PAGE).encode()
    assert clean and b"<" not in clean
    assert tree(tmp_path / "out") == {"a.txt": clean, "c.txt": cleaner.clean(ARTICLE).encode(), "sub/b.txt": clean}
    assert sorted(tree(tmp_path / "removed")) == ["a.txt", "c.txt", "sub/b.txt"]


def test_a_page_and_a_text_of_one_name_stay_apart(pages: Path, tmp_path: Path) -> None:
    (pages / "a.txt").write_text(ARTICLE)
    assert run("clean", pages, "-o", tmp_path / "out").returncode == 0
    assert sorted(tree(tmp_path / "out")) == ["a.html.txt", "a.txt", "c.txt", "sub/b.txt"]


def test_the_input_format_can_be_told(pages: Path, tmp_path: Path, cleaner: Cleaner) -> None:
    assert run("clean", pages, "--input-format", "html", "-o", tmp_path / "html").returncode == 0
    assert sorted(tree(tmp_path / "html")) == ["a.txt", "sub/b.txt"]
    assert run("clean", pages, "--input-format", "text", "-o", tmp_path / "text").returncode == 0
    assert sorted(tree(tmp_path / "text")) == ["c.txt"]
    as_text = run("clean", pages / "a.html", "--input-format", "text")
    assert as_text.stdout == cleaner.clean(PAGE).encode()


def test_a_page_is_known_by_its_content_too(tmp_path: Path, cleaner: Cleaner) -> None:
    assert run("clean", data=PAGE.encode()).stdout == cleaner.clean_html(PAGE).encode()
    (tmp_path / "page.txt").write_text(PAGE)
    assert run("clean", tmp_path / "page.txt").stdout == cleaner.clean_html(PAGE).encode()


def test_fast_does_without_trafilatura(pages: Path, cleaner: Cleaner) -> None:
    fast = Cleaner(model=cleaner.model, html_model=cleaner.html_model, fast=True)
    scores = [line["score"] for line in json.loads(run("label", "--fast", pages / "a.html").stdout)["lines"]]
    assert scores == [line.score for line in fast.label_html(PAGE).lines]
    assert scores != [line.score for line in cleaner.label_html(PAGE).lines]


def test_json_of_a_page_says_what_its_offsets_count(pages: Path) -> None:
    content = json.loads(run("label", pages / "a.html").stdout)
    assert "not offsets into the HTML" in content["offsets"]
    assert content["lines"][1]["path"] == "html > body > main > h1"
    for line in content["lines"]:
        assert content["text"][line["start"] : line["end"]] == line["text"]
    restored = run("restore", data=json.dumps(content).encode())
    assert restored.stdout.decode() == content["text"]


def test_explain_shows_where_a_line_of_a_page_stands(pages: Path) -> None:
    shown = run("explain", pages / "a.html").stdout.decode()
    assert "… > body > main > h1" in shown
    assert "… > body > main > p" in shown
    assert "[body 0." in shown or "[body 1." in shown


def test_explain_gives_json_as_label_does(pages: Path) -> None:
    shown = json.loads(run("explain", "--json", pages / "a.html").stdout)
    labelled = json.loads(run("label", pages / "a.html").stdout)
    assert shown | {"id": ""} == labelled | {"id": ""} and "not offsets into the HTML" in shown["offsets"]


def test_a_broken_page_does_not_stop_a_run(pages: Path, tmp_path: Path) -> None:
    (pages / "broken.html").write_bytes(b"\x1f\x8b\x08 not a page")
    (pages / "empty.html").write_bytes(b"")
    result = run("clean", pages, "-o", tmp_path / "out")
    assert result.returncode == 1
    assert "broken.html: it is gzip-compressed data" in said(result)
    assert "empty.html: it holds no visible text." in said(result)
    assert sorted(tree(tmp_path / "out")) == ["a.txt", "c.txt", "empty.txt", "sub/b.txt"]


def test_models_are_not_mixed_up(pages: Path) -> None:
    result = run("clean", pages / "a.html", "--html-model", "text-v7")
    assert result.returncode == 3
    assert "is for text, not for html" in said(result)
