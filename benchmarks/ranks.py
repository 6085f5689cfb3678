"""What two processes of one thread each gain over one process of one thread, on a finished study.

    python -m benchmarks.ranks STUDY [--repeats N]

Copies of the study lose their dictionaries, or their tables, and are completed by one process and by two: dictionaries
with `--processes 2`, tables with torchrun. What the same command takes where nothing is left to do, which is to start
and to check, is subtracted. Both must make the same files. It needs two processors that nothing else uses: the load
when it began is printed.
"""

import argparse
import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

PARTS = {"dictionaries": "dictionaries", "analyses": "tables"}  # what is measured, and the folder that is deleted
TIMES = "timings.json"  # of dictionaries, which differ from run to run
PAGES = ("dashboard.html", "report.html")


def main(words: list[str] | None = None) -> int:
    """Print the table; the exit status is 1 if two processes made other files than one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--complete", type=int, metavar="PROCESSES", help="complete this copy; for itself")
    options = parser.parse_args(words)
    if options.complete:
        complete(options.study, options.complete)
        return 0
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    print("| part | one process, s | two, s | nothing to do: one, s | two, s | two are faster by | same files |")
    print("|---|--:|--:|--:|--:|--:|---|")
    with tempfile.TemporaryDirectory() as name:
        whole = Path(name) / "study"
        shutil.copytree(options.study, whole)
        run(whole, 1, "analyses")  # what other code made is made anew
        same = [compared(whole, part, options.repeats) for part in PARTS]
    return int(not all(same))


def compared(study: Path, part: str, repeats: int) -> bool:
    """Print the row of a part; whether all files are the same."""
    folder = PARTS[part]
    seconds: dict[tuple[int, bool], list[float]] = {}
    files = []
    for _ in range(repeats):
        for processes in (1, 2):
            taken, made = timed(study, folder, processes, part)
            files.append(made)
            for has_work, value in zip((True, False), taken, strict=True):
                seconds.setdefault((processes, has_work), []).append(value)
    one, two, rest_one, rest_two = (
        statistics.median(seconds[key]) for key in ((1, True), (2, True), (1, False), (2, False))
    )
    same = all(made == files[0] for made in files)
    gain = (one - rest_one) / (two - rest_two)
    print(f"| {part} | {one:.1f} | {two:.1f} | {rest_one:.1f} | {rest_two:.1f} | {gain:.2f} | {same} |", flush=True)
    return same


def timed(study: Path, folder: str, processes: int, part: str) -> tuple[tuple[float, float], dict[str, str]]:
    """Seconds to complete a copy without a folder, and once more with nothing to do; and the files of that folder."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "study"
        shutil.copytree(study, copy)
        shutil.rmtree(copy / folder)
        for page in PAGES:
            (copy / page).unlink(missing_ok=True)
        taken = tuple(run(copy, processes, part) for _ in range(2))
        made = {
            str(path.relative_to(copy)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted((copy / folder).rglob("*"))
            if path.is_file() and path.name != TIMES
        }
    return taken, made  # type: ignore[return-value]


def run(copy: Path, processes: int, part: str) -> float:
    """Seconds of one command that completes a copy."""
    command = [sys.executable]
    if processes > 1 and part == "analyses":
        command += ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
        processes = 1
    command += ["-m", "benchmarks.ranks", str(copy), "--complete", str(processes)]
    start = time.perf_counter()
    subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True)
    return time.perf_counter() - start


def complete(copy: Path, processes: int) -> None:
    """Run the study of a folder again: what is finished is only loaded."""
    import torch

    import interp
    from interp.study.record_config import config_of

    torch.set_num_threads(1)
    interp.run(replace(config_of(interp.open(copy)), out=copy, processes=processes))


if __name__ == "__main__":
    sys.exit(main())
