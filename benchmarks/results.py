"""What benchmarks took, kept as numbers (results.json) and as tables (RESULTS.md)."""

import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.timing import Row, machine, table
from recmodels import artifacts

FOLDER = Path(__file__).parent
HEAD = """# How fast it is

Written by `python -m benchmarks` ([how to run and read it](../docs/how-to/benchmarks.md)). The ways of a benchmark take
turns; seconds are medians of wall time and of processor time. "× ours" says how many times as long as ours a way takes:
above 1, ours is faster. The load is the number of processes that wanted a processor when a benchmark ended: where it is
above the number of processors, the machine was shared, wall times are too long, and ratios of processor time say more.
All numbers, each repeat among them, are in `results.json`.
"""


def keep(name: str, rows: Sequence[Row], folder: Path = FOLDER) -> None:
    """Write the rows of one benchmark in place of its last ones, with where and when they were measured."""
    path = folder / "results.json"
    records = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    records[name] = {"machine": machine(), "rows": [row.record for row in rows]}
    artifacts.write_text(path, json.dumps(records, indent=1) + "\n")
    artifacts.write_text(folder / "RESULTS.md", as_text(records))


def as_text(records: dict[str, Any]) -> str:
    """All benchmarks that were kept, as Markdown."""
    parts = [HEAD]
    for name, record in records.items():
        what = (importlib.import_module(f"benchmarks.{name}").__doc__ or "").split("\n", 1)
        parts.append(f"## {name}\n\n{what[0]} {' '.join(what[1].split())}\n")
        parts.append(f"{table([Row(**row) for row in record['rows']])}\n")
        about = dict(record["machine"])
        versions = ", ".join(f"{package} {number}" for package, number in about.pop("versions").items())
        facts = ", ".join(f"{key} {value}" for key, value in about.items() if value is not None)
        parts.append(f"Measured: {facts}. Versions: {versions}.\n")
    return "\n".join(parts)
