"""Text files with a JSON object on each line, as tables: keys are columns, lists stay lists.

Python's own notation, in which some data sets write their lines ({'id': 1, u'title': None}), is read as well; nothing
of it is run. Objects within objects are not read: a column that holds some is left out.
"""

import ast
import json
import warnings
from collections.abc import Callable
from typing import Any

import pandas as pd

from recmodels.advice import OFFICIAL, Advice
from recmodels.columns import Table
from recmodels.datasets.source_files import SourceFile
from recmodels.errors import InputError, one_line
from recmodels.progress import tqdm

DEEP = 100_000  # characters of a line in Python's notation, at most


def read(file: SourceFile, advice: Advice = OFFICIAL) -> Table:
    """The lines as a table; rows are numbered as an editor does, and blank lines passed over.

    Raises:
        InputError: a line is not an object, or not in UTF-8.
    """
    lines = file.table.split(b"\n")
    records, rows, parse = [], [], _parser(lines)
    for row, line in enumerate(tqdm(lines, desc=one_line(file.where), unit="line", delay=1), start=1):
        if not line.strip():
            continue
        try:
            record = parse(line.decode("utf-8"))
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            record = None
        if not isinstance(record, dict):
            raise InputError(f"{file.where}, row {row} is not a JSON object: {advice.on('rows')}")
        records.append({str(key): value for key, value in record.items() if not _is_nested(value)})
        rows.append(row)
    return Table(file.where, pd.DataFrame(records, pd.Index(rows), dtype=object), is_text=False, advice=advice)


def _parser(lines: list[bytes]) -> Callable[[str], Any]:
    """What reads these lines: JSON, or Python's notation if the first line is in it."""
    first = next((line for line in lines if line.strip()), b"")
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return _literal
    return json.loads


def _literal(line: str) -> Any:
    if len(line) > DEEP:
        raise ValueError("too long")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes that Python does not know
        return ast.literal_eval(line.strip())


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(part, dict | list) for part in value))
