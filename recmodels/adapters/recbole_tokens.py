"""RecBole's numbering of users and items, made again from the atomic files, as its checkpoints do not hold it.

RecBole reads the tables, filters them, and numbers what is left by first appearance: the interactions first, then the
table of users or items. Number 0 is padding. This module repeats the steps of `recbole.data.dataset.Dataset` that can
change the numbering, under the settings in the checkpoint.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recmodels.errors import InputError, quote

INTERVAL = re.compile(r"\s*([(\[])\s*([^,]+),\s*([^,]+?)\s*([)\]])\s*")


@dataclass(frozen=True)
class Tokens:
    """Ids in the order of RecBole's numbers, from number 1 on.

    Attributes:
        users: text, by number.
        items: text, by number.
    """

    users: np.ndarray
    items: np.ndarray


@dataclass
class Tables:
    """The atomic files as RecBole reads them.

    Attributes:
        parts: "inter", and "user" and "item" where RecBole read them.
        types: of each column, such as "token".
    """

    parts: dict[str, pd.DataFrame]
    types: dict[str, str]


def read_tokens(folder: Path, config: dict[str, Any]) -> Tokens:
    """The users and items of a checkpoint, by number.

    Args:
        folder: where its atomic files are.
        config: its settings.

    Raises:
        InputError: a file is missing or not in the format; or the numbering depends on the order in which RecBole's
            machine sorted rows of the same time.
    """
    fields = {"user": config["USER_ID_FIELD"], "item": config["ITEM_ID_FIELD"]}
    tables = _read(folder, config, fields)
    if config.get("benchmark_filename") is None:
        _drop_missing(tables, fields)
        _drop_duplicates(tables, config, fields)
        _keep_values(tables, config)
        _keep_known(tables, config, fields)
        _keep_counts(tables, config, fields)
    users, items = (_numbered(tables, config, side, field) for side, field in fields.items())
    return Tokens(users, items)


def _read(folder: Path, config: dict[str, Any], fields: dict[str, str]) -> Tables:
    name, types = config["dataset"], dict[str, str]()
    middles = [f".{part}" for part in config.get("benchmark_filename") or ()] or [""]
    # Whoever wrote the checkpoint must not choose files elsewhere.
    odd = next((part for part in (name, *middles) if Path(f"x{part}").name != f"x{part}"), None)
    if odd is not None:
        raise InputError(f"the checkpoint's data set is called {quote(odd)}, which is no name of a file")
    parts = {"inter": pd.concat([_table(folder / f"{name}{m}.inter", "inter", config, types) for m in middles])}
    for side, field in fields.items():
        path, wanted = folder / f"{name}.{side}", config.get("load_col")
        if path.is_file() and (wanted is None or side in wanted):
            parts[side] = _table(path, side, config, types).drop_duplicates(subset=[field])
    return Tables({side: table.reset_index(drop=True) for side, table in parts.items()}, types)


def _table(path: Path, side: str, config: dict[str, Any], types: dict[str, str]) -> pd.DataFrame:
    """An atomic file, by pandas with the options that RecBole gives it: so quotes and "NA" are read as it does."""
    try:
        with path.open(encoding=(config.get("encoding") or "utf-8")) as file:
            heads = file.readline().rstrip("\n").split(config["field_separator"])
        declared = dict(head.split(":") for head in heads)
        wanted = (config.get("load_col") or {}).get(side, "*")
        unwanted = (config.get("unload_col") or {}).get(side, ())
        kept = [column for column in declared if (wanted == "*" or column in wanted) and column not in unwanted]
        types |= {column: declared[column] for column in kept}
        names = {f"{column}:{declared[column]}": column for column in kept}
        table = pd.read_csv(
            path,
            delimiter=config["field_separator"],
            usecols=list(names),
            dtype={name: np.float64 if declared[column] == "float" else str for name, column in names.items()},
            encoding=(config.get("encoding") or "utf-8"),
            engine="python",
        )
    except (OSError, ValueError, pd.errors.ParserError) as error:
        raise InputError(
            f"{path} cannot be read as an atomic file ({error}): give the folder of the files that the checkpoint was "
            f"trained on"
        ) from None
    return table.rename(columns=names)


def _drop_missing(tables: Tables, fields: dict[str, str]) -> None:
    for side, table in tables.parts.items():
        tables.parts[side] = table.dropna(subset=[fields[side]] if side in fields else list(fields.values()))


def _drop_duplicates(tables: Tables, config: dict[str, Any], fields: dict[str, str]) -> None:
    keep, time, table = config.get("rm_dup_inter"), config["TIME_FIELD"], tables.parts["inter"]
    if keep is None:
        return
    if time in table:
        if table[time].duplicated().any():
            raise InputError(
                f"the checkpoint was trained with rm_dup_inter={keep}, and interactions share a time: RecBole's order "
                f"of items then depends on the machine; give the items in its order (dataset.field2id_token) yourself"
            )
        table = table.sort_values(time)
    tables.parts["inter"] = table.drop_duplicates(subset=list(fields.values()), keep=keep)


def _keep_values(tables: Tables, config: dict[str, Any]) -> None:
    for field, wanted in (config.get("val_interval") or {}).items():
        for side, table in tables.parts.items():
            if field in table:
                is_number = tables.types[field] in ("float", "float_seq")
                inside = _within(table[field], _intervals(wanted)) if is_number else table[field].isin(wanted)
                tables.parts[side] = table[inside]


def _keep_known(tables: Tables, config: dict[str, Any], fields: dict[str, str]) -> None:
    if config.get("filter_inter_by_user_or_item") is not True:
        return
    for side, field in fields.items():
        if side in tables.parts:
            inter = tables.parts["inter"]
            tables.parts["inter"] = inter[inter[field].isin(tables.parts[side][field])]


def _keep_counts(tables: Tables, config: dict[str, Any], fields: dict[str, str]) -> None:
    """Drop users and items with too few or too many interactions, again and again until none is left of them."""
    intervals = {side: _intervals(config.get(f"{side}_inter_num_interval")) for side in fields}
    dropped = any(interval for interval in intervals.values())
    while dropped:
        inter = tables.parts["inter"]
        counts = {side: inter[field].value_counts() for side, field in fields.items()}
        dropped, stays = False, pd.Series(True, index=inter.index)
        for side, field in fields.items():
            if not intervals[side]:
                continue
            few = set(counts[side].index[~_within(counts[side], intervals[side])])
            if side in tables.parts:
                ids = tables.parts[side][field]
                few |= set(ids[ids.map(counts[side]).fillna(0) < intervals[side][0][1]])
                tables.parts[side] = tables.parts[side][~ids.isin(few)]
            stays &= ~inter[field].isin(few)
            dropped |= bool(few)
        tables.parts["inter"] = inter[stays]


def _intervals(text: Any) -> list[tuple[str, float, float, str]]:
    """RecBole's text for intervals, such as "[5,inf)" or "(0,1];[3,4)"; None for none."""
    parts = [INTERVAL.fullmatch(part) for part in str(text).split(";")] if text is not None else []
    try:
        return [(part[1], float(part[2]), float(part[3]), part[4]) for part in parts if part is not None]
    except ValueError:
        raise InputError(
            f"the checkpoint filters by {quote(text)}, which is not an interval such as '[5,inf)'"
        ) from None


def _within(numbers: pd.Series, intervals: list[tuple[str, float, float, str]]) -> pd.Series:
    inside = pd.Series(not intervals, index=numbers.index)
    for left, low, high, right in intervals:
        above = numbers >= low if left == "[" else numbers > low
        inside |= above & (numbers <= high if right == "]" else numbers < high)
    return inside


def _numbered(tables: Tables, config: dict[str, Any], side: str, field: str) -> np.ndarray:
    """Ids in the order of their first appearance in all columns that share a numbering."""
    columns = []
    for name in dict.fromkeys([field, *(config.get(f"alias_of_{side}_id") or ())]):
        holders = [table for part, table in tables.parts.items() if name in table and part in ("inter", side)]
        if not holders:
            raise InputError(
                f"the checkpoint numbers {name!r} with its {side}s, and the atomic files lack it: add them"
            )
        columns += [_cells(table[name], tables.types[name], config, name) for table in holders]
    return pd.unique(pd.concat(columns).dropna())


def _cells(column: pd.Series, kind: str, config: dict[str, Any], name: str) -> pd.Series:
    if kind != "token_seq":
        return column
    parts = column.fillna("").str.split(config["seq_separator"]).map(lambda cells: [cell for cell in cells if cell])
    return parts.str[: (config.get("seq_len") or {}).get(name)].explode()
