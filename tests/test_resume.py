"""Runs that are killed, stopped, or run out of space: gone on with, they end as if nothing had happened."""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from test_cli import run, said, tree
from test_corpus import FORMS, as_lines, documents, read_rows

from cleaner.corpus.groups import Group
from cleaner.corpus.pool import ordered
from cleaner.errors import CleanerError

#: Long enough to be killed in the middle, several groups of documents.
COPIES = 12


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return [{**row, "id": f"{row['id']}-{copy}"} for copy in range(COPIES) for row in documents()]


def start(*arguments: str | Path, before: Callable[[], None] | None = None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "cleaner.cli", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=before,
    )


def _wait_for_a_group(process: subprocess.Popen[bytes], ledger: Path) -> None:
    while not _groups(ledger):
        assert process.poll() is None
        time.sleep(0.01)


def _groups(ledger: Path) -> int:
    """How many groups are noted as done."""
    try:
        return max(ledger.read_bytes().count(b"\n") - 1, 0)
    except OSError:
        return 0


def everything(folder: Path) -> dict[str, bytes]:
    return tree(folder) if folder.is_dir() else {folder.name: folder.read_bytes()}


@pytest.mark.parametrize(
    ("form", "out", "jobs"),
    [
        ("jsonl", "out.jsonl.gz", "2"),
        ("jsonl.zst", "out", "1"),
        ("parquet", "out.parquet", "2"),
        ("folder", "out", "2"),
    ],
)
def test_killed_at_any_instant_it_ends_the_same(
    form: str, out: str, jobs: str, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    source = FORMS[form](rows[:1500] if form == "folder" else rows, tmp_path)
    whole = tmp_path / "whole" / out
    whole.parent.mkdir()
    assert run("clean", source, "-o", whole, "--jobs", jobs, "--summary", tmp_path / "whole.json").returncode == 0
    other = tmp_path / "other" / out
    other.parent.mkdir()
    ledger = other / ".cleaner.run" if form in ("folder", "jsonl.zst") else other.parent / f".{out}.run"
    chance = random.Random(form)
    done = 0
    for k in range(5):  # from before the first group is done to after the last one is
        process = start("clean", source, "-o", other, "--jobs", jobs, "--resume")
        while process.poll() is None and _groups(ledger) < done + 4 * (k > 0):
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.1 if k else 0.5))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        _, errors = process.communicate()
        assert process.returncode in (0, -signal.SIGKILL), errors
        if process.returncode == 0:
            break
        done = _groups(ledger)
    again = run("clean", source, "-o", other, "--jobs", jobs, "--resume", "--summary", tmp_path / "other.json")
    assert again.returncode == 0, said(again)
    assert everything(other) == everything(whole)
    assert not list(other.parent.rglob(".*"))
    first, second = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("whole", "other"))
    if process.returncode != 0:
        assert {**first, "seconds": 0} == {**second, "seconds": 0}


def test_ctrl_c_finishes_what_is_under_way_and_says_how_to_go_on(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(as_lines(rows))
    run("clean", tmp_path / "a.jsonl", "-o", tmp_path / "whole.jsonl")
    process = start("clean", tmp_path / "a.jsonl", "-o", tmp_path / "o.jsonl", "--jobs", "2")
    _wait_for_a_group(process, tmp_path / ".o.jsonl.run")
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: to all processes
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command with --resume goes on." in errors.decode()
    assert "Traceback" not in errors.decode()
    assert not (tmp_path / "o.jsonl").exists()
    refused = run("clean", tmp_path / "a.jsonl", "-o", tmp_path / "o.jsonl")
    assert refused.returncode == 2 and "go on with --resume, or begin anew with --no-resume" in said(refused)
    other = run("clean", tmp_path / "a.jsonl", "-o", tmp_path / "o.jsonl", "--resume", "--recall")
    assert other.returncode == 2 and "asked for something else" in said(other)
    assert run("clean", tmp_path / "a.jsonl", "-o", tmp_path / "o.jsonl", "--resume").returncode == 0
    assert (tmp_path / "o.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_a_run_is_begun_anew_if_wanted(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(as_lines(rows[:600]))
    (tmp_path / ".o.jsonl.run").write_bytes(b"0" * 64 + b"\n")
    (tmp_path / ".o.jsonl.part").write_bytes(b"rubbish")
    assert run("clean", tmp_path / "a.jsonl", "-o", tmp_path / "o.jsonl", "--no-resume").returncode == 0
    assert len(read_rows(tmp_path / "o.jsonl")) == 600


def test_an_input_that_changed_is_not_gone_on_with(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(as_lines(rows[:900]))
    _stop_early(tmp_path / "a.jsonl", tmp_path / "o.jsonl")
    (tmp_path / "a.jsonl").write_bytes(as_lines(rows[:899]))
    result = run("clean", tmp_path / "a.jsonl", "-o", tmp_path / "o.jsonl", "--resume")
    assert result.returncode == 2 and "its input has changed" in said(result)


def _stop_early(source: Path, target: Path) -> None:
    """Leave what a run leaves behind that may write only so much."""
    process = start("clean", source, "-o", target, before=_no_file_over_150_kilobytes)
    _, errors = process.communicate()
    assert process.returncode == 4, errors
    assert b"cannot be written: File too large; once that is mended, the same command with --resume goes on." in errors


def _no_file_over_150_kilobytes() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))


def test_without_space_nothing_is_half_written(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(as_lines(rows[:900]))
    run("clean", tmp_path / "a.jsonl", "-o", tmp_path / "whole.jsonl")
    _stop_early(tmp_path / "a.jsonl", tmp_path / "o.jsonl")
    assert not (tmp_path / "o.jsonl").exists()
    assert run("clean", tmp_path / "a.jsonl", "-o", tmp_path / "o.jsonl", "--resume").returncode == 0
    assert (tmp_path / "o.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def _dies_of_the_third(group: Group, factor: int) -> int:
    if group.first == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return group.first * factor


def test_what_kills_its_worker_each_time_fails_alone() -> None:
    orders = [(Group(None, first=number), (10,)) for number in range(9)]
    results = list(ordered(orders, _dies_of_the_third, 2, lambda group, factor: -1))
    assert [group.first for group, _ in results] == list(range(9))
    assert [result for _, result in results] == [0, 10, 20, -1, 40, 50, 60, 70, 80]
    with pytest.raises(CleanerError, match="a worker was killed"):
        list(ordered(orders, _dies_of_the_third, 2))


def test_a_worker_that_is_killed_costs_nothing(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(as_lines(rows * 2))
    run("clean", tmp_path / "a.jsonl", "-o", tmp_path / "whole.jsonl")
    process = start("clean", tmp_path / "a.jsonl", "-o", tmp_path / "o.jsonl", "--jobs", "2")
    _wait_for_a_group(process, tmp_path / ".o.jsonl.run")
    workers = [
        child
        for child in psutil.Process(process.pid).children(recursive=True)
        if "loky" in " ".join(child.cmdline()) and "tracker" not in " ".join(child.cmdline())
    ]
    workers[0].kill()
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert (tmp_path / "o.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
