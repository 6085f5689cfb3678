"""The one reader of JSON files that may be damaged or untrusted: each failure is one line with the file's name."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from recmodels.errors import InputError, quote

LARGEST = 64 * 2**20  # bytes of a file that is read
TYPES = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "an object",
    list: "a list",
}


def json_sha256(value: Any) -> str:
    """SHA-256 of a JSON value in canonical form, as a hex string."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def read_json(path: Path, advice: str, largest: int = LARGEST, infinity: bool = False) -> Any:
    """The value of a JSON file.

    Args:
        path: the file.
        advice: what to do if it is missing or damaged; the end of the message.
        largest: bytes of a file that is read.
        infinity: whether NaN, Infinity and -Infinity are read as Python writes them; they are not JSON.

    Raises:
        InputError: the file is missing, cannot be read, is larger, or is not JSON. Whole numbers that are larger than
            any float are not JSON.
    """
    try:
        # One byte more than allowed, so that a file without an end does not fill the memory.
        with path.open("rb") as handle:
            content = handle.read(largest + 1)
        if len(content) > largest:
            raise InputError(f"{path} is larger than {largest:,} bytes: {advice}")
        return json.loads(content.decode("utf-8"), parse_constant=float if infinity else _refuse, parse_int=_whole)
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{path} is missing: {advice}") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): {advice}") from None
    except (ValueError, OverflowError, RecursionError, MemoryError):
        raise InputError(f"{path} is damaged: {advice}") from None


def read_record(path: Path, types: Mapping[str, type], advice: str) -> dict[str, Any]:
    """`read_json` of an object that has at least these keys, each with a value of its type.

    Raises:
        InputError: as `read_json`, or a key is missing or its value is of another type.
    """
    record = read_json(path, advice)
    check_record(record, types, path, advice)
    return record


def check_record(record: Any, types: Mapping[str, type], name: object, advice: str) -> None:
    """Refuse a JSON value that is not an object with these keys, each with a value of its type.

    Raises:
        InputError: it is not an object, a key is missing, or its value is of another type.
    """
    if not isinstance(record, dict):
        raise InputError(f"{name} is damaged, it is not a JSON object: {advice}")
    for key, kind in types.items():
        if key not in record:
            raise InputError(f"{name} is damaged, {quote(key)} is missing: {advice}")
        if not of_type(record[key], kind):
            raise InputError(f"{name} is damaged, {quote(key)} is {quote(record[key])}, not {TYPES[kind]}: {advice}")


def of_type(value: Any, kind: type) -> bool:
    """Whether a JSON value is of a type; true and false are not numbers, and a whole number is also a float."""
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)


def _whole(digits: str) -> int:
    whole = int(digits)
    float(whole)  # an OverflowError here is one nowhere else
    return whole


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
