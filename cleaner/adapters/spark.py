"""Spark: `clean_dataframe(df, "text")` and `learn_profile(df, "text")`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cleaner.adapters import clean_table, job_of, needs
from cleaner.corpus.learn import LEAST, profile_of_rows, sightings_schema, sightings_table
from cleaner.evidence.repeats import PARTS, Profile
from cleaner.records import Label


def clean_dataframe(df: Any, text_col: str = "text", **options: Any) -> Any:
    """A Spark DataFrame with clean text and the columns `cleaner_error` and `cleaner_flag`.

    Every Python worker loads the model once; `cleaner` must be installed on the workers.

    Args:
        df: the DataFrame.
        text_col: the column with the text, or with HTML.
        options: the others of `cleaner.adapters.job_of`.
    """
    from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

    from cleaner.corpus.tables import schema_of

    job = job_of(text_col, **options)

    def clean(batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            yield from clean_table(batch, job).to_batches()

    return df.mapInArrow(clean, from_arrow_schema(schema_of(to_arrow_schema(df.schema), job)))


def learn_profile(df: Any, text_col: str = "text", *, least: int = LEAST, **options: Any) -> Profile:
    """The site profile of a DataFrame: the one that `cleaner learn` makes of the same rows.

    Args:
        df: the DataFrame.
        text_col: the column with the text.
        least: a line that stands in fewer documents of its site is left out.
        options: the others of `cleaner.adapters.job_of`.
    """
    try:
        from pyspark.sql import functions as sql
        from pyspark.sql.pandas.types import from_arrow_schema
    except ModuleNotFoundError:
        raise needs("pyspark", "spark") from None
    job = job_of(text_col, fast=True, **options)

    def count(batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            yield sightings_table(batch, job)

    of_label = [sql.sum((sql.col("label") == k).cast("long")).alias(f"label{k}") for k in range(len(Label))]
    of_part = [sql.sum((sql.col("part") == k).cast("long")).alias(f"part{k}") for k in range(PARTS)]
    of_line = [sql.sum(name).alias(name) for name in ("copies", "score")]
    least_of = [sql.min(name).alias(name) for name in ("text", "name")]
    counted = df.mapInArrow(count, from_arrow_schema(sightings_schema())).groupBy("site", "key")
    counted = counted.agg(sql.count("*").alias("documents"), *of_line, *least_of, *of_label, *of_part)
    return profile_of_rows(counted.where((sql.col("documents") >= least) | sql.col("key").isNull()).collect(), least)
