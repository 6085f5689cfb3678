"""Kill a study at many moments, give the same command again, and compare what it ends in with an undisturbed run.

    python tests/kill/harness.py [--kills 200] [--seed 0]

Every run is a fork of this process, which has everything imported. It is killed (SIGKILL, which nothing can catch)
after a random time, or by itself just before one of its file operations: a rename, a deletion, an opening. Then the
next fork goes on in the same folder. When a study is finished, all its files are compared byte by byte with those of
the undisturbed run, but for timings.json. (The report is written without its table of times.)
"""

import argparse
import hashlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import torch

import interp.pages.report
from interp.activations import training_loop
from interp.pipeline.run import run

sys.path.insert(0, str(Path(__file__).parents[1]))
from tiny import CONFIG, data

EVENTS = ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "shutil.rmtree")
APART = ("timings.json",)


def main() -> None:
    """Run the harness; the exit status is 1 if a file differs or a run fails."""
    options = argparse.ArgumentParser()
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--seed", type=int, default=0)
    asked = options.parse_args()
    torch.set_num_threads(1)
    training_loop.SAVE_EVERY = 60
    interp.pages.report.read_timings = lambda path: {}
    dataset = data()
    draw, home = random.Random(asked.seed), Path(tempfile.mkdtemp(prefix="kill-"))
    whole = home / "whole"
    started = time.perf_counter()
    if not finished(fork(whole, dataset)):
        sys.exit("the undisturbed run failed")
    seconds = time.perf_counter() - started
    expected, killed, wrong, studies = digests(whole / "study"), Counter(), [], 0
    while killed.total() < asked.kills:
        place, here = home / f"study-{studies}", Counter()
        while True:
            if killed.total() + here.total() < asked.kills:
                status = killed_run(place, dataset, draw, seconds)
            else:
                status = fork(place, dataset)  # enough: the last study goes on undisturbed
            if finished(status):
                break
            if os.WIFEXITED(status):
                wrong.append(f"{place}: a run ended with status {os.WEXITSTATUS(status)}")
                break
            here[stage(place)] += 1
        killed += here
        studies += 1
        if finished(status):
            differing = differences(expected, digests(place / "study"))
            wrong += [f"{place}: {name}" for name in differing]
            took = f"{time.perf_counter() - started:.0f} s"
            print(f"study {studies}: {here.total()} kills, {len(differing)} files differ, {took}", flush=True)
            if not differing:
                shutil.rmtree(place)
    print(f"{killed.total()} kills in {studies} studies; by the last stage that was finished:")
    for name, count in killed.most_common():
        print(f"  {name:<14} {count}")
    print(f"{len(wrong)} files differ or runs failed", *wrong, sep="\n  ")
    if wrong:
        sys.exit(1)
    shutil.rmtree(home)


def killed_run(place: Path, data: object, draw: random.Random, seconds: float) -> int:
    """A run that is killed at a random moment, if it has not ended by then; its wait status."""
    if draw.random() < 0.5:
        return fork(place, data, events=draw.randint(1, 60))
    return fork(place, data, after=draw.uniform(0, seconds / 10))


def fork(place: Path, data: object, events: int | None = None, after: float | None = None) -> int:
    """Run the study in a fork, in `place`; killed after so many file operations, or seconds."""
    place.mkdir(exist_ok=True)
    child = os.fork()
    if child:
        return wait(child, after)
    status = 1
    try:
        os.chdir(place)
        log = os.open("log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        if events is not None:
            kill_at(events)
        run(CONFIG, data)
        status = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(status)


def kill_at(events: int) -> None:
    """Kill this process just before one of its file operations; reading does not count."""
    left = events

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event not in EVENTS or (event == "open" and not writes(arguments)):
            return
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


def writes(arguments: tuple[object, ...]) -> bool:
    flags = arguments[2]
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


def wait(child: int, after: float | None) -> int:
    """Wait for a fork to end, and kill it if that takes longer."""
    end = time.perf_counter() + (after if after is not None else 600)
    while time.perf_counter() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def finished(status: int) -> bool:
    """Whether a run ended by itself, and well."""
    return os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0


def stage(place: Path) -> str:
    """The last stage that the log of a folder names."""
    log = place / "log.txt"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    steps = [line.split()[0] for line in lines if line.startswith("  ") and line.split()]
    return steps[-1] if steps else "start"


def digests(study: Path) -> dict[str, str]:
    """SHA-256 of every file of a study."""
    return {
        path.relative_to(study).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(study.rglob("*"))
        if path.is_file() and path.name not in APART
    }


def differences(expected: dict[str, str], got: dict[str, str]) -> list[str]:
    """Names of files that differ, are missing, or were left."""
    return sorted(name for name in expected.keys() | got.keys() if expected.get(name) != got.get(name))


if __name__ == "__main__":
    main()
