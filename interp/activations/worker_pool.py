"""Work that is spread over processes of this machine: each that is done takes the next job."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context, parent_process
from typing import TypeVar

import torch

from recmodels.errors import InputError

Result = TypeVar("Result")


def in_processes(
    function: Callable[..., Result], calls: Sequence[tuple], processes: int
) -> Iterator[tuple[int, Result]]:
    """Call a function in other processes; yield the number of each call and its result, as they end.

    Processes are started afresh ("spawn"), share the threads of this one, and end with it. The first error ends all.

    Args:
        function: of a module, not of a script.
        calls: the arguments of each call, which are pickled.
        processes: how many at once, at most.

    Raises:
        InputError: a process was killed, or could not be started.
    """
    processes = min(processes, len(calls))
    if not processes:
        return
    threads, others = max(1, torch.get_num_threads() // processes), set(active_children())
    with ProcessPoolExecutor(processes, get_context("spawn"), _prepare, (threads,)) as pool:
        try:
            numbers = {pool.submit(function, *call): number for number, call in enumerate(calls)}
            for future in as_completed(numbers):
                yield numbers[future], future.result()
        except BrokenProcessPool:
            raise InputError(
                "a process was killed, for example for lack of memory, or could not start, as in a script without "
                '`if __name__ == "__main__":`; give the same command again, which resumes, or use fewer processes'
            ) from None
        except BaseException:
            for child in set(active_children()) - others:
                child.terminate()
            raise


def _prepare(threads: int) -> None:
    """What a new process does first."""
    torch.set_num_threads(threads)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the first process, which ends the others
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)
