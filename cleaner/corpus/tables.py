"""Rows as Parquet: the columns that a table had, with clean text in one of them, and those that a run adds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from cleaner.corpus.job import ERROR, FLAG, Job, Spans
from cleaner.errors import InputError

#: A row group is written when it holds so many bytes.
_ROW_GROUP = 64_000_000
_METADATA = "metadata"


def schema_of(source: Any, job: Job) -> Any:
    """The schema of the table that is written.

    Args:
        source: the schema of the table that is read, or None for documents from elsewhere.
        job: what was asked for.

    Raises:
        InputError: if the table has a column already that is to be added.
    """
    if source is None:
        fields = [pa.field(name, pa.string()) for name in (job.id_key, job.url_key, job.text_key, _METADATA)]
        metadata = None
    else:
        fields, metadata = [field.with_type(_plain_type(field.type)) for field in source], source.metadata
    added = [pa.field(ERROR, pa.string()), pa.field(FLAG, pa.string())]
    if job.spans is Spans.LINES:
        added.append(pa.field(job.labels_key, _labels_type()))
    for field in added:
        if field.name in [known.name for known in fields]:
            raise InputError(f"it has a column {field.name!r} already, which is to be added.")
    return pa.schema([*fields, *added], metadata=metadata)


def _labels_type() -> Any:
    kinds = {"start": pa.int64(), "end": pa.int64(), "label": pa.string(), "score": pa.float64()}
    return pa.list_(pa.struct(list(kinds.items())))


def _plain_type(kind: Any) -> Any:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def table_of(rows: Sequence[dict[str, Any]], table: Any, job: Job) -> Any:
    """Rows as a record batch of `schema_of`'s schema.

    Args:
        rows: of a group, in order.
        table: the record batch they were read from, whose other columns stay as they are; or None.
        job: what was asked for.
    """
    schema = schema_of(None if table is None else table.schema, job)
    columns = []
    for field in schema:
        if table is None and field.name == _METADATA:
            columns_of_their_own = set(schema.names) - {_METADATA}
            others = [{name: row[name] for name in row if name not in columns_of_their_own} for row in rows]
            values = [json.dumps(other, default=str) if other else None for other in others]
        elif table is not None and field.name in table.schema.names and field.name != job.text_key:
            column = table.column(field.name)
            columns.append(column.dictionary_decode() if pa.types.is_dictionary(column.type) else column)
            continue
        else:
            values = [_fitting(row.get(field.name), field.type) for row in rows]
        columns.append(pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _fitting(value: Any, kind: Any) -> Any:
    if isinstance(value, str):
        data = value.encode("utf-8", "replace")  # Parquet's text is UTF-8 and nothing else
        return data if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) else data.decode()
    return str(value) if value is not None and pa.types.is_string(kind) else value


def as_bytes(batch: Any) -> bytes:
    """A record batch as a message of Arrow's stream format, which can be put one after the other."""
    return bytes(batch.serialize())


def header(schema: Any) -> bytes:
    """What a stream of such messages begins with."""
    return bytes(schema.serialize())


def write_parquet(stream: Path, target: Path, source: Path | None, job: Job) -> None:
    """Turn a stream of record batches into a Parquet file, row group by row group.

    Args:
        stream: the file with the stream.
        target: the file to write.
        source: what the documents were read from: the Parquet file, whose types, metadata and compression are kept; or
            None.
        job: what was asked for.
    """
    compression = "snappy"
    schema = schema_of(None, job)
    if source is not None:
        with source.open("rb") as raw:
            file = parquet.ParquetFile(raw, pre_buffer=False)
            if file.metadata.num_row_groups and file.metadata.num_columns:
                compression = file.metadata.row_group(0).column(0).compression
            known = file.schema_arrow
        plain = schema_of(known, job)
        schema = pa.schema(
            [known.field(field.name) if field.name in known.names else field for field in plain],
            metadata=plain.metadata,
        )
    with parquet.ParquetWriter(target, schema, compression=compression) as writer:
        for table in _row_groups(stream):
            writer.write_table(table.cast(schema))


def _row_groups(stream: Path) -> Iterator[Any]:
    with stream.open("rb") as raw:
        if not raw.peek(1):
            return
        waiting: list[Any] = []
        size = 0
        for batch in pa.ipc.open_stream(raw):
            waiting.append(batch)
            size += batch.nbytes
            if size >= _ROW_GROUP:
                yield pa.Table.from_batches(waiting)
                waiting, size = [], 0
        if waiting:
            yield pa.Table.from_batches(waiting)
