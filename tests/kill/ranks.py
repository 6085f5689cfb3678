"""A study on several ranks: compare it byte by byte with one of one rank, undisturbed and with ranks that are killed.

    python tests/kill/ranks.py [--ranks 2] [--kills 1] [--seed 0] [--silence 6]

Every rank is a fork of this process, which has everything imported; the forks find each other as those of torchrun do.
"""

import argparse
import math
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path

import torch

import interp.pages.report
from interp.pipeline.run import run
from recmodels.errors import InputError

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
from harness import differences, digests
from tiny import CONFIG, data

LIMIT = 6  # times what one rank takes, or 300 seconds, after which a rank hangs


def main() -> None:
    """Run the comparison; the exit status is 1 if a file differs, a rank hangs, or an error is not of one line."""
    options = argparse.ArgumentParser()
    options.add_argument("--ranks", type=int, default=2)
    options.add_argument("--kills", type=int, default=1)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--silence", type=float, default=6, help="seconds after which a rank is dead")
    asked = options.parse_args()
    torch.set_num_threads(1)
    os.environ["INTERP_RANK_SILENCE"] = str(asked.silence)
    interp.pages.report.read_timings = lambda path: {}
    dataset, home, wrong = data(), Path(tempfile.mkdtemp(prefix="ranks-")), []
    draw = random.Random(asked.seed)
    start = time.perf_counter()
    if study(home / "whole", dataset, 1) != [0]:
        sys.exit(f"the undisturbed run of one rank failed: see {home / 'whole'}")
    seconds, expected = time.perf_counter() - start, digests(home / "whole" / "study")
    limit = max(300, LIMIT * seconds)
    print(f"one rank: {seconds:.1f} s", flush=True)
    for name, kills in (("undisturbed", 0), ("killed", asked.kills)):
        place = home / name
        for _ in range(kills):
            moment = draw.uniform(0.1, 0.6) * seconds
            statuses = study(place, dataset, asked.ranks, limit, draw.randrange(asked.ranks), moment)
            print(f"killed after {moment:.1f} s: {statuses}", flush=True)
            wrong += [f"{place}: a rank hung"] * (None in statuses)
            wrong += [f"{place}: rank {rank} ended with a traceback" for rank, s in enumerate(statuses) if s == 1]
        if any(study(place, dataset, asked.ranks, limit)):
            wrong.append(f"{place}: a rank failed")
            continue
        wrong += [f"{place}: {file}" for file in differences(expected, digests(place / "study"))]
    print(f"{asked.ranks} ranks: {len(wrong)} files differ or runs failed", *wrong, sep="\n  ")
    if wrong:
        sys.exit(1)
    shutil.rmtree(home)


def study(
    place: Path,
    dataset: object,
    ranks: int,
    limit: float = math.inf,
    victim: int | None = None,
    after: float = 0.0,
) -> list[int | None]:
    """Run the study on some ranks, one of which is killed after some seconds; exit statuses, None for a rank that hung.

    0: it finished; 2: a one-line error; 1: any other error; −9: killed.
    """
    place.mkdir(exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = time.perf_counter()
    children = [fork(place, dataset, rank, ranks, port) for rank in range(ranks)]
    statuses: dict[int, int | None] = {}
    while len(statuses) < ranks:
        for rank, child in enumerate(children):
            if rank not in statuses:
                ended, status = os.waitpid(child, os.WNOHANG)
                if ended:
                    statuses[rank] = os.waitstatus_to_exitcode(status)
        if victim is not None and victim not in statuses and time.perf_counter() > start + after:
            os.kill(children[victim], signal.SIGKILL)
        if time.perf_counter() > start + limit:
            for rank, child in enumerate(children):
                if rank not in statuses:
                    os.kill(child, signal.SIGKILL)
                    os.waitpid(child, 0)
                    statuses[rank] = None
        time.sleep(0.01)
    return [statuses[rank] for rank in range(ranks)]


def fork(place: Path, dataset: object, rank: int, ranks: int, port: int) -> int:
    """Run the study in a fork that is one of the ranks."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.chdir(place)
        log = os.open(f"log-{rank}.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.environ |= {"RANK": str(rank), "WORLD_SIZE": str(ranks), "LOCAL_RANK": str(rank)}
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        run(CONFIG, dataset)
        status = 0
    except InputError as error:
        print(error, flush=True)
        status = 2
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
