"""HTML pages to train and measure on: their lines as the library reads them, labels carried over by aligning words.

Hand labels come from the full dumps of `labelled-pages/NAME`, whose HTML lies in `wcxb-dev` and `NAME-dev`; the text
to keep from WCXB's ground truth.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from joblib import Parallel, delayed

from cleaner.evidence.heuristics import Verdict, verdict
from cleaner.segment import html
from training.alignment import align, project
from training.caching import MEMORY, code_digest
from training.corpora import HTML, CorpusError, Page, kind_of, lines_of, read_pages, site
from training.wcxb import read_html

#: What pages look like after reading depends on these; reading again is only skipped while none has changed.
_CODE = (
    "cleaner/segment/plain.py",
    *(f"cleaner/segment/{name}.py" for name in ("html", "walker", "structured")),
    "cleaner/evidence/heuristics.py",
    *(f"training/{name}.py" for name in ("alignment", "corpora", "html")),
)


@dataclass(frozen=True, slots=True)
class HtmlPage:
    """A page of HTML with its labels.

    Attributes:
        page: the page's text as the library reads it, its labels, and what WCXB wants of it.
        markup: its structure, without the tree.
        verdict: trafilatura's.
        source: where the HTML is.
        url: its address, or None.
    """

    page: Page
    markup: html.Page
    verdict: Verdict
    source: Path
    url: str | None


def read_folder(folder: Path, labelled: Sequence[Page] = ()) -> list[HtmlPage]:
    """Read every page of a folder in WCXB's layout, or of one that holds only `html/`, in the order of the names.

    Args:
        folder: holds `html/NAME.html.gz`, and perhaps `ground-truth/NAME.json` and `pages.tsv`.
        labelled: hand-labelled full dumps of some of them, found by name.

    Raises:
        CorpusError: where there is no such page.
    """
    by_name = {page.name: page for page in labelled}
    sources = []
    for path in sorted((folder / "html").glob("*.html.gz")):
        name = path.name.removesuffix(".html.gz")
        truth = folder / "ground-truth" / f"{name}.json"
        page, url = by_name.get(name), None
        if truth.exists():
            about = json.loads(truth.read_text(encoding="utf-8"))
            url = about.get("url") or None
            host = site(url) if url else name
            page = page or Page(name, folder.name, host, "", "", ())
            page = replace(page, kind=kind_of(about), content=about["ground_truth"].get("main_content") or None)
        if page is not None and (page.labels or page.content):
            sources.append((page, path, url))
    if not sources:
        raise CorpusError(f"{folder} holds no page: html/NAME.html.gz with ground-truth/NAME.json or hand labels.")
    pages: list[HtmlPage] = MEMORY.cache(_read_all)(sources, code_digest(_CODE))
    return pages


def read_corpora(corpora: Path) -> list[HtmlPage]:
    """All pages to train on whose HTML lies below a folder of corpora, as `training.wcxb.read_corpora` finds them."""
    pages = []
    for folder in sorted((corpora / "labelled-pages").glob("*")):
        home = corpora / ("wcxb-dev" if folder.name == "en" else f"{folder.name}-dev")
        if folder.is_dir() and (home / "html").is_dir():
            pages += read_folder(home, read_pages(folder))
    return pages


def _read_all(sources: list[tuple[Page, Path, str | None]], code: str) -> list[HtmlPage]:
    return list(Parallel(n_jobs=2, batch_size=16)(delayed(_read)(*source) for source in sources))


def _read(page: Page, path: Path, url: str | None) -> HtmlPage:
    source = read_html(path)
    markup = html.read_html(source, url)
    found = verdict(markup)
    lines = lines_of(markup.text)
    labels = project(page.lines, page.labels, lines) if page.labels else [None] * len(lines)
    page = replace(
        page,
        text=markup.text,
        labels=tuple(labels),
        remains={},
        cuts={},
        style=HTML,
        in_content=tuple(align(lines, page.content)) if page.content else (),
    )
    return HtmlPage(page, replace(markup, nodes=[], tree=None), found, path, url)


def html_digest(pages: Sequence[HtmlPage]) -> str:
    """Changes whenever anything of some pages changes that training sees; what they were read from is theirs too."""
    digest = hashlib.sha256()
    for one in pages:
        page, markup = one.page, one.markup
        told = (page.corpus, page.name, page.host, page.labels, page.in_content, page.text, markup.element, one.url)
        digest.update(repr(told).encode("utf-8", "surrogatepass"))
        digest.update(one.verdict.kept.tobytes() + one.verdict.comment.tobytes())
    return digest.hexdigest()
