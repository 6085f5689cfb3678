"""Synthetic interactions with known concepts, to test an interpretation against the truth.

Every user has a taste, a Dirichlet draw over concepts. At each step, with probability `drift`, the user's current
concept is drawn again from that taste; the item is drawn by popularity from the concept's items. With probability
`noise` it is drawn from all items instead. No user meets an item twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from recmodels.errors import InputError
from recmodels.interactions import Dataset

NAME = "planted"
# Random numbers are seeded per block of this many users, so that the data do not depend on the size of chunks.
BLOCK_USERS = 1024
# Draws that hit an item the user has met are repeated this often before the slower exact draw.
RETRIES = 6


@dataclass(frozen=True)
class PlantedConfig:
    """What to plant."""

    users: int = 4000
    """Number of users; their ids are 1, 2, … in the order in which they arrive."""
    items: int = 800
    """Number of items; their ids are 1, 2, …"""
    concepts: int = 16
    """Number of concepts."""
    mean_length: float = 60.0
    """Mean number of items per user, at most a quarter of `items`. Lengths follow a gamma distribution of
    shape 4, rounded and kept between 2 and half of `items`."""
    drift: float = 0.1
    """Probability per step that the user's current concept is drawn again from the user's taste."""
    extra_concepts: float = 0.4
    """Mean number of concepts an item has beyond its primary one (0, 1 or 2 of them)."""
    taste: float = 0.5
    """Dirichlet concentration of users' tastes: the smaller, the fewer concepts a user cares about."""
    popularity: float = 0.8
    """Zipf exponent: the item of popularity rank r is drawn in proportion to r ** -popularity."""
    noise: float = 0.05
    """Probability per step of an item that has nothing to do with the taste."""
    seed: int = 0
    """The same seed gives the same data."""

    def __post_init__(self) -> None:
        for name, least in (("users", 1), ("items", 8), ("concepts", 2)):
            if getattr(self, name) < least:
                raise InputError(f"planted data need {name} of at least {least}, not {getattr(self, name)}")
        if self.concepts > self.items:
            raise InputError(f"planted data cannot have {self.concepts} concepts on {self.items} items: add items")
        if not 2 <= self.mean_length <= self.items / 4:
            raise InputError(
                f"planted data need a mean_length from 2 to a quarter of the {self.items} items, "
                f"not {self.mean_length:g}"
            )
        for name, most in (("drift", 1), ("noise", 1), ("extra_concepts", 2)):
            if not 0 <= getattr(self, name) <= most:
                raise InputError(f"planted data need {name} from 0 to {most}, not {getattr(self, name):g}")
        if not (self.taste > 0 and self.popularity >= 0 and self.seed >= 0):
            raise InputError("planted data need taste above 0, and popularity and seed not below 0")


class Chunk(NamedTuple):
    """Rows of some users, ordered by user, then time."""

    user: np.ndarray
    """int64 [row]."""
    item: np.ndarray
    """int64 [row]."""
    time: np.ndarray
    """int64 [row]. A user's last time comes before the next user's first."""
    concept: np.ndarray
    """int16 [row]: the concept (from 0) that the item was drawn for, -1 where it was drawn from all items."""


@dataclass(frozen=True)
class Catalogue:
    """The planted truth about items; row i is item id i + 1."""

    primary: np.ndarray
    """int [item]: every item's primary concept."""
    has_concept: np.ndarray
    """bool [item, concept]: all concepts of every item."""
    weight: np.ndarray
    """float [item]: popularity, summing to 1."""


def catalogue(config: PlantedConfig) -> Catalogue:
    """Concepts and popularity of the items, without drawing any interaction."""
    rng = _generator(config, 0)
    primary = rng.permutation(np.arange(config.items) % config.concepts)
    # The primary concept comes first in every item's random order of concepts.
    order = rng.random((config.items, config.concepts))
    order[np.arange(config.items), primary] = -1.0
    count = 1 + rng.binomial(2, config.extra_concepts / 2, size=config.items)
    has_concept = order.argsort(axis=1).argsort(axis=1) < count[:, None]
    weight = (1.0 + rng.permutation(config.items)) ** -config.popularity
    return Catalogue(primary, has_concept, weight / weight.sum())


def stream(config: PlantedConfig, chunk_users: int = 8 * BLOCK_USERS) -> Iterator[Chunk]:
    """The interactions as arrays, some users at a time, so that any number of rows fits in memory.

    Args:
        config: what to plant.
        chunk_users: users per chunk, rounded up to whole blocks of `BLOCK_USERS`; the data do not change.
    """
    if chunk_users < 1:
        raise InputError(f"chunk_users is {chunk_users}: at least one user must come in a chunk")
    pools = _Pools(catalogue(config))
    blocks = range(-(-config.users // BLOCK_USERS))
    per_chunk = -(-chunk_users // BLOCK_USERS)
    for first in blocks[::per_chunk]:
        chunks = [_block(config, pools, block) for block in blocks[first : first + per_chunk]]
        yield Chunk(*(np.concatenate(column) for column in zip(*chunks, strict=True)))


def load(config: PlantedConfig | None = None) -> Dataset:
    """The planted dataset; items have `title` ("Item 17") and `concepts`, a tuple such as ("concept-03",).

    The primary concept is the first of the tuple.
    """
    config = config or PlantedConfig()
    rows = sum(int(_lengths(config, block).sum()) for block in range(-(-config.users // BLOCK_USERS)))
    columns = {name: np.empty(rows, np.int64) for name in ("user", "item", "time")}
    filled = 0
    for chunk in stream(config):
        for name, column in columns.items():
            column[filled : filled + len(chunk.user)] = getattr(chunk, name)
        filled += len(chunk.user)
    return Dataset(NAME, pd.DataFrame(columns, copy=False), item_table(config), attribute="concepts")


def item_table(config: PlantedConfig) -> pd.DataFrame:
    """The item table of `load`."""
    truth = catalogue(config)
    names = [f"concept-{concept:02d}" for concept in range(config.concepts)]
    concepts = [
        (names[first], *(names[concept] for concept in np.flatnonzero(has) if concept != first))
        for first, has in zip(truth.primary, truth.has_concept, strict=True)
    ]
    ids = np.arange(1, config.items + 1)
    return pd.DataFrame(
        {"title": [f"Item {item}" for item in ids], "concepts": concepts}, index=pd.Index(ids, name="item")
    )


class _Pools:
    """Draws items by popularity from a concept's items, or (pool number `concepts`) from all of them."""

    def __init__(self, truth: Catalogue) -> None:
        pools = np.vstack([truth.has_concept.T, np.ones(len(truth.weight), bool)])
        self.weight = pools * truth.weight
        pool, self.items = np.nonzero(pools)
        self.last = np.searchsorted(pool, np.arange(len(pools)), side="right") - 1
        # One sorted array for all pools: pool p covers the interval from p to p + 1.
        share = np.cumsum(self.weight, axis=1) / self.weight.sum(axis=1, keepdims=True)
        self.cumulative = (share + np.arange(len(pools))[:, None])[pools]

    def draw(self, rng: np.random.Generator, pool: np.ndarray) -> np.ndarray:
        """One item (from 0) per entry of `pool`."""
        place = np.searchsorted(self.cumulative, pool + rng.random(len(pool)), side="right")
        return self.items[np.minimum(place, self.last[pool])]

    def draw_unseen(
        self, rng: np.random.Generator, pool: np.ndarray, history: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Items outside `history` [entry, item], and whether the pool still had one; if not, any new item."""
        weight = self.weight[pool] * ~history
        available = weight.any(axis=1)
        weight[~available] = self.weight[-1] * ~history[~available]
        # The first event of independent exponential waiting times with these rates; a rate of 0 never gives one.
        return (weight / rng.standard_exponential(weight.shape)).argmax(axis=1), available


def _generator(config: PlantedConfig, *key: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(config.seed, spawn_key=key))


def _lengths(config: PlantedConfig, block: int) -> np.ndarray:
    users = min(BLOCK_USERS, config.users - block * BLOCK_USERS)
    length = _generator(config, 1, block).gamma(4.0, config.mean_length / 4.0, size=users)
    return np.clip(np.rint(length), 2, config.items // 2).astype(np.int64)


def _block(config: PlantedConfig, pools: _Pools, block: int) -> Chunk:
    """All rows of one block of users: loops over steps, vectorised over users."""
    rng = _generator(config, 2, block)
    length = _lengths(config, block)
    taste = np.cumsum(rng.dirichlet(np.full(config.concepts, config.taste), size=len(length)), axis=1)
    history = np.zeros((len(length), config.items), bool)
    mood = np.zeros(len(length), np.int64)
    first_row = np.cumsum(length) - length
    item = np.empty(length.sum(), np.int64)
    concept = np.empty(length.sum(), np.int16)

    for step in range(length.max()):
        active = np.flatnonzero(length > step)
        switchers = active[(rng.random(len(active)) < config.drift) | (step == 0)]
        point = rng.random(len(switchers)) * taste[switchers, -1]
        mood[switchers] = (taste[switchers] <= point[:, None]).sum(axis=1)
        pool = np.where(rng.random(len(active)) < config.noise, config.concepts, mood[active])
        items = pools.draw(rng, pool)
        repeats = np.flatnonzero(history[active, items])
        for _ in range(RETRIES):
            items[repeats] = pools.draw(rng, pool[repeats])
            repeats = repeats[history[active[repeats], items[repeats]]]
        items[repeats], available = pools.draw_unseen(rng, pool[repeats], history[active[repeats]])
        pool[repeats[~available]] = config.concepts
        history[active, items] = True
        item[first_row[active] + step] = items + 1
        concept[first_row[active] + step] = np.where(pool == config.concepts, -1, pool)

    user = np.repeat(np.arange(len(length)), length)
    steps = np.arange(len(user)) - first_row[user]
    user += block * BLOCK_USERS
    return Chunk(user + 1, item, user * (config.items // 2) + steps, concept)
