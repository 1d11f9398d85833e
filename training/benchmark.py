"""`cleaner` and its peers on the same pages, in one process: `python -m training.benchmark`.

Every tool is given the same text dumps (or the same HTML, for those that need it). Time is the processor's, of one
thread, best of some rounds in which the tools take turns; megabytes are of what the tool was given. What `cleaner`
keeps is judged by models that saw no page of the host; its time is the shipped model's, with compiled loops and without
(where there is no numba, all of it is without). Peers come with the extra `peers`.
"""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import mean
from typing import Annotated, Any

import typer
from threadpoolctl import threadpool_limits

from cleaner import Cleaner, Config, Label, compiled
from training.corpora import CORPORA, FULL, Page, read_pages
from training.evaluate import Judges
from training.html import read_folder
from training.html_report import HtmlJudges, resiliparse_text, trafilatura_text
from training.lines import HTML_SETTINGS, Settings
from training.measures import word_f1, words
from training.wcxb import read_html, read_wcxb

_ROUNDS = 3
#: Processor seconds.
_SLOW = 10.0
_OURS, _OURS_PLAIN, _PLACEHOLDER = "cleaner", "cleaner without numba", "keep everything"
_OURS_HTML, _OURS_FAST = "cleaner on HTML", "cleaner on HTML, --fast"
_TRAFILATURA, _C4 = "trafilatura", "C4's line rules (datatrove)"
_ON_HTML = (_OURS_HTML, _OURS_FAST, _TRAFILATURA)
_CONFIG = Config(keep=[Label.BODY])
#: What RefinedWeb's line-wise corrections drop in short lines (Penedo et al. 2023, arXiv 2306.01116, appendix G.2).
_SHORT_PATTERN = re.compile(r"^(?:sign-in|sign in)\b|\bread more\.{0,3}$|\bitems in cart\b", re.I)
_COUNTER = re.compile(
    r"^\W*\d[\d,.]*\s*(?:likes?|shares?|comments?|retweets?|reposts?|quotes?|bookmarks?|upvotes?)\W*$", re.I
)


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that turns pages into text.

    Attributes:
        name: as the table shows it.
        run: all pages in, their texts out.
        takes_html: whether it is given the HTML rather than the dump.
    """

    name: str
    run: Callable[[Sequence[str]], list[str]]
    takes_html: bool = False


def tools() -> Iterator[Tool]:
    """`cleaner` and every peer that is installed.

    Raises:
        typer.Exit: if the extra is missing.
    """
    ours = Cleaner(config=_CONFIG)
    yield Tool(_OURS, _with_loops(ours.clean_many, True))
    if compiled.at_hand():
        yield Tool(_OURS_PLAIN, _with_loops(ours.clean_many, False))
    for name, fast in ((_OURS_HTML, False), (_OURS_FAST, True)):
        run = _on_pages(Cleaner(config=_CONFIG, fast=fast))
        yield Tool(name, _with_loops(run, True), takes_html=True)
    yield Tool(_PLACEHOLDER, lambda texts: list(texts))
    yield Tool("lines of 10 words and more", lambda texts: [_long_lines(text) for text in texts])
    yield Tool("RefinedWeb's line rules", lambda texts: [_refined_web(text) for text in texts])
    try:
        yield Tool(_C4, _c4())
        yield Tool("jusText, lines as <p>", _on_lines(_justext()))
        yield Tool("boilerpy3 Default, lines as <p>", _on_lines(_boilerpy()))
        yield Tool("jusText", _each(_justext()), takes_html=True)
        yield Tool("boilerpy3 Article", _each(_boilerpy("ArticleExtractor")), takes_html=True)
        yield Tool("resiliparse main content", _each(resiliparse_text), takes_html=True)
        yield Tool(_TRAFILATURA, _each(trafilatura_text), takes_html=True)
    except ModuleNotFoundError as error:
        typer.echo(f'{error.name} is missing; install the peers: pip install "cleaner[train,peers]"', err=True)
        raise typer.Exit(2) from None


def _with_loops(run: Callable[[Sequence[str]], list[str]], wanted: bool) -> Callable[[Sequence[str]], list[str]]:
    def with_loops(texts: Sequence[str]) -> list[str]:
        with compiled.used(wanted):
            return run(texts)

    return with_loops


def _each(one: Callable[[str], str]) -> Callable[[Sequence[str]], list[str]]:
    return lambda texts: [one(text) for text in texts]


def _on_pages(cleaner: Cleaner) -> Callable[[Sequence[str]], list[str]]:
    return lambda pages: cleaner.clean_html_many((page, None) for page in pages)


def _on_lines(one: Callable[[str], str]) -> Callable[[Sequence[str]], list[str]]:
    """Give an HTML extractor a text dump: each line as a paragraph."""

    def wrapped(text: str) -> str:
        return "<html><body>" + "".join(f"<p>{html.escape(line)}</p>\n" for line in text.split("\n")) + "</body></html>"

    return lambda texts: [one(wrapped(text)) for text in texts]


def _long_lines(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if len(line.split()) >= 10)


def _refined_web(text: str) -> str:
    """RefinedWeb's line-wise corrections: capitals, numbers, counters, one word, and short calls to action."""
    kept = []
    for line in text.split("\n"):
        count = len(line.split())
        letters = sum(map(str.isalpha, line))
        if (
            count <= 1
            or (letters and sum(map(str.isupper, line)) > 0.5 * letters)
            or line.replace(" ", "").isnumeric()
            or _COUNTER.match(line)
            or (count <= 10 and _SHORT_PATTERN.search(line))
        ):
            continue
        kept.append(line)
    return "\n".join(kept)


def _c4() -> Callable[[Sequence[str]], list[str]]:
    from datatrove.data import Document
    from datatrove.pipeline.filters.c4_filters import C4QualityFilter

    # document-level drops off: only what it does to lines is compared
    rules = C4QualityFilter(min_num_sentences=-1, filter_lorem_ipsum=False, filter_curly_bracket=False)

    def run(texts: Sequence[str]) -> list[str]:
        result = []
        for text in texts:
            document = Document(text=text, id="")
            rules.filter(document)
            result.append(document.text)
        return result

    return run


def _justext() -> Callable[[str], str]:
    import justext

    stoplist = justext.get_stoplist("English")

    def one(page: str) -> str:
        if not page.strip():
            return ""
        return "\n".join(part.text for part in justext.justext(page, stoplist) if not part.is_boilerplate)

    return one


def _boilerpy(name: str = "DefaultExtractor") -> Callable[[str], str]:
    from boilerpy3 import extractors

    extractor: Any = getattr(extractors, name)(raise_on_failure=False)
    return lambda page: extractor.get_content(page) or ""


@dataclass(frozen=True, slots=True)
class Row:
    """What one tool did."""

    name: str
    takes_html: bool
    f1: float
    f1_articles: float
    speed: float


def timed(
    every: Sequence[Tool], folder: Path, limit: int, every_nth: int, *, patient: bool = False
) -> tuple[list[Page], list[str], dict[str, float], dict[str, list[str]]]:
    """Run tools on pages, several rounds in turn.

    Args:
        every: the tools.
        folder: pages in WCXB's layout.
        limit: so many of them, 0 for all.
        every_nth: every so many-th page alone.
        patient: whether slow tools have as many rounds as the others.

    Returns:
        The pages, their HTML, the processor seconds of each tool's best round, and what it made of each page.
    """
    found_pages = islice(read_wcxb(folder, styles=(FULL,)), 0, None, every_nth)
    pages = list(islice(found_pages, limit or None))
    texts = [page.text for page in pages]
    sources = [read_html(folder / "html" / f"{page.name}.html.gz") for page in pages]
    best: dict[str, float] = {}
    found: dict[str, list[str]] = {}
    with threadpool_limits(1):
        for tool in every:  # what is loaded on first use is not timed
            tool.run((sources if tool.takes_html else texts)[:5])
        for _ in range(_ROUNDS):
            for tool in every:
                given = sources if tool.takes_html else texts
                if not patient and best.get(tool.name, 0.0) > _SLOW:
                    continue  # once is enough to see that it is slow
                before = time.process_time()
                found[tool.name] = tool.run(given)
                spent = time.process_time() - before
                best[tool.name] = min(spent, best.get(tool.name, spent))
    return pages, sources, best, found


def measure(folder: Path, corpora: Path, limit: int, every_nth: int = 1) -> list[Row]:
    """Run every tool on the first `limit` (0 for all) of every `every_nth` page of a folder in WCXB's layout."""
    every = list(tools())
    pages, sources, best, found = timed(every, folder, limit, every_nth)
    texts = [page.text for page in pages]
    gold = [words([page.content or ""]) for page in pages]
    held_out = _held_out(pages, corpora)
    found |= {name: held_out for name in (_OURS, _OURS_PLAIN) if name in found}
    judges = HtmlJudges(corpora, HTML_SETTINGS)
    by_name = {page.page.name: page for page in read_folder(folder, read_pages(corpora / "labelled-pages" / "en"))}
    for name, fast in ((_OURS_HTML, False), (_OURS_FAST, True)):
        cleaned = judges.clean([by_name[page.name] for page in pages], fast=fast)
        found[name] = [cleaned[page.name] for page in pages]
    rows = []
    for tool in every:
        size = _megabytes(sources if tool.takes_html else texts)
        f1 = [word_f1(one, words([text])) for one, text in zip(gold, found[tool.name], strict=True)]
        articles = [score for score, page in zip(f1, pages, strict=True) if page.kind == "article"]
        rows.append(
            Row(tool.name, tool.takes_html, mean(f1), mean(articles or [0.0]), size / max(best[tool.name], 1e-9))
        )
    return rows


def _megabytes(texts: Sequence[str]) -> float:
    return sum(len(text.encode("utf-8", "replace")) for text in texts) / 1e6


def _held_out(pages: Sequence[Page], corpora: Path) -> list[str]:
    texts: dict[str, str] = {}
    for model, held in Judges(corpora, Settings()).split(pages):
        cleaned = Cleaner(config=_CONFIG, model=model).clean_many(page.text for page in held)
        texts.update(zip((page.name for page in held), cleaned, strict=True))
    return [texts[page.name] for page in pages]


def table(rows: Sequence[Row]) -> str:
    """The rows as text."""
    lines = [f"{'tool':34}{'given':>6}{'word F1':>9}{'articles':>10}{'MB/s':>9}"]
    for row in rows:
        speed = "-" if row.name == _PLACEHOLDER else f"{row.speed:.2f}"
        lines.append(
            f"{row.name:34}{'HTML' if row.takes_html else 'text':>6}{row.f1:9.3f}{row.f1_articles:10.3f}{speed:>9}"
        )
    seconds = {row.name: 1 / row.speed for row in rows if row.takes_html}
    return "\n".join(lines) + ("\n" + _ratios(seconds) if _TRAFILATURA in seconds else "")


def _ratios(seconds: Mapping[str, float]) -> str:
    return "\n".join(
        f"{name} takes {seconds[name] / seconds[_TRAFILATURA]:.2f} of the time of {_TRAFILATURA}"
        for name in (_OURS_HTML, _OURS_FAST)
        if name in seconds
    )


def picture(rows: Sequence[Row], path: Path) -> None:
    """Draw accuracy against speed, as SVG: tools given the text, and tools given the HTML."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "cleaner", "svg.fonttype": "none"})  # the same figures, the same file
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4.8))
    for takes_html, marker, colour in ((False, "o", "tab:blue"), (True, "s", "tab:gray")):
        some = [row for row in rows if row.takes_html == takes_html and row.name != _PLACEHOLDER]
        axes.scatter([row.speed for row in some], [row.f1 for row in some], marker=marker, color=colour)
        for row in some:
            weight = "bold" if row.name.startswith(_OURS) else "normal"
            axes.annotate(
                row.name, (row.speed, row.f1), textcoords="offset points", xytext=(6, 4), fontsize=8, weight=weight
            )
    everything = next(row.f1 for row in rows if row.name == _PLACEHOLDER)
    axes.axhline(everything, linestyle=":", color="black", linewidth=0.8)
    axes.annotate(
        "keep everything", (0.99, everything), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=8
    )
    axes.set_xscale("log")
    axes.margins(x=0.1)
    axes.set_xlim(right=axes.get_xlim()[1] * 3)  # names stand to the right of their points
    axes.set_xlabel("MB of input per second on one core (blue: text dumps, gray: HTML)")
    axes.set_ylabel("word F1, mean over pages")
    figure.tight_layout()
    figure.savefig(path, format="svg", metadata={"Date": None})


def main(
    wcxb: Annotated[Path | None, typer.Option(help="A folder in WCXB's layout; by default the corpora's.")] = None,
    corpora: Annotated[Path, typer.Option(help="The folder with the pages to train on.")] = CORPORA,
    limit: Annotated[int, typer.Option(min=0, help="So many pages; 0 for all.")] = 0,
    every: Annotated[int, typer.Option(min=1, help="Every so many-th page alone: kinds stand together.")] = 1,
    speed: Annotated[
        bool,
        typer.Option(
            "--speed", help="Only how long tools take: on text all, on HTML cleaner, trafilatura. Trains no model."
        ),
    ] = False,
    plot: Annotated[Path | None, typer.Option(help="An SVG file for the picture.")] = None,
) -> None:
    """Print accuracy and speed of cleaner and its peers side by side."""
    folder = wcxb or corpora / "wcxb-dev"
    if speed:
        some = [tool for tool in tools() if tool.name in _ON_HTML or not tool.takes_html]
        pages, sources, spent, _ = timed(some, folder, limit, every, patient=True)
        size = _megabytes([page.text for page in pages])
        for tool in some:
            if tool.takes_html:
                typer.echo(f"{tool.name:34}{1000 * spent[tool.name] / len(sources):8.1f} ms a page")
            elif tool.name != _PLACEHOLDER:
                typer.echo(f"{tool.name:34}{size / spent[tool.name]:8.2f} MB/s")
        typer.echo(f"{_OURS} is {spent[_C4] / spent[_OURS]:.2f} times as fast as {_C4}")
        typer.echo(_ratios(spent))
        return
    rows = measure(folder, corpora, limit, every)
    typer.echo(table(rows))
    if plot is not None:
        picture(rows, plot)


if __name__ == "__main__":
    typer.run(main)
