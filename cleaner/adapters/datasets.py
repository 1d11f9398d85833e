"""Hugging Face datasets: `dataset.map(DatasetCleaner(), batched=True, num_proc=4)`, streaming too."""

from __future__ import annotations

from typing import Any

from cleaner.adapters import clean_table, job_of
from cleaner.corpus.job import ERROR, FLAG, Job


class DatasetCleaner:
    """Cleans batches of examples; it pickles to its options alone, so that their fingerprint is stable.

    Args:
        options: of `cleaner.adapters.job_of`.
    """

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._job: Job = job_of(**options)

    def __getstate__(self) -> dict[str, Any]:
        return self._options

    def __setstate__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._job = job_of(**options)

    def __call__(self, batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """The columns that change: clean text, what went wrong, and the labels if they were asked for."""
        import pyarrow

        wanted = (self._job.text_key, self._job.url_key, self._job.id_key, self._job.site_key)
        table = pyarrow.table({name: values for name, values in batch.items() if name in wanted})
        clean = clean_table(table, self._job)
        names = [self._job.text_key, ERROR, FLAG, *([self._job.labels_key] if self._job.spans else [])]
        return {name: clean.column(name).to_pylist() for name in names}
