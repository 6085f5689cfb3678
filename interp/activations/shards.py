"""Activations that several ranks collect: each shard is a small store of some histories, and all are copied into one.

A shard holds whole batches, so that the bytes of the store do not depend on the number of ranks.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from interp.activations.activation_store import ActivationStore
from recmodels import artifacts, folders, ranks
from recmodels.sequences import Histories

SHARDS = artifacts.Kind("shards of activations")
_BATCHES = 4  # of a shard


@dataclass(frozen=True)
class Shard:
    """Some of the histories.

    Attributes:
        users: which.
        rows: the first of their rows, and the one after the last.
        folders: where their activations are, by site.
    """

    users: slice
    rows: tuple[int, int]
    folders: dict[str, Path]


def shards_folder(place: Path) -> Path:
    """Where the shards of a store lie until it is whole."""
    return place.with_name(f"{place.name}.shards")


@contextmanager
def shards(
    places: Mapping[str, Path], inputs: Mapping[str, dict[str, Any]], histories: Histories, batch_size: int
) -> Iterator[list[Shard]]:
    """The shards of some stores, the same on all ranks; their folders are there while the body runs.

    Args:
        places: where the stores will be, by site.
        inputs: what each of them follows from, by site.
        histories: all of them.
        batch_size: histories per forward pass.

    Raises:
        InputError: a folder holds something else.
    """
    homes = {site: shards_folder(place) for site, place in places.items()}
    if ranks.is_first():
        for site, home in homes.items():
            folders.work_in(home, str(SHARDS), inputs[site] | {"batch_size": batch_size})
    ranks.barrier()
    size, offsets = _BATCHES * batch_size, histories.offsets
    yield [
        Shard(
            slice(start, start + size),
            (int(offsets[start]), int(offsets[min(start + size, len(histories))])),
            {site: home / str(start) for site, home in homes.items()},
        )
        for start in range(0, len(histories), size)
    ]
    if ranks.is_first():
        for home in homes.values():
            folders.remove(home, str(SHARDS))
    ranks.barrier()


def rows_reader(parts: Sequence[Shard]) -> Callable[[Sequence[str], int, int], dict[str, np.ndarray]]:
    """A function that gives the rows from one to another, float32 [n, d], at each of some sites."""
    opened: dict[Path, ActivationStore] = {}

    def piece(folder: Path) -> np.ndarray:
        if folder not in opened:
            opened[folder] = ActivationStore.load(folder)
        return opened[folder].activations

    def read(sites: Sequence[str], first: int, last: int) -> dict[str, np.ndarray]:
        here = [part for part in parts if part.rows[0] < last and first < part.rows[1]]
        return {
            site: np.concatenate(
                [piece(part.folders[site])[max(first - part.rows[0], 0) : last - part.rows[0]] for part in here]
            )
            for site in sites
        }

    return read
