"""Wall time, processor time and peak memory of each step of a run."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from pathlib import Path

import psutil

from recmodels import artifacts, ranks
from recmodels.console import say
from recmodels.errors import InputError
from recmodels.json_files import check_record, read_record

POLL_SECONDS = 0.05
FIELDS = {"seconds": float, "peak_mb": float}  # of each step
log = logging.getLogger(__name__)


class Stages:
    """Announces the steps of a run and records what each one took, in a JSON file that outlives the run.

    Args:
        path: the record. A step that is skipped keeps the figures of the run that did it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names: set[str] = set()
        self.record = read_timings(path)

    @contextmanager
    def stage(self, name: str, *outputs: Path) -> Iterator[None]:
        """Time the body and watch the process's memory while it runs.

        Args:
            name: what the step is called.
            *outputs: artefact folders that the step makes. If the body leaves all of them as they were, the
                step counts as done earlier and its record is kept. If it leaves some of them as they were, or an
                interrupted run has left something to go on with, the record says `resumed`: part of the work is
                not in its figures.
        """
        self.names.add(name)
        before = _stamps(outputs)
        resumed = any(path.exists() for output in outputs for path in _leftovers(output))
        start, cpu, peak, stop = time.perf_counter(), time.process_time(), _Peak(), threading.Event()
        watcher = threading.Thread(target=peak.watch, args=(stop,), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            stop.set()
            watcher.join()
        unchanged = [was is not None and was == now for was, now in zip(before, _stamps(outputs), strict=True)]
        if outputs and all(unchanged):
            say(f"  {name:<14} already done")
            return
        seconds = time.perf_counter() - start
        self.record[name] = {
            "seconds": round(seconds, 1),
            "cpu_seconds": round(time.process_time() - cpu, 1),
            "peak_mb": round(peak.bytes / 2**20),
            "resumed": resumed or any(unchanged),
        }
        self._show(name)
        if ranks.prints():
            artifacts.write_json(self.path, self.record)

    def merge(self) -> None:
        """Add the steps that other ranks did, and only they know of."""
        if ranks.count() == 1:
            return
        for record in ranks.gather(self.record):
            for name in record.keys() - self.record.keys():
                self.record[name] = record[name]
                self._show(name)
            self.names |= record.keys()

    def _show(self, name: str) -> None:
        say(f"  {name:<14} {self.record[name]['seconds']:6.1f} s   {self.record[name]['peak_mb']:6.0f} MB at the peak")

    def finish(self) -> None:
        """Remove the records of steps that this run did not have."""
        self.record = {name: timing for name, timing in self.record.items() if name in self.names}
        artifacts.write_json(self.path, self.record)


def read_timings(path: Path) -> dict[str, dict[str, float | bool]]:
    """The record of an earlier run by step; empty if there is no record or it is damaged."""
    if not path.exists():
        return {}
    try:
        record = read_record(path, {}, "")
        for step, timing in record.items():
            check_record(timing, FIELDS, step, "")
            if not all(isfinite(timing[name]) for name in FIELDS):
                raise InputError(f"{path} is damaged")
    except InputError:
        log.warning("%s is damaged: what earlier runs took is forgotten", path)
        return {}
    return {
        step: {name: timing[name] for name in (*FIELDS, "cpu_seconds", "resumed") if name in timing}
        for step, timing in record.items()
    }


def _stamps(outputs: tuple[Path, ...]) -> list[int | None]:
    manifests = [folder / artifacts.MANIFEST for folder in outputs]
    return [path.stat().st_mtime_ns if path.is_file() else None for path in manifests]


def _leftovers(output: Path) -> tuple[Path, ...]:
    """The folders in which an interrupted run keeps its progress: see `fit`, `collect` and `train`."""
    return (
        artifacts.partial_folder(output),
        output.with_name(f"{output.name}.checkpoints"),
        output.parent / "checkpoints",
    )


class _Peak:
    """The largest resident size of this process while it was watched."""

    def __init__(self) -> None:
        self.process = psutil.Process()
        self.bytes = self.process.memory_info().rss

    def watch(self, stop: threading.Event) -> None:
        while not stop.wait(POLL_SECONDS):
            self.bytes = max(self.bytes, self.process.memory_info().rss)
