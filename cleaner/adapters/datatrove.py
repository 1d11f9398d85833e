"""datatrove: `CleanerStep()` between its readers and writers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import islice
from typing import Any

from threadpoolctl import threadpool_limits

from cleaner.adapters import job_of, needs
from cleaner.corpus.job import ERROR, FLAG
from cleaner.corpus.work import clean_rows

try:
    from datatrove.pipeline.base import PipelineStep
except ModuleNotFoundError:
    raise needs("datatrove", "datatrove") from None

_DOCUMENTS = 256


class CleanerStep(PipelineStep):  # type: ignore[misc]
    """Cleans documents; the ones that are empty then, or cannot be cleaned, go to the exclusion writer.

    Args:
        exclusion_writer: a datatrove writer, or None to drop them.
        options: of `cleaner.adapters.job_of`; the address is that in the document's metadata.
    """

    name = "🧹 cleaner"
    type = "🔻 - FILTER"

    def __init__(self, exclusion_writer: Any = None, **options: Any) -> None:
        super().__init__()
        self.exclusion_writer = exclusion_writer
        self._job = job_of(**options)

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        """Clean a stream of documents; those given are not changed."""
        documents = iter(data)
        writer = self.exclusion_writer
        if writer is not None:
            writer.__enter__()
        try:
            while some := list(islice(documents, _DOCUMENTS)):
                with self.track_time(unit="batch"):
                    rows = [
                        {"id": one.id, "url": one.metadata.get("url"), self._job.text_key: one.text} for one in some
                    ]
                    with threadpool_limits(1):  # as many cores as the executor has tasks
                        cleaned, summary = clean_rows(rows, self._job)
                for label, lines in summary.removed.items():
                    self.stat_update(f"lines_removed_{label}", value=lines)
                for one, row in zip(some, cleaned, strict=True):
                    self.stat_update("total")
                    metadata = {**one.metadata, **{name: row[name] for name in (ERROR, FLAG) if name in row}}
                    done = dataclasses.replace(one, text=row[self._job.text_key], metadata=metadata)
                    if ERROR in row or not done.text.strip():
                        self.stat_update("dropped")
                        if writer is not None:
                            writer.write(dataclasses.replace(one, metadata=metadata), rank)
                        continue
                    self.stat_update("forwarded")
                    self.update_doc_stats(done)
                    yield done
        finally:
            if writer is not None:
                writer.__exit__(None, None, None)
