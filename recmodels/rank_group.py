"""The ranks of a run as one of them sees them: how they find each other, and know that the others live."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NoReturn

from recmodels.errors import InputError

VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
AGAIN = "give the same command again, which goes on where it stopped"
POLL = 0.02  # seconds between two looks at the store
BEAT = 1.0  # seconds between two signs of life
_START = 600.0  # seconds until all ranks must be there


def silence() -> float:
    """Seconds after which a silent rank counts as dead."""
    return float(os.environ.get("INTERP_RANK_SILENCE", "60"))


class OtherRankError(InputError):
    """The work ends because of another rank, which says why."""


@dataclass
class Group:
    """The ranks of this run, as one of them sees them.

    Attributes:
        store: a `torch.distributed.Store`.
        rank: of this process.
        size: number of ranks.
        alone: whether this rank is at a task of its own, within which nothing is spread.
        calls: how often all of them have met; each meeting has keys of its own.
        beats: the last sign of life of each other rank, and when it came.
    """

    store: Any
    rank: int
    size: int
    alone: bool = False
    calls: int = 0
    beats: dict[int, tuple[int, float]] = field(default_factory=dict)

    def key(self) -> str:
        """A key that this call has on all ranks, and no other call."""
        self.calls += 1
        return f"call/{self.calls}"

    def wait(self, ready: Callable[[], bool]) -> None:
        """Wait until something is ready, as long as all other ranks live.

        Raises:
            InputError: one has ended, or is silent.
        """
        look = time.monotonic()
        while not ready():
            if time.monotonic() - look > BEAT:
                look = time.monotonic()
                self.check()
            time.sleep(POLL)

    def check(self) -> None:
        """Refuse to go on without another rank.

        Raises:
            InputError: one has ended with an error, or is silent.
        """
        if self.store.check(["error"]):
            raise OtherRankError(self.store.get("error").decode())
        now, limit = time.monotonic(), silence()
        for rank in range(self.size):
            beat = self.store.add(f"alive/{rank}", 0)
            if self.beats.get(rank, (-1, now))[0] != beat:
                self.beats[rank] = beat, now
            elif rank != self.rank and now - self.beats[rank][1] > limit:
                raise InputError(f"rank {rank} gave no sign of life for {limit:g} seconds: {AGAIN}")

    def refuse(self) -> NoReturn:
        """Say why a connection to another rank was lost: what that rank says, if it does so in time.

        Raises:
            InputError: always.
        """
        end = time.monotonic() + 3 * BEAT
        while time.monotonic() < end:
            self.check()
            time.sleep(POLL)
        raise InputError(f"another rank has ended without a word: {AGAIN}")

    def blame(self, error: BaseException) -> bool:
        """Tell the others why this rank ends; whether it is the first that does."""
        name = f"{type(error).__name__}: " if not isinstance(error, InputError) else ""
        text = f"rank {self.rank} has ended: {name}{error}"
        with suppress(Exception):  # without the store nobody can be told, and this rank speaks for itself
            return self.store.compare_set("error", "", text).decode() == text
        return True


def join() -> Group:
    """Find the other ranks, as the variables of torchrun say.

    Raises:
        InputError: they are not there.
    """
    import torch
    from torch.distributed.rendezvous import rendezvous

    try:
        store, rank, size = next(rendezvous("env://", timeout=timedelta(seconds=_START)))
    except (RuntimeError, ValueError) as error:
        raise InputError(f"the ranks do not find each other ({error}): start them with torchrun") from None
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
    return Group(store, rank, size)


def is_loss(error: BaseException) -> bool:
    """Whether an error means that the store has gone."""
    from torch.distributed import DistError

    return isinstance(error, DistError)


def leave(group: Group, seconds: float) -> None:
    """The first, whose process may hold the store, goes last: the others read there why a rank has ended."""
    with suppress(Exception):  # the store has gone, and with it whoever could wait
        group.store.add("left", 1)
        end = time.monotonic() + seconds
        while group.rank == 0 and group.store.add("left", 0) < group.size and time.monotonic() < end:
            time.sleep(POLL)


def beat(group: Group, stop: threading.Event) -> None:
    """Give signs of life until `stop` is set."""
    with suppress(Exception):  # the store has gone: whoever asks it next says so
        while True:
            group.store.add(f"alive/{group.rank}", 1)
            if stop.wait(BEAT):
                return


@contextmanager
def terminable() -> Iterator[None]:
    """Turn SIGTERM, which torchrun sends to the others when a rank has ended, into an error of one line."""

    def stop(*_: Any) -> None:
        raise InputError(f"a rank was asked to stop, as torchrun does when another has ended: {AGAIN}")

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
