"""Work that is spread over the processes that torchrun started, on one machine or several: the ranks.

All ranks run the same program. Where it asks for `share`, each takes the next task that nobody has taken; elsewhere all
do the same, or wait for the first. What they make lies in a folder that all of them see; only counters, short notes and
signs of life go through the store of `torch.distributed`. Outside `joined` there is one rank, and nothing is spread.
"""

import json
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from recmodels.errors import InputError
from recmodels.rank_group import (
    AGAIN,
    BEAT,
    POLL,
    VARIABLES,
    Group,
    OtherRankError,
    beat,
    is_loss,
    join,
    leave,
    terminable,
)

Task = TypeVar("Task")
_GROUP: Group | None = None


def together() -> Group | None:
    """The ranks, where they work together; None outside `joined`, and at a task that is one rank's own."""
    return None if _GROUP is None or _GROUP.alone else _GROUP


def count() -> int:
    """How many ranks work together here: 1 outside `joined`, and at a task that is one rank's own."""
    group = together()
    return 1 if group is None else group.size


def is_first() -> bool:
    """Whether this rank writes what all of them need once; always, at a task that is one rank's own."""
    group = together()
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
    group = together()
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


@contextmanager
def alone() -> Iterator[None]:
    """Run the body as a task that is this rank's own, within which nothing is spread."""
    group = together()
    if group is None:
        yield
        return
    group.alone = True
    try:
        yield
    finally:
        group.alone = False


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
    group = together()
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
            with alone():
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
        time.sleep(POLL)


@contextmanager
def joined() -> Iterator[None]:
    """Be one of the ranks that torchrun started, while the body runs; without torchrun, or once more, change nothing.

    Meanwhile the variables of torchrun are out of the environment, so that no library forms a group of its own.

    Raises:
        InputError: another rank did not come, has ended, or is silent; the store cannot be reached, which a process of
            the first machine holds; or this rank was asked to stop (SIGTERM).
    """
    global _GROUP
    if _GROUP is not None or int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield
        return
    group = join()
    variables = {name: os.environ.pop(name) for name in VARIABLES if name in os.environ}
    stop = threading.Event()
    threading.Thread(target=beat, args=(group, stop), daemon=True).start()
    try:
        _GROUP = group
        with terminable():
            group.wait(lambda: all(group.store.add(f"alive/{rank}", 0) for rank in range(group.size)))
            yield
            barrier()
            leave(group, 10)
    except BaseException as error:
        if is_loss(error):
            raise InputError(
                f"the process that keeps the ranks' counters has ended, or cannot be reached: {AGAIN}"
            ) from None
        is_own = isinstance(error, OtherRankError) or group.blame(error)
        leave(group, 3 * BEAT)
        if is_own:
            raise
        raise OtherRankError(str(error)) from error
    finally:
        _GROUP = None
        stop.set()
        os.environ.update(variables)
