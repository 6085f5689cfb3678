"""Work that is spread over the processes that torchrun started, on one machine or several: the ranks.

All ranks run the same program. Where it asks for `share`, each takes the next task that nobody has taken; elsewhere all
do the same, or wait for the first. What they make lies in a folder that all of them see; only counters, short notes and
signs of life go through the store of `torch.distributed`. Outside `joined` there is one rank, and nothing is spread.
"""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from recmodels.errors import InputError

VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
_BEAT = 1.0  # seconds between two signs of life
_POLL = 0.02  # seconds between two looks at the store
_START = 600.0  # seconds until all ranks must be there
_SILENCE = "INTERP_RANK_SILENCE"  # the variable with the seconds after which a silent rank counts as dead
Task = TypeVar("Task")
AGAIN = "give the same command again, which goes on where it stopped"


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
            if time.monotonic() - look > _BEAT:
                look = time.monotonic()
                self.check()
            time.sleep(_POLL)

    def check(self) -> None:
        """Refuse to go on without another rank.

        Raises:
            InputError: one has ended with an error, or is silent.
        """
        if self.store.check(["error"]):
            raise OtherRankError(self.store.get("error").decode())
        now, silence = time.monotonic(), float(os.environ.get(_SILENCE, "60"))
        for rank in range(self.size):
            beat = self.store.add(f"alive/{rank}", 0)
            if self.beats.get(rank, (-1, now))[0] != beat:
                self.beats[rank] = beat, now
            elif rank != self.rank and now - self.beats[rank][1] > silence:
                raise InputError(f"rank {rank} gave no sign of life for {silence:g} seconds: {AGAIN}")

    def blame(self, error: BaseException) -> bool:
        """Tell the others why this rank ends; whether it is the first that does."""
        name = f"{type(error).__name__}: " if not isinstance(error, InputError) else ""
        text = f"rank {self.rank} has ended: {name}{error}"
        with suppress(Exception):  # without the store nobody can be told, and this rank speaks for itself
            return self.store.compare_set("error", "", text).decode() == text
        return True


_GROUP: Group | None = None


def _spread() -> Group | None:
    """The group, where work is spread."""
    return None if _GROUP is None or _GROUP.alone else _GROUP


def count() -> int:
    """How many ranks work together here: 1 outside `joined`, and at a task that is one rank's own."""
    group = _spread()
    return 1 if group is None else group.size


def is_first() -> bool:
    """Whether this rank writes what all of them need once; always, at a task that is one rank's own."""
    group = _spread()
    return group is None or group.rank == 0


def prints() -> bool:
    """Whether this rank prints."""
    return _GROUP is None or _GROUP.rank == 0


def barrier() -> None:
    """Wait until all ranks are here.

    Raises:
        InputError: another rank has ended, or is silent.
    """
    gather(None)


def gather(value: Any) -> list[Any]:
    """The JSON value of each rank, in their order, on all of them.

    Raises:
        InputError: another rank has ended, or is silent.
    """
    group = _spread()
    if group is None:
        return [value]
    key = group.key()
    names = [f"{key}/{rank}" for rank in range(group.size)]
    group.store.set(names[group.rank], json.dumps(value))
    group.wait(lambda: group.store.check(names))
    return [json.loads(group.store.get(name)) for name in names]


def agree(different: str, value: str) -> None:
    """Refuse to go on with ranks that differ from the first.

    Args:
        different: what another value means, such as "read other data".
        value: of this rank.

    Raises:
        InputError: one has another value.
    """
    values = gather(value)
    for rank, other in enumerate(values):
        if other != values[0]:
            raise InputError(f"rank {rank} has {different} than rank 0: give all machines the same files and versions")


@contextmanager
def first_before_others() -> Iterator[None]:
    """Run the body on the first rank, then on the others, which have only to load what that has made."""
    if not is_first():
        barrier()
    yield
    if is_first():
        barrier()


def share(tasks: Sequence[Task]) -> Iterator[Task]:
    """Each task on one rank only, in their order; a rank that is done takes the next. At the end, all wait for all.

    Args:
        tasks: the same on all ranks.

    Raises:
        InputError: another rank has ended, or is silent.
    """
    names = share_in_order({str(number): () for number in range(len(tasks))})
    yield from (tasks[int(name)] for name in names)


def share_in_order(needs: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Names of tasks, each on one rank only, and only when the tasks that it needs are done.

    Args:
        needs: the tasks in an order in which one rank could do them, each with those that it needs.

    Raises:
        InputError: another rank has ended, or is silent.
    """
    group = _spread()
    if group is None:
        yield from needs
        return
    key = group.key()
    store, todo, done = group.store, dict(needs), set[str]()

    def next_task() -> str | None:
        for name in list(todo):
            if all(_is_done(need) for need in todo[name]):
                del todo[name]
                if store.add(f"{key}/taken/{name}", 1) == 1:
                    return name
        return None

    def _is_done(name: str) -> bool:
        if name not in done and store.check([f"{key}/done/{name}"]):
            done.add(name)
        return name in done

    while todo:
        names: list[str] = []
        group.wait(lambda names=names: names.extend(filter(None, [next_task()])) or bool(names) or not todo)  # type: ignore[misc]
        for name in names:
            with _alone(group):
                yield name
            store.set(f"{key}/done/{name}", "")
    barrier()


def see(path: Path, seconds: float = 60.0) -> None:
    """Wait until a file that another rank wrote is here: a shared disk may show it later.

    Raises:
        InputError: it does not come, so this machine does not share the disk.
    """
    end = time.monotonic() + seconds
    while not path.exists():
        if time.monotonic() > end:
            raise InputError(
                f"{path}, which another rank wrote, is not here: give all machines the same --out on a shared disk"
            )
        os.listdir(path.parent if path.parent.exists() else ".")
        time.sleep(_POLL)


@contextmanager
def joined() -> Iterator[None]:
    """Be one of the ranks that torchrun started, while the body runs; without torchrun, or once more, change nothing.

    Meanwhile the variables of torchrun are out of the environment, so that no library forms a group of its own.

    Raises:
        InputError: another rank did not come, has ended, or is silent; or this one was asked to stop (SIGTERM).
    """
    global _GROUP
    if _GROUP is not None or int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield
        return
    group = _join()
    variables = {name: os.environ.pop(name) for name in VARIABLES if name in os.environ}
    stop = threading.Event()
    threading.Thread(target=_beat, args=(group, stop), daemon=True).start()
    try:
        _GROUP = group
        with _terminable():
            group.wait(lambda: all(group.store.add(f"alive/{rank}", 0) for rank in range(group.size)))
            yield
            barrier()
            _leave(group, 10)
    except BaseException as error:
        is_own = isinstance(error, OtherRankError) or group.blame(error)
        _leave(group, 3 * _BEAT)
        if is_own:
            raise
        raise OtherRankError(str(error)) from error
    finally:
        _GROUP = None
        stop.set()
        os.environ.update(variables)


def _join() -> Group:
    import torch
    from torch.distributed.rendezvous import rendezvous

    try:
        store, rank, size = next(rendezvous("env://", timeout=timedelta(seconds=_START)))
    except (RuntimeError, ValueError) as error:
        raise InputError(f"the ranks do not find each other ({error}): start them with torchrun") from None
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
    return Group(store, rank, size)


def _leave(group: Group, seconds: float) -> None:
    """The first, whose process may hold the store, goes last: the others read there why a rank has ended."""
    with suppress(Exception):  # the store has gone, and with it whoever could wait
        group.store.add("left", 1)
        end = time.monotonic() + seconds
        while group.rank == 0 and group.store.add("left", 0) < group.size and time.monotonic() < end:
            time.sleep(_POLL)


def _beat(group: Group, stop: threading.Event) -> None:
    with suppress(Exception):  # the store has gone: whoever asks it next says so
        while True:
            group.store.add(f"alive/{group.rank}", 1)
            if stop.wait(_BEAT):
                return


@contextmanager
def _alone(group: Group) -> Iterator[None]:
    group.alone = True
    try:
        yield
    finally:
        group.alone = False


@contextmanager
def _terminable() -> Iterator[None]:
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
