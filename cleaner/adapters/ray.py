"""Ray Data: `dataset.map_batches(RayCleaner, batch_format="pyarrow", compute=ray.data.ActorPoolStrategy(size=4))`."""

from __future__ import annotations

from typing import Any

from cleaner.adapters import clean_table, job_of


class RayCleaner:
    """Cleans batches of rows; each actor loads the model once.

    Batches may be pyarrow tables, pandas frames or dicts of numpy arrays; what comes out is a pyarrow table.

    Args:
        options: of `cleaner.adapters.job_of`; give them as `fn_constructor_kwargs`.
    """

    def __init__(self, **options: Any) -> None:
        self._job = job_of(**options)

    def __call__(self, batch: Any) -> Any:
        """A batch with clean text."""
        return clean_table(_as_table(batch), self._job)


def _as_table(batch: Any) -> Any:
    import pyarrow

    if isinstance(batch, pyarrow.Table):
        return batch
    if isinstance(batch, dict):
        return pyarrow.table({name: list(values) for name, values in batch.items()})
    return pyarrow.Table.from_pandas(batch, preserve_index=False)
