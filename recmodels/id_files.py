"""Ids of items and users from files, and as a table of interactions writes them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recmodels.errors import InputError
from recmodels.json_files import read_json
from recmodels.paths import as_path

LARGEST = 2**30  # bytes of a JSON file
ADVICE = "write a .json list of ids, a .json of id → number, a .npy, or a .txt of an id a line"


def read_ids(path: Path | str, what: str = "item") -> list[Any]:
    """Ids from a file, in its order.

    Args:
        path: .json, a list of ids, or a mapping from id to number, which is their order; .npy, an array; any other file
            is text, an id a line.
        what: of what they are, for messages.

    Raises:
        InputError: the file cannot be read so, or holds none.
    """
    place = as_path(path)
    if not place.is_file():
        raise InputError(f"there is no file {place} with {what} ids: {ADVICE}")
    try:
        if place.suffix == ".json":
            ids = read_json(place, ADVICE, LARGEST)
        elif place.suffix == ".npy":
            ids = np.load(place, allow_pickle=False).tolist()
        else:
            ids = place.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise InputError(f"{place} holds no {what} ids ({error}): {ADVICE}") from None
    if isinstance(ids, dict) and all(type(number) is int for number in ids.values()):
        ids = sorted(ids, key=ids.__getitem__)
    if not isinstance(ids, list) or not ids:
        raise InputError(f"{place} holds no {what} ids: {ADVICE}")
    return ids


def whole_numbers(ids: Sequence[Any]) -> list[Any]:
    """Ids, as numbers if all of them are whole numbers written as text without leading zeros."""
    ids = list(ids)
    return [int(item) for item in ids] if ids and all(map(_is_whole_text, ids)) else ids


def ids_like(ids: Sequence[Any], table: pd.Index) -> list[Any]:
    """Ids as a table writes them: numbers or text.

    Args:
        ids: of a file or of another program, such as "12".
        table: ids of the data, such as 12.
    """
    ids = list(ids)
    if pd.api.types.is_integer_dtype(table.dtype):
        return [int(item) if _is_whole_text(item) else item for item in ids]
    return [str(item) if isinstance(item, int | np.integer) and not isinstance(item, bool) else item for item in ids]


def _is_whole_text(item: Any) -> bool:
    if not isinstance(item, str):
        return False
    digits = item.removeprefix("-")
    return digits.isascii() and digits.isdigit() and (digits[0] != "0" or item == "0") and len(digits) < 19
