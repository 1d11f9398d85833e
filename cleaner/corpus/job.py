"""What a run is asked to do with each document, and what becomes of one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from cleaner.config import Config
from cleaner.corpus.sources import InputFormat, Source
from cleaner.model import store
from cleaner.records import Label

#: The fields that a run adds to a row where there is something to say.
ERROR, FLAG = "cleaner_error", "cleaner_flag"
#: So many of the failures are listed in a summary; all are counted, and all are said.
_MOST_LISTED = 1000


class Format(StrEnum):
    """What is made of a document."""

    TEXT = "text"
    JSON = "json"
    LABELS = "labels"


class Spans(StrEnum):
    """How rows tell the labels of lines."""

    LINES = "lines"
    DOLMA = "dolma"


class OnLoss(StrEnum):
    """What happens to a document that would lose more of its words than is allowed."""

    FLAG = "flag"
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to do with each document.

    Attributes:
        config: what to keep.
        model: the folder of the model for text.
        html_model: the folder of the model for HTML.
        input_format: what the files are; AUTO goes by their names and content.
        fast: whether HTML is labelled without trafilatura's verdicts.
        format: clean text, JSON with the clean text, or JSON with the whole text.
        text_key, id_key, url_key: the fields of a row that hold its text, its name and its address.
        spans: how rows tell the labels of lines, or None.
        labels_key: the field for them.
        max_loss: the share of a document's words that may be lost before something happens, or None.
        on_loss: what happens then.
        seconds: how long one document may take, on the clock on the wall.
        profile: the file of the site profile, or None.
        keep_first: whether what a site repeats stays in one of its documents.
        site_key: the field of a row that names its site; by default its address or its folder does.
    """

    config: Config = field(default_factory=Config)
    model: str = store.DEFAULT
    html_model: str = store.DEFAULT_HTML
    input_format: InputFormat = InputFormat.AUTO
    fast: bool = False
    format: Format = Format.TEXT
    text_key: str = "text"
    id_key: str = "id"
    url_key: str = "url"
    spans: Spans | None = None
    labels_key: str = "labels"
    max_loss: float | None = None
    on_loss: OnLoss = OnLoss.FLAG
    seconds: float = 60.0
    profile: str | None = None
    keep_first: bool = False
    site_key: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a document.

    Attributes:
        id: the document's.
        error: why it failed, one sentence, or None.
        lines: how many non-empty lines it has.
        kept: how many of them were kept.
        output: what was made of it, if it is printed.
        notes: what the reader of the result should know.
    """

    id: str
    error: str | None = None
    lines: int = 0
    kept: int = 0
    output: bytes | None = None
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Summary:
    """Counts over a run, or a part of one.

    Attributes:
        documents: how many there were.
        failed: how many of them could not be cleaned, files that could not be read to their end included.
        flagged: how many lost more words than is allowed.
        lines, kept: their non-empty lines, and how many of them were kept.
        words, kept_words: the same of words.
        bytes: the size of their texts.
        removed: how many lines of each label were taken out.
        failures: what failed and why, the first ones.
    """

    documents: int = 0
    failed: int = 0
    flagged: int = 0
    lines: int = 0
    kept: int = 0
    words: int = 0
    kept_words: int = 0
    bytes: int = 0
    removed: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[str, str]] = field(default_factory=list)

    def fail(self, id: str, error: str) -> None:
        """Count a failure."""
        self.failed += 1
        if len(self.failures) < _MOST_LISTED:
            self.failures.append((id, error))

    def add(self, other: Summary) -> None:
        """Count another part."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.removed += other.removed
        self.failures += other.failures[: _MOST_LISTED - len(self.failures)]

    def to_json(self) -> dict[str, Any]:
        """The counts, for a file."""
        return {
            **{name: getattr(self, name) for name in _COUNTS},
            "removed": {label.value: self.removed[label.value] for label in Label if self.removed[label.value]},
            "failures": [{"id": id, "error": error} for id, error in self.failures],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Summary:
        """What `to_json` wrote."""
        failures = [(failure["id"], failure["error"]) for failure in content["failures"]]
        counts = {name: content[name] for name in _COUNTS}
        return cls(**counts, removed=Counter(content["removed"]), failures=failures)


_COUNTS = ("documents", "failed", "flagged", "lines", "kept", "words", "kept_words", "bytes")


@dataclass(frozen=True, slots=True)
class Task:
    """Where the results of a group go.

    Attributes:
        rows: "jsonl" or "parquet", if they become rows; None if each is a file or printed.
        packing: how rows are compressed.
        target: for a document's file, the file for its result; None to print it.
        removed: the same for the file of what was taken out; None writes none.
    """

    rows: str | None
    packing: str = ""
    target: Callable[[Source], Path | None] | None = None
    removed: Callable[[Source], Path | None] | None = None
