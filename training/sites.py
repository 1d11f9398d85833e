"""What a site profile is worth: `python -m training.sites`.

Sites are made of labelled pages. One page lends its template: all its lines that are not content, where they stand.
Other pages lend their content. All are of one fold, and the model that labels them saw no page of it. Real sites are
the hosts with several pages in WCXB's development split.

For each size of a site: of the template's lines, how many are taken out with and without the profile (recall); of the
lines taken out for being repeated, how many are not content (precision); how many content lines the profile cost that
the model alone kept; how much of the promotional lines is gone where half a percent of the body is lost; and how the
labels fare.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated

import typer
from sklearn.metrics import f1_score

from cleaner import Cleaner, DecidedBy, Document
from cleaner.corpus.learn import profile_of
from cleaner.records import DEFAULT_KEEP, Label
from training.corpora import CORPORA, Page, read_pages
from training.evaluate import Judges
from training.lines import Settings
from training.wcxb import read_wcxb

_SIZES = (5, 10, 20, 50, 100, 500)
_CONTENT = (Label.BODY, Label.TITLE, Label.BYLINE, Label.CAPTION)
#: A template has so many lines or more; content so many lines of body.
_LEAST_TEMPLATE, _LEAST_BODY = 8, 5
#: Sites of each size in each fold.
_SITES = 3
_SEED = 7


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of a site: its lines, the label of each if it is known, whether it is of the template or is content."""

    text: str
    labels: tuple[Label | None, ...]
    template: tuple[bool, ...]
    content: tuple[bool, ...]


def made_sites(pages: Sequence[Page], size: int, count: int, seed: int) -> Iterator[list[_Page]]:
    """Sites of so many pages, made of the pages of one fold."""
    chance = random.Random(seed)
    whole = [page for page in pages if page.labels and None not in page.labels]
    lending = [page for page in whole if sum(label not in _CONTENT for label in page.labels) >= _LEAST_TEMPLATE]
    telling = [page for page in whole if page.labels.count(Label.BODY) >= _LEAST_BODY]
    for template in chance.sample(lending, count):
        others = [page for page in telling if page is not template]
        chance.shuffle(others)  # no page tells twice before all have
        yield [_on(template, page) for page in islice(cycle(others), size)]


def _on(template: Page, page: Page) -> _Page:
    """The content of a page, in place of the template's."""
    mine = list(zip(template.lines, template.labels, strict=True))
    content = [(line, label) for line, label in zip(page.lines, page.labels, strict=True) if label in _CONTENT]
    places = [k for k, (_, label) in enumerate(mine) if label in _CONTENT]
    begin, end = (places[0], places[-1] + 1) if places else (len(mine) // 2, len(mine) // 2)
    inside = [(k, pair) for k, pair in enumerate(mine[begin:end]) if pair[1] not in _CONTENT]
    rows = [(line, label, True) for line, label in mine[:begin]]
    at = 0
    for k, (line, label) in inside:  # what stood within the template's content stands as far into the new one
        upto = k * len(content) // max(end - begin, 1)
        rows += [(text, given, False) for text, given in content[at:upto]]
        rows.append((line, label, True))
        at = upto
    rows += [(text, given, False) for text, given in content[at:]]
    rows += [(line, label, True) for line, label in mine[end:]]
    lines, labels, template_lines = zip(*rows, strict=True)
    body = tuple(label in (Label.BODY, Label.TITLE) for label in labels)
    return _Page("\n".join(lines), labels, template_lines, body)


def real_sites(folder: Path, least: int) -> dict[str, list[Page]]:
    """The hosts with so many pages or more, and their pages."""
    hosts: dict[str, list[Page]] = defaultdict(list)
    for page in read_wcxb(folder):
        hosts[page.host].append(page)
    return {host: pages for host, pages in hosts.items() if len(pages) >= least}


class _Tally:
    """Counts of a table's row."""

    def __init__(self) -> None:
        self.template = self.gone = self.gone_with = 0
        self.profiled = self.profiled_right = self.cost = self.body = 0
        self.gold: list[Label] = []
        self.without: list[Label] = []
        self.with_profile: list[Label] = []

    def add(self, page: _Page, alone: Document, document: Document) -> None:
        """Count a page."""
        for label, template, content, one, other in zip(
            page.labels, page.template, page.content, alone.lines, document.lines, strict=True
        ):
            kept, kept_with = one.label in DEFAULT_KEEP, other.label in DEFAULT_KEEP
            if template and not content:
                self.template += 1
                self.gone += not kept
                self.gone_with += not kept_with
            if other.decided_by is DecidedBy.PROFILE:
                self.profiled += 1
                self.profiled_right += not content
            if content and not template:
                self.body += 1
                self.cost += kept and not kept_with
            if label is not None:
                self.gold.append(label)
                self.without.append(one.label)
                self.with_profile.append(other.label)


def _row(name: str, tally: _Tally) -> str:
    share = tally.profiled_right / tally.profiled if tally.profiled else 1.0
    without, with_profile = (
        f1_score(tally.gold, given, average="macro") for given in (tally.without, tally.with_profile)
    )
    return (
        f"{name:>12}{tally.template:>10,}{tally.gone / max(tally.template, 1):>9.1%}"
        f"{tally.gone_with / max(tally.template, 1):>9.1%}{share:>11.1%}{tally.cost:>6}/{tally.body:<7,}"
        f"{without:>9.3f}{with_profile:>7.3f}"
    )


def main(
    corpora: Annotated[Path, typer.Option(help="The folder with the pages.")] = CORPORA,
    sites: Annotated[int, typer.Option(min=1, help="Sites of each size in each fold.")] = _SITES,
) -> None:
    """Print what a site profile gives, for sites of several sizes."""
    pages = [page for folder in sorted((corpora / "labelled-pages").glob("*")) for page in read_pages(folder)]
    tallies = {size: _Tally() for size in _SIZES}
    for model, held in Judges(corpora, Settings()).split(pages):
        for size, tally in tallies.items():
            for site in made_sites(held, size, sites, _SEED + size):
                add_site(model, site, tally)
    typer.echo(_HEAD)
    for size, tally in tallies.items():
        typer.echo(_row(f"{size} pages", tally))


_HEAD = (
    f"{'site':>12}{'template':>10}{'removed':>9}{'profile':>9}{'precision':>11}{'content lost':>14}"
    f"{'macro F1':>9}{'with':>7}"
)


def add_site(model: object, site: Sequence[_Page], tally: _Tally) -> None:
    """Learn a site, clean it with and without what was learned, and count."""
    alone = Cleaner(model=model)  # type: ignore[arg-type]
    texts = [page.text for page in site]
    profile = profile_of(texts, cleaner=alone)
    knowing = Cleaner(model=model, profile=profile)  # type: ignore[arg-type]
    for page, one, other in zip(site, alone.label_many(texts), knowing.label_many(texts), strict=True):
        tally.add(page, one, other)


if __name__ == "__main__":
    typer.run(main)
