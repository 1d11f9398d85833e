"""Labelled pages and the five seeds, as one kind of value.

A labelled page is a text file and, beside it, a table of runs: `first-last<TAB>label[<TAB>extra]`, counting
non-empty lines from 1, in order, every line once. For the label `mixed` the third column is the text that
remains; for the seeds it lists cuts inside the line, `start-end:label`, in code points of the line.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from courlan import extract_domain

from cleaner.records import Label
from cleaner.segment.plain import split

_ROOT = Path(__file__).parent.parent
SEEDS = _ROOT / "seeds"
#: Where corpora are looked for unless a command is told otherwise: beside the checkout.
CORPORA = _ROOT.parent / "shared" / "corpora"
FOLDS = 5
#: Lines that glue content and boilerplate together: no label of their own.
MIXED = "mixed"
#: The style of the labelled pages: all visible text, a line per block.
FULL = "full"
#: The style of pages of HTML that the library reads itself.
HTML = "html"


class CorpusError(ValueError):
    """A corpus file that does not follow the layout."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page and the label of each of its non-empty lines.

    Attributes:
        name: the file's name without its ending.
        corpus: the name of the folder it came from.
        host: the site it came from; pages of one host always share a fold.
        language: ISO 639-1, or "" where nobody said.
        text: the dump.
        labels: one per non-empty line; None for a line that mixes content and boilerplate.
        remains: for such lines, by line index, the text a reader would keep.
        cuts: by line index, (start, end, label) inside the line.
        kind: what WCXB says the page is (article, forum, product, ...), or "".
        style: how it was written down, one of `training.dumps.STYLES`.
        content: the text that WCXB says a reader wants, or None.
        in_content: one per line where there is such a text: whether the line is part of it, None where in part.
        paths: one per line where there is HTML: hashed names of the elements that the line stands in.
        inserted: one per line of a synthetic page: how the line was put in, "" where it is the page's own.
    """

    name: str
    corpus: str
    host: str
    language: str
    text: str
    labels: tuple[Label | None, ...]
    remains: dict[int, str] = field(default_factory=dict)
    cuts: dict[int, tuple[tuple[int, int, Label], ...]] = field(default_factory=dict)
    kind: str = ""
    style: str = FULL
    content: str | None = None
    in_content: tuple[bool | None, ...] = ()
    paths: tuple[tuple[int, ...], ...] = ()
    inserted: tuple[str, ...] = ()

    @property
    def fold(self) -> int:
        """The fold of the page's host, the same in every run and every corpus."""
        digest = hashlib.sha256(self.host.encode()).digest()
        return int.from_bytes(digest[:8], "big") % FOLDS

    @property
    def lines(self) -> list[str]:
        """The non-empty lines of the text."""
        return lines_of(self.text)


def lines_of(text: str) -> list[str]:
    """The non-empty lines of a text, as the library splits it."""
    table = split([text])
    return [text[a:b] for a, b in zip(table.char_start, table.char_end, strict=True)]


def read_pages(folder: Path) -> list[Page]:
    """Read every labelled page of a folder, in the order of the names.

    Raises:
        CorpusError: where there is none, or a table does not fit its text.
    """
    folder = folder.resolve()
    about = dict(_described_pages(folder))
    pages = []
    for table in sorted(folder.glob("*.tsv")):
        if not (text_file := table.with_suffix(".txt")).exists():
            continue
        host, language, kind = about.get(table.stem, (table.stem, "", ""))
        pages.append(replace(_read_page(text_file, table, folder.name, host, language), kind=kind))
    if not pages:
        raise CorpusError(f"{folder} holds no labelled page: a .txt file with a .tsv file of the same name.")
    return pages


def read_seeds(folder: Path = SEEDS) -> list[Page]:
    """Read the seeds; each counts as a site of its own."""
    return read_pages(folder)


def _read_page(text_file: Path, table: Path, corpus: str, host: str, language: str) -> Page:
    text = text_file.read_bytes().decode("utf-8")
    labels: list[Label | None] = []
    remains: dict[int, str] = {}
    cuts: dict[int, tuple[tuple[int, int, Label], ...]] = {}
    for row in table.read_text(encoding="utf-8").split("\n"):
        if not row or row.startswith("#"):
            continue
        run, name, *extra = row.split("\t")
        if extra and name == MIXED:
            remains[len(labels)] = extra[0]
        elif extra:
            cuts[len(labels)] = tuple(_cut(cut) for cut in extra[0].split())
        add_run(labels, run, name, f"{table}: the run {run}")
    return _page_of_rows(Page(text_file.stem, corpus, host, language, text, tuple(labels), remains, cuts), f"{table}")


def add_run(labels: list[Label | None], run: str, name: str, what: str) -> None:
    """Add the labels of a run of lines to those of the lines before it.

    Args:
        labels: of the lines before; they grow.
        run: "first-last", line numbers from 1.
        name: the label's, or `MIXED`.
        what: what the run is called where it does not fit.

    Raises:
        CorpusError: if the run does not begin where the labels end.
    """
    first, last = (int(number) for number in run.split("-"))
    if first != len(labels) + 1 or last < first:
        raise CorpusError(f"{what} does not follow line {len(labels)}.")
    labels += [None if name == MIXED else Label(name)] * (last - first + 1)


def _page_of_rows(page: Page, where: str) -> Page:
    """Give each of the library's lines the label of the table's row that it stands in.

    The tables count lines that end in a line feed; a few of those hold another line break inside.
    """
    table = split([page.text])
    row_ends = [at for at, char in enumerate(page.text) if char == "\n"] + [len(page.text)]
    rows: dict[int, int] = {}
    row_of_line = [rows.setdefault(bisect_left(row_ends, at), len(rows)) for at in table.char_start.tolist()]
    if len(rows) != len(page.labels):
        raise CorpusError(f"{where} labels {len(page.labels)} lines; the text has {len(rows)} non-empty ones.")
    first_line = {row: line for line, row in reversed(list(enumerate(row_of_line)))}
    return replace(
        page,
        labels=tuple(page.labels[row] for row in row_of_line),
        remains={first_line[row]: text for row, text in page.remains.items()},
        cuts={first_line[row]: cuts for row, cuts in page.cuts.items()},
    )


def _cut(text: str) -> tuple[int, int, Label]:
    span, name = text.split(":")
    start, end = span.split("-")
    return int(start), int(end), Label(name)


def _described_pages(folder: Path) -> Iterator[tuple[str, tuple[str, str, str]]]:
    """Host, language and kind of each page, from the descriptions that stand beside the labelled pages."""
    corpora = folder.parent.parent
    for table in (folder / "pages.tsv", corpora / f"{folder.name}-dev" / "pages.tsv"):
        if table.exists():
            header, *rows = table.read_text(encoding="utf-8").rstrip("\n").split("\n")
            columns = header.split("\t")
            for row in rows:
                values = dict(zip(columns, row.split("\t"), strict=True))
                host = site(values.get("host") or values["url"])
                yield values["name"], (host, values.get("language", ""), values.get("kind", ""))
    truths = corpora / "wcxb-dev" / "ground-truth"
    if truths.is_dir() and folder.name == "en":
        for truth in truths.glob("*.json"):
            said = json.loads(truth.read_text(encoding="utf-8"))
            url = said.get("url")
            yield truth.stem, (site(url) if url else truth.stem, "en", kind_of(said))


def kind_of(truth: dict[str, Any]) -> str:
    """What WCXB says a page is: article, service, product, collection, forum, listing, documentation, or ""."""
    kind = str(truth.get("_internal", {}).get("page_type", {}).get("primary", ""))
    return "collection" if kind == "category" else kind  # two names of one kind


@cache
def site(url: str) -> str:
    """The registrable domain, so that subdomains of one site stay together.

    A second page of a host is described as "host--what it is"; it stays with the first.
    """
    if "://" not in url:
        url = f"https://{url.split('--')[0]}"
    return extract_domain(url) or url.split("://")[1].split("/")[0]
