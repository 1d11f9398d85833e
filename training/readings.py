"""Labels of pages of WCXB that came without any: what we read ourselves, as line numbers and no text.

A row of `readings.tsv` holds a page's name, a digest of its full dump and its runs, `first-last:label`, counting
non-empty lines from 1, in order, every line once. Where the digest does not fit, as with another version of the
extractor, the page counts as unread. The pages serve training alone; nothing is measured on these labels.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from cleaner.records import Label
from training.corpora import CorpusError, add_run, lines_of

READINGS = Path(__file__).parent / "readings.tsv"
_DIGITS = 16


def read_labels(name: str, text: str, table: Path = READINGS) -> tuple[Label | None, ...] | None:
    """The label of each non-empty line of a page that we have read, None for a page that we have not.

    Args:
        name: the page's name in WCXB.
        text: its full dump.
        table: of the readings.

    Raises:
        CorpusError: where the runs do not fit the text.
    """
    digest, runs = _rows(table).get(name, ("", ""))
    if digest != digest_of(text):
        return None
    labels: list[Label | None] = []
    for run in runs.split():
        span, _, label = run.partition(":")
        add_run(labels, span, label, f"{table}: page {name}: the run {run}")
    if len(labels) != (count := len(lines_of(text))):
        raise CorpusError(f"{table}: page {name} labels {len(labels)} lines; the text has {count}.")
    return tuple(labels)


def digest_of(text: str) -> str:
    """What tells one text from another in the table."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


@cache
def _rows(table: Path) -> dict[str, tuple[str, str]]:
    rows = (row.split("\t") for row in table.read_text(encoding="utf-8").splitlines() if not row.startswith("#"))
    return {name: (digest, runs) for name, digest, runs in rows}
