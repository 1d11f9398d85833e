"""Pages with their HTML: WCXB's, with the text to keep; and any labelled page, in every dump style.

A folder in WCXB's layout holds `html/ID.html.gz` and `ground-truth/ID.json` (Foley 2026, arXiv 2605.21097).
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from cleaner.records import Label
from training.alignment import align, project
from training.caching import MEMORY, code_digest
from training.corpora import FULL, CorpusError, Page, kind_of, lines_of, read_pages, site
from training.dumps import STYLES, dump
from training.readings import read_labels
from training.structure import Nodes, paths, read_nodes

#: What pages look like after reading depends on these; reading again is only skipped while none has changed.
_CODE = (
    "cleaner/segment/plain.py",
    *(f"training/{n}.py" for n in ("alignment", "corpora", "dumps", "readings", "structure", "wcxb")),
    "training/readings.tsv",
)
#: Of WCXB's pages.
_LANGUAGE = "en"


def read_wcxb(
    folder: Path, labelled: Sequence[Page] = (), styles: Sequence[str] = tuple(STYLES), *, sample: int | None = None
) -> Iterator[Page]:
    """Read every page of WCXB that has a text to keep, in the order of the names, in some styles.

    Args:
        folder: holds `html/` and `ground-truth/`.
        labelled: hand-labelled full dumps of some of them, found by name; the others have no labels.
        styles: of `STYLES`.
        sample: take full dumps and, of the other styles, so many that the page's name chooses; by default all. Sampled
            pages are for training: their lines know the HTML elements they stand in.

    Raises:
        CorpusError: where there is no such page.
    """
    by_name = {page.name: page for page in labelled}
    found = False
    for truth in sorted((folder / "ground-truth").glob("*.json")):
        about = json.loads(truth.read_text(encoding="utf-8"))
        content = about["ground_truth"].get("main_content")
        source = folder / "html" / f"{truth.stem}.html.gz"
        if not content or not source.exists():
            continue
        found = True
        html = read_html(source)
        text = dump(html, FULL)
        page = by_name.get(truth.stem)
        if page is None or page.text.rstrip("\n") != text:
            host = site(about["url"]) if about.get("url") else truth.stem
            labels = read_labels(truth.stem, text) or (None,) * len(lines_of(text))
            page = Page(truth.stem, folder.name, host, _LANGUAGE, text, labels)
        page = replace(page, kind=kind_of(about), content=content)
        yield from _written(page, html, styles, sample)
    if not found:
        raise CorpusError(f"{folder} holds no page: ground-truth/ID.json with main_content and html/ID.html.gz.")


def read_corpora(corpora: Path, *, sample: int = 1) -> list[Page]:
    """All pages to train on below a folder of corpora: labelled pages, and WCXB's beside them; none if it is not there.

    Args:
        corpora: holds `labelled-pages/NAME/`, and perhaps `NAME-dev/html/` with their HTML and `wcxb-dev/`.
        sample: in how many styles beside the full dump each page is written down, where there is HTML.
    """
    pages = [
        page
        for folder in sorted(path for path in (corpora / "labelled-pages").glob("*") if path.is_dir())
        for page in read_pages(folder)
    ]
    if not pages or not (corpora / "wcxb-dev").is_dir():
        return pages
    read: list[Page] = MEMORY.cache(_in_training_styles)(pages, corpora.resolve(), sample, code_digest(_CODE))
    return read


def _in_training_styles(pages: list[Page], corpora: Path, sample: int, code: str) -> list[Page]:
    read = list(read_wcxb(corpora / "wcxb-dev", [page for page in pages if page.corpus == "en"], sample=sample))
    known = {(page.corpus, page.name) for page in read}
    for page in pages:
        source = corpora / f"{page.corpus}-dev" / "html" / f"{page.name}.html.gz"
        if (page.corpus, page.name) in known:
            continue
        read += _written(page, read_html(source), tuple(STYLES), sample) if source.exists() else [page]
    return read


def _written(page: Page, html: str, styles: Sequence[str], sample: int | None) -> Iterator[Page]:
    if sample is None:
        return in_styles(page, html, styles)
    others = sorted((style for style in styles if style != FULL), key=lambda style: _chance(page, style))
    return in_styles(page, html, (FULL, *others[:sample]), read_nodes(html))


def _chance(page: Page, style: str) -> bytes:
    """A fixed order of the styles for each page, as good as random."""
    return hashlib.sha256(f"{page.host} {page.name} {style}".encode()).digest()


def read_html(path: Path) -> str:
    """The page in a gzip file, as UTF-8."""
    return gzip.decompress(path.read_bytes()).decode("utf-8", "replace")


def in_styles(page: Page, html: str, styles: Sequence[str], nodes: Nodes | None = None) -> Iterator[Page]:
    """A page written down in some styles, its labels carried over; nothing for a style that finds no text."""
    source = page.lines
    for style in styles:
        text = page.text if style == FULL else dump(html, style)
        lines = source if style == FULL else lines_of(text)
        if not lines:
            continue
        labels: Sequence[Label | None] = page.labels
        if style != FULL:
            labels = project(source, labels, lines) if any(labels) else (None,) * len(lines)
        yield replace(
            page,
            text=text,
            labels=tuple(labels),
            remains=page.remains if style == FULL else {},
            cuts=page.cuts if style == FULL else {},
            style=style,
            in_content=tuple(align(lines, page.content)) if page.content else (),
            paths=paths(lines, nodes) if nodes else (),
        )
