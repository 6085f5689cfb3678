"""The dashboard of a large dictionary: what it shows of an opened feature lies in files beside the page."""

from typing import Any

from interp.pages.rendering import json_block

MOST = 2_048  # features that the page itself holds; their details take about 1.5 kB each
SIZE = 128  # features of a file
ALL = None
# The columns that only an opened feature, or the page of an item, shows: lists with a value for each feature.
DETAILS: dict[str, Any] = {
    **dict.fromkeys(
        ("costs", "curves", "alignment", "causal", "histograms", "histories", "lit", "moves", "neighbours")
    ),
    "features": {"sentence": ALL},
    "receipts": {"rows": ALL, "moved": ALL},
    "labels": dict.fromkeys(("precision", "recall", "hard_precision", "lift", "support", "active", "items")),
}


def split(data: dict[str, Any]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The page's data, and the blocks beside it by name.

    Args:
        data: everything (`interp.pages.dashboard.page_data`).

    Returns:
        Of a dictionary of at most `MOST` features the same data, and no blocks. Of a larger one the data with empty
        details and how many features a block has, `shards.size`; each block is JSON of the details of its features.
    """
    n = data["about"]["features"]
    if n <= MOST:
        return data, {}
    details = _only(data, DETAILS)
    blocks = {
        f"features-{start // SIZE}": json_block(_rows(details, slice(start, start + SIZE))).encode()
        for start in range(0, n, SIZE)
    }
    return _without(data, DETAILS) | {"shards": {"size": SIZE}}, blocks


def _only(columns: dict[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    return {name: columns[name] if below is ALL else _only(columns[name], below) for name, below in names.items()}


def _without(columns: dict[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    empty = {
        name: _rows(columns[name], slice(0)) if below is ALL else _without(columns[name], below)
        for name, below in names.items()
    }
    return columns | empty


def _rows(columns: Any, rows: slice) -> Any:
    """These rows of all columns, however deep they lie."""
    return {name: _rows(below, rows) for name, below in columns.items()} if isinstance(columns, dict) else columns[rows]
