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

from cleaner import Cleaner, Config, DecidedBy, Document
from cleaner.corpus.learn import profile_of
from cleaner.model import store
from cleaner.records import DEFAULT_KEEP, Label
from training.corpora import CORPORA, FULL, Page, read_pages
from training.evaluate import Judges
from training.lines import Settings
from training.wcxb import read_wcxb

_SIZES = (5, 10, 20, 50, 100, 500)
#: Real sites have so many pages or more.
_REAL = (3, 5, 10)
_CONTENT = (Label.BODY, Label.TITLE, Label.BYLINE, Label.CAPTION)
#: A template has so many lines or more; content so many lines of body.
_LEAST_TEMPLATE, _LEAST_BODY = 8, 5
#: The loss of body that the stricter columns allow.
_STRICT = 0.005
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


def real_sites(pages: Sequence[Page], least: int) -> Iterator[list[_Page]]:
    """The hosts with so many pages or more; what WCXB keeps is content, what it leaves out is held to be template."""
    hosts: dict[str, list[Page]] = defaultdict(list)
    for page in pages:
        hosts[page.host].append(page)
    for some in hosts.values():
        if len(some) >= least:
            yield [
                _Page(
                    page.text,
                    (None,) * len(page.in_content),
                    tuple(kept is False for kept in page.in_content),
                    tuple(kept is not False for kept in page.in_content),
                )
                for page in some
            ]


class _Tally:
    """Counts of a table's row."""

    def __init__(self) -> None:
        self.template = self.gone = self.gone_with = 0
        self.strict = self.strict_with = 0
        self.profiled = self.profiled_right = self.cost = self.body = 0
        self.gold: list[Label] = []
        self.without: list[Label] = []
        self.with_profile: list[Label] = []

    def add(self, page: _Page, documents: Sequence[Document]) -> None:
        """Count a page: labelled alone, with the profile, and both again where half a percent of the body may go."""
        rows = zip(*(document.lines for document in documents), strict=True)
        for label, template, content, (one, other, strict, strict_with) in zip(
            page.labels, page.template, page.content, rows, strict=True
        ):
            kept, kept_with = one.label in DEFAULT_KEEP, other.label in DEFAULT_KEEP
            if template and not content:
                self.template += 1
                self.gone += not kept
                self.gone_with += not kept_with
                self.strict += strict.label not in DEFAULT_KEEP
                self.strict_with += strict_with.label not in DEFAULT_KEEP
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
    told = [f"{gone / max(tally.template, 1):.1%}" for gone in (tally.gone, tally.gone_with)]
    strict = [f"{gone / max(tally.template, 1):.1%}" for gone in (tally.strict, tally.strict_with)]
    macro = ["-", "-"]
    if tally.gold:
        given = (tally.without, tally.with_profile)
        macro = [f"{f1_score(tally.gold, labels, average='macro'):.3f}" for labels in given]
    cost = f"{tally.cost:,}/{tally.body:,}"
    return (
        f"{name:>12}{tally.template:>10,}{told[0]:>9}{told[1]:>9}{share:>11.1%}{cost:>14}{strict[0]:>10}{strict[1]:>7}"
        f"{macro[0]:>9}{macro[1]:>7}"
    )


def main(
    corpora: Annotated[Path, typer.Option(help="The folder with the pages.")] = CORPORA,
    sites: Annotated[int, typer.Option(min=1, help="Sites of each size in each fold.")] = _SITES,
) -> None:
    """Print what a site profile gives, for sites of several sizes."""
    pages = [page for folder in sorted((corpora / "labelled-pages").glob("*")) for page in read_pages(folder)]
    judges = Judges(corpora, Settings())
    tallies = {size: _Tally() for size in _SIZES}
    for model, held in judges.split(pages):
        for size, tally in tallies.items():
            for site in made_sites(held, size, sites, _SEED + size):
                add_site(model, site, tally)
    typer.echo(_HEAD)
    for size, tally in tallies.items():
        typer.echo(_row(f"{size} pages", tally))
    real = list(judges.split(list(read_wcxb(corpora / "wcxb-dev", styles=(FULL,)))))
    for least in _REAL:
        tally = _Tally()
        for model, held in real:
            for site in real_sites(held, least):
                add_site(model, site, tally)
        typer.echo(_row(f"real, {least}+", tally))


_HEAD = (
    f"{'site':>12}{'template':>10}{'removed':>9}{'profile':>9}{'precision':>11}{'content lost':>14}"
    f"{'at 0.5 %':>10}{'with':>7}{'macro F1':>9}{'with':>7}"
)


def add_site(model: store.Model, site: Sequence[_Page], tally: _Tally) -> None:
    """Learn a site, clean it with and without what was learned, and count."""
    texts = [page.text for page in site]
    profile = profile_of(texts, cleaner=Cleaner(model=model))
    labelled = [
        Cleaner(model=model, config=config, profile=known).label_many(texts)
        for config in (Config(), Config(max_body_loss=_STRICT))
        for known in (None, profile)
    ]
    for page, documents in zip(site, zip(*labelled, strict=True), strict=True):
        tally.add(page, documents)


if __name__ == "__main__":
    typer.run(main)
