"""Parquet: a file a table. A typed column has a companion `<name>_text`, which holds the stored text wherever the typed
value does not say the same: what is not of the type, and a date without a time of day."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from handover.package.archive import Sink
from handover.package.files import Batches, DataFile, Written
from handover.package.schema import Column, Kind, Row, Table
from handover.package.values import is_number, moment_of

_GROUP = 25_000  # rows of a row group: what is in memory at once
_DECIMAL = pa.decimal128(18, 4)
_FITS = re.compile(r"-?[0-9]{1,14}(?:\.[0-9]{1,4})?")
_TYPES = {
    Kind.TEXT: pa.string(),
    Kind.INTEGER: pa.int32(),
    Kind.DECIMAL: _DECIMAL,
    Kind.MOMENT: pa.timestamp("ms"),
    Kind.BOOLEAN: pa.bool_(),
}
_TYPED = (Kind.DECIMAL, Kind.MOMENT)


def files(tables: Sequence[Table], batches: Batches) -> Iterator[DataFile]:
    for table in tables:
        written = Written(table)
        yield DataFile(f"{table.name}.parquet", _parts(table, batches, written), [written], compressed=True)


def _parts(table: Table, batches: Batches, written: Written) -> Iterator[bytes]:
    sink, schema = Sink(), _schema(table)
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
        for rows in _groups(table, batches):
            written.rows += len(rows)
            columns = _columns(table, rows, written)
            writer.write_table(pa.table(columns, schema=schema), row_group_size=_GROUP)
            yield sink.take()
    yield sink.take()


def _groups(table: Table, batches: Batches) -> Iterator[list[Row]]:
    waiting: list[Row] = []
    for records in batches([table.category]):
        waiting += table.rows(records)
        while len(waiting) >= _GROUP:
            yield waiting[:_GROUP]
            del waiting[:_GROUP]
    if waiting:
        yield waiting


def _schema(table: Table) -> Any:
    fields = []
    for name, kind in table.columns:
        fields.append((name, _TYPES[kind]))
        if kind in _TYPED:
            fields.append((f"{name}_text", pa.string()))
    return pa.schema(fields)


def _columns(table: Table, rows: list[Row], written: Written) -> list[Any]:
    arrays: list[Any] = []
    for column, texts in zip(table.columns, zip(*rows, strict=True), strict=True):
        arrays += _ARRAYS[column.kind](column, texts, written)
    return arrays


def _text(_column: Column, texts: Sequence[str], _written: Written) -> list[Any]:
    return [pa.array([text or None for text in texts], pa.string())]


def _integer(_column: Column, texts: Sequence[str], _written: Written) -> list[Any]:
    return [pa.array([int(text) for text in texts], pa.int32())]


def _boolean(_column: Column, texts: Sequence[str], _written: Written) -> list[Any]:
    return [pa.array([text == "true" for text in texts], pa.bool_())]


def _decimal(column: Column, texts: Sequence[str], written: Written) -> list[Any]:
    fits = [is_number(text) and _FITS.fullmatch(text) is not None for text in texts]
    typed = pa.array([text if good else None for text, good in zip(texts, fits, strict=True)], pa.string())
    rest = [None if good else text or None for text, good in zip(texts, fits, strict=True)]
    written.as_text[column.name] += len(rest) - rest.count(None)
    return [typed.cast(_DECIMAL), pa.array(rest, pa.string())]


def _moments(column: Column, texts: Sequence[str], written: Written) -> list[Any]:
    moments = [moment_of(text) for text in texts]
    written.as_text[column.name] += sum(one is None and text != "" for text, one in zip(texts, moments, strict=True))
    rest = [text if text and not _says(one, text) else None for text, one in zip(texts, moments, strict=True)]
    return [pa.array(moments, _TYPES[Kind.MOMENT]), pa.array(rest, pa.string())]


def _says(moment: datetime | None, text: str) -> bool:
    return moment is not None and moment.isoformat() == text


_ARRAYS: dict[Kind, Callable[[Column, Sequence[str], Written], list[Any]]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.BOOLEAN: _boolean,
    Kind.DECIMAL: _decimal,
    Kind.MOMENT: _moments,
}
