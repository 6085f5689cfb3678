"""Text files as tables whose cells stay text without blanks around. The first row names the columns, or the caller."""

import csv
import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from recmodels.advice import OFFICIAL, Advice
from recmodels.columns import Table
from recmodels.datasets.batches import coded_frame
from recmodels.datasets.source_files import SourceFile
from recmodels.errors import InputError
from recmodels.plain import of_arrow

BLANKS = re.compile("[ \t]+")
AROUND = re.compile("^[ \t]+|[ \t]+$", re.MULTILINE)
BLOCK = 1 << 25
"""Bytes that are read at a time: a row may not be longer."""


def read(
    file: SourceFile,
    separator: str,
    quoted: bool = False,
    encoding: str = "utf-8",
    advice: Advice = OFFICIAL,
    header: Sequence[str] = (),
    drop_bad: bool = False,
    wanted: Collection[str] | None = None,
) -> Table:
    """A text file as a table; rows are numbered as an editor does.

    Args:
        file: with the column names in its first row, unless `header` has them. Blank lines are passed over.
        separator: one character; a blank stands for any number of blanks.
        quoted: whether `"a ""b"", c"` is one cell, as in CSV files. Rows are then counted by cells, not by lines.
        encoding: of the bytes.
        advice: how error messages end, by what is wrong.
        header: the column names, if the file has none.
        drop_bad: whether rows with more or fewer cells are left out.
        wanted: the columns that are kept, where they are there, as codes or whole numbers (`coded_frame`); by default
            all, as text.

    Raises:
        InputError: the file is empty, in another encoding, or a row has more or fewer cells than the first one.
    """
    data = file.table
    if separator == " " or not data.isascii():
        data = _plain_text(file, data, separator, encoding, advice)
    if not data.strip():
        raise InputError(f"{file.where} is empty: {advice.on('empty')}")
    head = data[: end if (end := data.find(b"\n")) >= 0 else len(data)].decode().removesuffix("\r")
    if not header and not head.strip():
        raise InputError(f"{file.where}, row 1 is blank, and should name the columns: {advice.on('names')}")
    quote = '"' if quoted else False
    try:
        names = list(header) or (next(csv.reader([head], delimiter=separator)) if quoted else head.split(separator))
    except csv.Error as error:
        raise InputError(f"{file.where}, row 1 cannot be read ({error}): {advice.on('names')}") from None
    names = [name.strip() for name in names]
    bad: list[pa.csv.InvalidRow] = []

    def remember(row: pa.csv.InvalidRow) -> str:
        bad.append(row)
        return "skip"

    schema = pa.schema([(f"f{place}", pa.string()) for place in range(len(names))])
    try:
        rows = pa.csv.open_csv(
            pa.BufferReader(data),
            # One thread, or rows have no number.
            pa.csv.ReadOptions(use_threads=False, block_size=min(BLOCK, len(data) + 1), column_names=schema.names),
            pa.csv.ParseOptions(
                delimiter=separator,
                quote_char=quote,
                newlines_in_values=quoted,
                ignore_empty_lines=False,
                invalid_row_handler=remember,
            ),
            pa.csv.ConvertOptions(column_types=schema, strings_can_be_null=False),
        )
        cells = _Cells(rows, not header)
        if wanted is None:
            frame = of_arrow(pa.Table.from_batches(cells, schema)).set_axis(names, axis=1)
        else:
            kept = [place for place, name in enumerate(names) if name in wanted] or list(range(len(names)))
            columns = pa.schema([schema.field(place) for place in kept])
            frame = coded_frame((batch.select(kept) for batch in cells), columns, are_texts=True)
            frame = frame.set_axis([names[place] for place in kept], axis=1)
    except (pa.ArrowException, ValueError, OverflowError) as error:
        raise InputError(f"{file.where} cannot be read as a table ({error}): {advice.on('rows')}") from None
    # A blank line is one empty cell.
    bad = [row for row in bad if row.text.strip()]
    if bad and not drop_bad:
        first_names = ", ".join(names[:4]) + ", …" * (len(names) > 4)
        raise InputError(
            f"{file.where}, row {bad[0].number} has {bad[0].actual_columns} columns split by {separator!r}, "
            f"not {len(names)} ({first_names}): {advice.on('rows')}"
        )
    gone = np.concatenate([np.empty(0, np.int64), *cells.gone])
    frame.index = pd.RangeIndex(1, len(frame) + len(gone) + 1).delete(gone - 1)
    return Table(file.where, frame, advice=advice, dropped=len(bad), every=tuple(names))


class _Cells:
    """The rows of a file in batches, without blanks around cells, the row of names, and rows in which nothing stands.

    Attributes:
        gone: numbers of the rows that were left out so far.
    """

    def __init__(self, rows: pa.csv.CSVStreamingReader, has_names: bool) -> None:
        self.rows = rows
        self.has_names = has_names
        self.gone: list[np.ndarray] = []

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        first = 1
        for batch in self.rows:
            columns = [pc.utf8_trim_whitespace(column) for column in batch.columns]
            empty = [pc.equal(columns[0], "")]
            if pc.any(empty[0]).as_py():
                empty += [pc.equal(column, "") for column in columns[1:]]
            keep = ~np.logical_and.reduce([cells.to_numpy(zero_copy_only=False) for cells in empty])
            if self.has_names and first == 1:
                keep[:1] = False
            self.gone.append(first + np.flatnonzero(~keep))
            first += len(keep)
            yield pa.RecordBatch.from_arrays(columns, batch.schema.names).filter(pa.array(keep))


def _plain_text(file: SourceFile, data: bytes, separator: str, encoding: str, advice: Advice) -> bytes:
    """The bytes of a text in UTF-8 and Unicode's form NFC, where cells are split by one blank if by any.

    Raises:
        InputError: it is in another encoding.
    """
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{file.where}, row {row} is not in {encoding.upper()}: {advice.on('encoding')}") from None
    if separator == " ":
        text = BLANKS.sub(" ", AROUND.sub("", text.replace("\r\n", "\n")))
    return unicodedata.normalize("NFC", text).encode()
