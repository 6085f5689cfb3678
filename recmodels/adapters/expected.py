"""Expected scores: what the program that trained a model gives for some histories, by the user's own item ids.

Record them with that program's own prediction call, outside the adapter. A file of them is JSON,

    [{"history": [1193, 661, 914], "items": [3408, 2355], "scores": [4.2, -1.3]}]

where "history" has item ids, oldest first, and "items" has each once; "user" has the user's id and "columns" further
columns of the steps, such as {"time": [978300760, 978302109, 978301968]}, where the model reads them. Or it is CSV with
the columns history (item ids with blanks between them), item and score, and user where the model scores by user.

An item of the history may have the score -inf (-Infinity in JSON), as where a program masks what a user has seen: it is
not compared. Any other item is left out instead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recmodels.errors import InputError, quote
from recmodels.json_files import check_record, read_json
from recmodels.lists import elements
from recmodels.paths import as_path
from recmodels.sequences import Histories, as_histories, histories_of
from recmodels.vocabulary import Vocabulary
from recmodels.wording import counted

LARGEST = 2**30  # bytes of a JSON file
FORM = "give a mapping from histories, tuples of item ids, to scores by item id"
ADVICE = 'write it as [{"history": [item ids], "items": [item ids], "scores": [numbers]}, …]'


@dataclass(frozen=True)
class ExpectedScores:
    """What another program gives for one history.

    Attributes:
        history: item ids, oldest first.
        scores: item id → score, for some or all items.
        user: the user's id, where the model scores by user.
        columns: further columns that the model reads, such as "time": name → a number for each item of the history.
    """

    history: Sequence[Any]
    scores: Mapping[Any, Any]
    user: Any = None
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)


def expected_scores(expected: Any, vocabulary: Vocabulary) -> list[ExpectedScores]:
    """Expected scores in any form.

    Args:
        expected: a mapping from histories (tuples of item ids) to scores by item id, or from users where the model
            scores by user and reads no items; a table with a row per history and a column per item; a list of
            `ExpectedScores`; or a file (`read_expected`).
        vocabulary: items and users of the recommender.

    Raises:
        InputError: it has another form, or nothing in it.
    """
    if isinstance(expected, str | Path):
        return [_with_ids_of(vocabulary, record) for record in read_expected(expected)]
    if isinstance(expected, pd.DataFrame):
        expected = {history: row for history, row in expected.iterrows()}
    if isinstance(expected, Mapping) and expected:
        by_user = vocabulary.users is not None
        any_history = vocabulary.ids[:1].tolist()
        records = [
            ExpectedScores(any_history, scores, key) if by_user else ExpectedScores(key, scores)
            for key, scores in expected.items()
        ]
    elif isinstance(expected, list) and expected and all(isinstance(record, ExpectedScores) for record in expected):
        records = expected
    else:
        raise InputError(f"expected scores are {quote(expected)}: {FORM}")
    for record in records:
        is_history = isinstance(record.history, tuple) or elements(record.history)
        if not is_history or not isinstance(record.scores, Mapping | pd.Series) or not len(record.scores):
            raise InputError(
                f"the expected scores of {quote(record.history)} cannot be read: give a tuple and scores by item"
            )
        if isinstance(record.scores, pd.Series):
            check_once(record.scores.index.tolist(), f"the history {quote(record.history)}")
    return records


def histories_of_records(records: Sequence[ExpectedScores], vocabulary: Vocabulary) -> Histories:
    """The histories of expected scores.

    Raises:
        InputError: an item or user is unknown, or a user or column is missing that the recommender reads.
    """
    parts = []
    for number, record in enumerate(records):
        items = list(record.history)
        absent = [name for name in vocabulary.columns if name not in record.columns]
        absent += ["user"] if vocabulary.users is not None and record.user is None else []
        if absent:
            raise InputError(
                f"the expected scores of {quote(record.history)} lack the {absent[0]}, which this recommender reads: "
                f"give a list of recmodels.adapters.ExpectedScores with it"
            )
        user = number if record.user is None else record.user
        if vocabulary.columns:
            columns = {"user": [user] * len(items), "item": items, **record.columns}
            if {len(column) for column in columns.values()} != {len(items)}:
                raise InputError(f"the columns of {quote(record.history)} differ in length: give a value for each item")
            parts.append(histories_of(pd.DataFrame(columns), vocabulary, is_ordered=True))
        else:
            parts.append(as_histories({user: items}, vocabulary))
    return Histories.concatenated(parts)


def read_expected(path: Path | str) -> list[ExpectedScores]:
    """Expected scores from a JSON or CSV file; see the top of this module.

    Raises:
        InputError: the file cannot be read so.
    """
    place = as_path(path)
    if place.suffix == ".csv":
        return _read_csv(place)
    content = read_json(place, ADVICE, LARGEST, infinity=True)
    if not isinstance(content, list) or not content:
        raise InputError(f"{place} holds no list of expected scores: {ADVICE}")
    records = []
    for number, entry in enumerate(content):
        name = f"entry {number} of {place}"
        check_record(entry, {"history": list, "items": list, "scores": list}, name, ADVICE)
        if len(entry["items"]) != len(entry["scores"]) or not isinstance(entry.get("columns", {}), dict):
            raise InputError(
                f"{name} has {counted(len(entry['items']), 'item')} and {counted(len(entry['scores']), 'score')}: "
                f"{ADVICE}"
            )
        if any(isinstance(item, list | dict | None) for item in entry["items"] + entry["history"]):
            raise InputError(f"{name} has an item that is not an id: {ADVICE}")
        check_once(entry["items"], name)
        scores = dict(zip(entry["items"], entry["scores"], strict=True))
        records.append(ExpectedScores(entry["history"], scores, entry.get("user"), entry.get("columns", {})))
    return records


def check_once(items: Sequence[Any], name: str) -> None:
    """Refuse an item that has two scores; ids that differ only in type, such as 1 and "1", are one.

    Raises:
        InputError: there is one.
    """
    labels = pd.Index([str(item) for item in items])
    if not labels.is_unique:
        item = items[int(labels.duplicated().argmax())]
        raise InputError(f"{name} has the item {quote(item)} twice: give each item of a history one score")


def _read_csv(path: Path) -> list[ExpectedScores]:
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}): write CSV with the columns history, item, score") from None
    absent = [name for name in ("history", "item", "score") if name not in table]
    if absent or table.empty:
        lacks = f"lacks the column {absent[0]}" if absent else "has no rows"
        raise InputError(f"{path} {lacks}: write CSV with the columns history, item, score")
    keys = ["user", "history"] if "user" in table else ["history"]
    for _, rows in table.groupby(keys, sort=False):
        check_once(rows["item"].tolist(), f"the history {quote(rows['history'].iloc[0])} of {path}")
    return [
        ExpectedScores(
            rows["history"].iloc[0].split(),
            dict(zip(rows["item"], rows["score"], strict=True)),
            rows["user"].iloc[0] if "user" in rows else None,
        )
        for _, rows in table.groupby(keys, sort=False)
    ]


def _with_ids_of(vocabulary: Vocabulary, record: ExpectedScores) -> ExpectedScores:
    """The same with ids as the recommender writes them: a file may hold a number as text, or the reverse."""
    user = record.user
    if vocabulary.users is not None and user is not None:
        (user,) = _like([user], vocabulary.users)
    scores = dict(zip(_like(record.scores, vocabulary.ids), record.scores.values(), strict=True))
    return ExpectedScores(_like(record.history, vocabulary.ids), scores, user, record.columns)


def _like(ids: Any, index: pd.Index) -> list[Any]:
    if index.dtype == np.int64:
        return [int(item) if isinstance(item, str) and item.removeprefix("-").isdecimal() else item for item in ids]
    return [str(item) if isinstance(item, int) and not isinstance(item, bool) else item for item in ids]
