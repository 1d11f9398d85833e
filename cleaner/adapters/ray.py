"""Ray Data: `dataset.map_batches(RayCleaner, batch_format="pyarrow", compute=ray.data.ActorPoolStrategy(size=4))`.

And `learn_profile(dataset, "text")`, which counts on the cluster what `cleaner learn` counts on disk.
"""

from __future__ import annotations

from typing import Any

from cleaner.adapters import clean_table, job_of
from cleaner.corpus.job import Job
from cleaner.corpus.learn import LEAST, profile_of_rows, sightings_table
from cleaner.evidence.repeats import PARTS, Profile
from cleaner.records import Label

#: Lines are added up in so many parts, each of which must fit in a worker's memory.
_BUCKETS = 256


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


def learn_profile(dataset: Any, text_col: str = "text", *, least: int = LEAST, **options: Any) -> Profile:
    """The site profile of a dataset: the one that `cleaner learn` makes of the same rows.

    Args:
        dataset: a Ray dataset.
        text_col: the column with the text, or with HTML.
        least: a line that stands in fewer documents of its site is left out.
        options: the others of `cleaner.adapters.job_of`.
    """
    job = job_of(text_col, fast=True, **options)
    seen = dataset.map_batches(_seen, batch_format="pyarrow", fn_kwargs={"job": job})
    parts = seen.groupby("bucket").map_groups(_counted, batch_format="pyarrow", fn_kwargs={"least": least})
    return profile_of_rows(parts.iter_rows(), least)


def _seen(batch: Any, job: Job) -> Any:
    import pyarrow
    import pyarrow.compute as arrow

    table = pyarrow.Table.from_batches([sightings_table(batch, job)])
    return table.append_column("bucket", arrow.bit_wise_and(arrow.fill_null(table["key"], 0), _BUCKETS - 1))


def _counted(table: Any, least: int) -> Any:
    """One bucket, added up by site and line."""
    import pyarrow
    import pyarrow.compute as arrow

    columns = {name: table[name] for name in ("site", "key", "text", "name", "copies", "score")}
    for name, count in (("label", len(Label)), ("part", PARTS)):
        columns |= {f"{name}{k}": arrow.equal(table[name], k).cast(pyarrow.int64()) for k in range(count)}
    how = {"text": "min", "name": "min"}
    sums = [(name, how.get(name, "sum")) for name in columns if name not in ("site", "key")]
    counted = pyarrow.table(columns).group_by(["site", "key"]).aggregate([([], "count_all"), *sums])
    names = {f"{name}_{function}": name for name, function in sums} | {"count_all": "documents"}
    counted = counted.rename_columns([names.get(name, name) for name in counted.column_names])
    return counted.filter(arrow.or_(arrow.greater_equal(counted["documents"], least), arrow.is_null(counted["key"])))


def _as_table(batch: Any) -> Any:
    import pyarrow

    if isinstance(batch, pyarrow.Table):
        return batch
    if isinstance(batch, dict):
        return pyarrow.table({name: list(values) for name, values in batch.items()})
    return pyarrow.Table.from_pandas(batch, preserve_index=False)
