"""Text files as tables whose cells stay text without blanks around. The first row names the columns, or the caller."""

import csv
import re
import unicodedata
from collections.abc import Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from recmodels.columns import Table
from recmodels.datasets.source_files import SourceFile
from recmodels.errors import InputError

BLANKS = re.compile("[ \t]+")
AROUND = re.compile("^[ \t]+|[ \t]+$", re.MULTILINE)


def read(
    file: SourceFile,
    separator: str,
    quoted: bool = False,
    encoding: str = "utf-8",
    advice: str = Table.advice,
    header: Sequence[str] = (),
    drop_bad: bool = False,
) -> Table:
    """A text file as a table; rows are numbered as an editor does.

    Args:
        file: with the column names in its first row, unless `header` has them. Blank lines are passed over.
        separator: one character; a blank stands for any number of blanks.
        quoted: whether `"a ""b"", c"` is one cell, as in CSV files. Rows are then counted by cells, not by lines.
        encoding: of the bytes.
        advice: how error messages end.
        header: the column names, if the file has none.
        drop_bad: whether rows with more or fewer cells are left out.

    Raises:
        InputError: the file is empty, in another encoding, or a row has more or fewer cells than the first one.
    """
    try:
        text = file.table.decode(encoding)
    except UnicodeDecodeError as error:
        row = file.table.count(b"\n", 0, error.start) + 1
        raise InputError(f"{file.where}, row {row} is not in {encoding.upper()}: {advice}") from None
    if separator == " ":
        text = BLANKS.sub(" ", AROUND.sub("", text.replace("\r\n", "\n")))
    head = text.partition("\n")[0].removesuffix("\r")
    if not header and not head.strip():
        raise InputError(f"{file.where}, row 1 is blank, and should name the columns: {advice}")
    quote = '"' if quoted else False
    try:
        names = list(header) or (next(csv.reader([head], delimiter=separator)) if quoted else head.split(separator))
    except csv.Error as error:
        raise InputError(f"{file.where}, row 1 cannot be read ({error}): {advice}") from None
    names = [name.strip() for name in names]
    data = unicodedata.normalize("NFC", text).encode()
    bad: list[pa.csv.InvalidRow] = []

    def remember(row: pa.csv.InvalidRow) -> str:
        bad.append(row)
        return "skip"

    generated = [f"f{place}" for place in range(len(names))]
    try:
        cells = pa.csv.read_csv(
            pa.BufferReader(data),
            # One block, as a quoted cell must not lie across two; one thread, or rows have no number.
            pa.csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=generated),
            pa.csv.ParseOptions(
                delimiter=separator,
                quote_char=quote,
                newlines_in_values=quoted,
                ignore_empty_lines=False,
                invalid_row_handler=remember,
            ),
            pa.csv.ConvertOptions(column_types=dict.fromkeys(generated, pa.string()), strings_can_be_null=False),
        )
    except (pa.ArrowException, ValueError, OverflowError) as error:
        raise InputError(f"{file.where} cannot be read as a table ({error}): {advice}") from None
    # A blank line is one empty cell.
    bad = [row for row in bad if row.text.strip()]
    if bad and not drop_bad:
        first_names = ", ".join(names[:4]) + ", …" * (len(names) > 4)
        raise InputError(
            f"{file.where}, row {bad[0].number} has {bad[0].actual_columns} columns split by {separator!r}, "
            f"not {len(names)} ({first_names}): {advice}"
        )
    cells = pa.table([pc.utf8_trim_whitespace(column) for column in cells.columns], generated)
    frame = cells.to_pandas().set_axis(names, axis=1).set_axis(pd.RangeIndex(1, len(cells) + 1))
    frame = frame if header else frame.iloc[1:]
    first = frame.iloc[:, 0]
    if (first == "").any():
        frame = frame[(frame != "").any(axis=1)]
    return Table(file.where, frame, advice=advice, dropped=len(bad))
