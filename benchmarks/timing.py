"""Times of several ways to do the same work, measured side by side, and the table of a benchmark.

Ways take turns, so that what else the machine does falls on each of them; medians of their repeats are compared. All
benchmarks of this folder return rows of this form, and `table` prints them.
"""

import gc
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

Way = Callable[[], Any]
PACKAGES = ("interp-recsys", "torch", "numpy", "transformers", "nnsight", "dictionary-learning")


@dataclass(frozen=True)
class Taken:
    """What a call that was timed elsewhere, such as in another process, took: wall and processor seconds."""

    seconds: float
    processor: float


@dataclass(frozen=True)
class Row:
    """One way to do a piece of work.

    Attributes:
        work: what is done, such as "training top_k".
        name: which way; "ours" is this project's.
        seconds: wall time of each repeat; empty if this way was not run.
        processor: processor time of each repeat, all threads of this process together.
        ratio: median wall time over that of "ours": how many times as long this way takes; None without "ours".
        processor_ratio: the same of processor time.
        checks: what was compared with ours, and what came out, such as {"largest difference of a weight": 1e-7}.
        ok: whether the results are what they should be; times never make it false.
    """

    work: str
    name: str
    seconds: tuple[float, ...]
    processor: tuple[float, ...]
    ratio: float | None = None
    processor_ratio: float | None = None
    checks: Mapping[str, Any] = field(default_factory=dict)
    ok: bool = True

    @property
    def record(self) -> dict[str, Any]:
        """The row as plain values, for a JSON file."""
        return asdict(self)


def compare(work: str, ways: Mapping[str, Way], repeats: int = 5, warm_up: int = 1) -> list[Row]:
    """Time ways in turns.

    Args:
        work: what they all do.
        ways: name → a call of that way; one of them may be "ours". What returns `Taken` was timed elsewhere.
        repeats: how often each is timed.
        warm_up: how often each is called before, which is not counted.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    processor: dict[str, list[float]] = {name: [] for name in ways}
    for repeat in range(-warm_up, repeats):
        for name, way in ways.items():
            gc.collect()
            wall, cpu = time.perf_counter(), time.process_time()
            result = way()
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            if isinstance(result, Taken):
                wall, cpu = result.seconds, result.processor
            if repeat >= 0:
                seconds[name].append(wall)
                processor[name].append(cpu)
    return with_ratios([Row(work, name, tuple(seconds[name]), tuple(processor[name])) for name in ways])


def with_ratios(rows: Sequence[Row]) -> list[Row]:
    """Rows of one piece of work with the ratios of their medians to those of "ours"."""
    ours = next((row for row in rows if row.name == "ours"), None)
    if ours is None:
        return list(rows)
    wall, processor = statistics.median(ours.seconds), statistics.median(ours.processor)
    return [
        replace(
            row,
            ratio=statistics.median(row.seconds) / wall,
            processor_ratio=statistics.median(row.processor) / processor if processor else None,
        )
        if row.seconds
        else row
        for row in rows
    ]


def left_out(work: str, name: str, reason: str) -> Row:
    """The row of a way that was not run, and why."""
    return Row(work, name, (), (), checks={"not run": reason})


def checked(rows: Sequence[Row], name: str, ok: bool, **checks: Any) -> list[Row]:
    """The same rows, that of `name` with what its results were compared with; spaces of keys are written as _."""
    texts = {key.replace("_", " "): value for key, value in checks.items()}
    return [replace(row, checks={**row.checks, **texts}, ok=row.ok and ok) if row.name == name else row for row in rows]


def machine() -> dict[str, Any]:
    """Where and with what times were measured."""
    import torch

    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "system": platform.platform(),
        "processor": _processor(),
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "threads": torch.get_num_threads(),
        "gpu": gpu,
        "python": platform.python_version(),
        "versions": versions,
    }


def table(rows: Sequence[Row]) -> str:
    """Rows as a table in Markdown: medians, ratios to ours, and what was checked."""
    lines = [
        "| work | way | seconds | processor seconds | × ours | × ours, processor | checks |",
        "|---|---|--:|--:|--:|--:|---|",
    ]
    for row in rows:
        times = [f"{statistics.median(values):.3g}" if values else "" for values in (row.seconds, row.processor)]
        ratios = [f"{ratio:.2f}" if ratio is not None else "" for ratio in (row.ratio, row.processor_ratio)]
        checks = "; ".join(f"{name}: {_text(value)}" for name, value in row.checks.items())
        checks = checks if row.ok else f"**wrong**: {checks}"
        lines.append(f"| {row.work} | {row.name} | {' | '.join([*times, *ratios])} | {checks} |")
    return "\n".join(lines)


def _text(value: Any) -> str:
    return f"{value:.2g}" if isinstance(value, float) else str(value)


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()
