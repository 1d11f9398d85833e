"""`cleaner` as a step of other frameworks: one import and one line for who uses them.

What the adapters share stands here: what they may be asked for, and the cleaning of a table of rows, which is that of
`cleaner clean` on a file of rows. A row that cannot be cleaned has why in `cleaner_error`, and never fails a job.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from cleaner.config import Config
from cleaner.corpus.files import Kind, library
from cleaner.corpus.groups import Group
from cleaner.corpus.job import Job, OnLoss, Spans, Task
from cleaner.corpus.work import work
from cleaner.errors import MissingExtraError, missing_extra
from cleaner.model import store
from cleaner.records import Label

__all__ = ["clean_table", "job_of", "needs"]

#: Rows are worked on so many at a time.
_ROWS = 256


def job_of(
    text_key: str = "text",
    *,
    url_key: str = "url",
    id_key: str = "id",
    site_key: str | None = None,
    keep: Iterable[Label | str] | None = None,
    drop: Iterable[Label | str] | None = None,
    min_score: float | None = None,
    max_body_loss: float | None = None,
    labels: bool = False,
    labels_key: str = "labels",
    max_loss: float | None = None,
    on_loss: str = OnLoss.FLAG,
    fast: bool = False,
    model: str | Path = store.DEFAULT,
    html_model: str | Path = store.DEFAULT_HTML,
    profile: str | Path | None = None,
    seconds: float = 60.0,
) -> Job:
    """What an adapter is asked to do; the options are those of the command.

    Args:
        text_key: the field with the text, or with HTML.
        url_key, id_key: the fields with its address and its name, if there are such.
        site_key: the field that names its site, for the profile; by default its address does.
        keep, drop, min_score, max_body_loss: as in `cleaner.Config`.
        labels: whether rows get a list of their lines with labels.
        labels_key: the field for it.
        max_loss: flag rows that lose more of their words, from 0 to 1.
        on_loss: "flag", or "keep" to leave them as they are.
        fast: whether HTML is labelled without trafilatura's verdicts.
        model, html_model: names of shipped models, or paths that every worker can reach.
        profile: a site profile, a path that every worker can reach.
        seconds: how long one row may take.

    Raises:
        ConfigError: if the options contradict each other.
    """
    return Job(
        config=Config(keep=keep, drop=drop, min_score=min_score, max_body_loss=max_body_loss),
        model=str(model),
        html_model=str(html_model),
        fast=fast,
        text_key=text_key,
        url_key=url_key,
        id_key=id_key,
        site_key=site_key,
        spans=Spans.LINES if labels else None,
        labels_key=labels_key,
        max_loss=max_loss,
        on_loss=OnLoss(on_loss),
        profile=None if profile is None else str(profile),
        seconds=seconds,
    )


def clean_table(table: Any, job: Job) -> Any:
    """A pyarrow table with clean text, the other columns as they are, and `cleaner_error` and `cleaner_flag`.

    Args:
        table: a pyarrow Table or RecordBatch.
        job: from `job_of`.
    """
    arrow = library("pyarrow", "for tables", "parquet", "pyarrow")
    from cleaner.corpus.tables import schema_of

    whole = arrow.Table.from_batches([table]) if isinstance(table, arrow.RecordBatch) else table
    batches = whole.combine_chunks().to_batches(max_chunksize=_ROWS)
    with threadpool_limits(1):  # the engine says how many cores are used; more threads would take them and gain nothing
        done = [work(Group(None, table=batch), job, Task(Kind.PARQUET.value)).rows for batch in batches]
    return arrow.Table.from_batches(done, schema_of(whole.schema, job))


def needs(library: str, extra: str) -> MissingExtraError:
    """The error for a framework that is not installed."""
    return missing_extra(f"for cleaner.adapters.{extra}", library, extra)
