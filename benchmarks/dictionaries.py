"""How fast dictionaries train, beside the trainers of dictionary_learning, and in two processes beside one.

It trains each kind on the same batches from the same start, in turns: ours, and bare `trainer.update` of
dictionary_learning. Weights are compared after 100 steps; as a measure of what rounding alone does, the library is also
compared with itself on the same batches with their rows in reverse, and both are compared in double precision. Single
precision leaves open which of two nearly equal features is kept, and Adam carries that on. Then a grid of 8
dictionaries is trained by one process and by two, a thread each.
"""

import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from dictionary_learning.trainers.batch_top_k import BatchTopKTrainer
from dictionary_learning.trainers.matryoshka_batch_top_k import MatryoshkaBatchTopKTrainer
from dictionary_learning.trainers.top_k import TopKTrainer

from benchmarks.timing import Row, checked, compare
from interp.activations.activation_store import KIND, ActivationStore, describe
from interp.activations.growing_rows import growing_rows
from interp.activations.training import train
from interp.config import SAEConfig
from interp.sae.kinds import arguments
from interp.sae.kinds.matryoshka import GROUP_FRACTIONS
from interp.sae.trainers import build_trainer
from recmodels import artifacts

WIDTH = 64  # of ML-1M's recommender
CONFIG = SAEConfig(n_features=2048, k=16, batch_size=1024, steps=4000)
LIBRARY: Mapping[str, tuple[Any, dict[str, Any]]] = {
    "top_k": (TopKTrainer, {}),
    "batch_top_k": (BatchTopKTrainer, {}),
    "matryoshka": (MatryoshkaBatchTopKTrainer, {"group_fractions": GROUP_FRACTIONS}),
}
LARGEST = 1e-4  # difference of a weight after `STEPS` steps
STEPS = 100
SEEDS = 5  # starts from which weights are compared after `STEPS` steps


def rows(small: bool = False, repeats: int = 5) -> list[Row]:
    """All rows: of each kind, and of the grid."""
    torch.set_num_threads(1)
    config = replace(CONFIG, n_features=256, batch_size=256) if small else CONFIG
    starts = 1 if small else SEEDS
    result = [row for kind in LIBRARY for row in training(replace(config, trainer=kind), repeats, starts)]
    return result + grid(small)


def training(config: SAEConfig, repeats: int, starts: int) -> list[Row]:
    """Ten steps of one kind, ours and the library's, and what weights differ by after 100 from several starts."""
    ours, theirs = build_trainer(config, WIDTH), library_trainer(config)
    rows = compare(
        f"10 steps of {config.trainer}, {config.n_features} features",
        {"ours": steps_of(ours, config), "dictionary_learning": steps_of(theirs, config)},
        repeats,
    )
    seeds = range(starts)
    ours_differ = [difference(replace(config, seed=seed), build_trainer) for seed in seeds]
    rounding = [difference(replace(config, seed=seed), lambda c, _: library_trainer(c), -1) for seed in seeds]
    double = difference(config, build_trainer, precision=torch.float64)
    return checked(
        rows,
        "ours",
        statistics.median(ours_differ) <= LARGEST and double <= LARGEST,
        weights_differ_by=statistics.median(ours_differ),
        in_double_precision_by=double,
        starts_within_1e_4=f"{sum(value <= LARGEST for value in ours_differ)} of {len(seeds)}",
        the_library_with_rows_in_reverse=f"{sum(value <= LARGEST for value in rounding)} of {len(seeds)}",
    )


def library_trainer(config: SAEConfig) -> Any:
    """The trainer of dictionary_learning with the same start as ours."""
    trainer, more = LIBRARY[config.trainer]
    return trainer(**arguments.shared(config, WIDTH, "cpu"), **arguments.top_k(config), **more)


def batches(config: SAEConfig) -> Iterator[torch.Tensor]:
    """Batches of sparse sums of planted directions with noise, [batch, WIDTH], of unit variance."""
    generator = torch.Generator().manual_seed(config.seed)
    directions = torch.randn(512, WIDTH, generator=generator)
    while True:
        active = torch.rand(config.batch_size, 512, generator=generator) < 12 / 512
        x = (active * torch.rand(active.shape, generator=generator)) @ directions
        x += 0.3 * torch.randn(x.shape, generator=generator)
        yield x / x.std()


def steps_of(trainer: Any, config: SAEConfig, number: int = 10) -> Callable[[], None]:
    """A call that takes the next steps of a trainer, on batches that are drawn before."""
    source, step = batches(config), 0
    some = [next(source) for _ in range(number)]

    def take() -> None:
        nonlocal step
        for batch in some:
            trainer.update(step, batch)
            step += 1

    return take


def difference(
    config: SAEConfig,
    build: Callable[[SAEConfig, int], Any],
    order: int = 1,
    precision: torch.dtype = torch.float32,
) -> float:
    """The largest difference of a weight from the library's after 100 steps; with order −1, rows are reversed."""
    trainer, library = build(config, WIDTH), library_trainer(config)
    for each in (trainer, library):
        each.ae.to(precision)
    for step, batch in zip(range(STEPS), (batch.to(precision) for batch in batches(config)), strict=False):
        trainer.update(step, batch if order == 1 else batch.flip(0))
        library.update(step, batch)
    state, expected = trainer.ae.state_dict(), library.ae.state_dict()
    return max(float((state[name] - expected[name]).abs().max()) for name in expected)


def grid(small: bool) -> list[Row]:
    """Eight dictionaries, by one process and by two with a thread each."""
    steps = 60 if small else 600
    config = SAEConfig(n_features=64 if small else 1024, steps=steps, batch_size=512, warmup_steps=20, k=8)
    config = replace(config, sparsity_warmup_steps=20)
    kinds = ("unsquared", "top_k", "batch_top_k", "gated")
    configs = {f"{kind}-{seed}": replace(config, trainer=kind, seed=seed) for kind in kinds for seed in (0, 1)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = planted_store(folder / "activations", 20_000 if small else 100_000)
        prints: dict[str, set[tuple[str, ...]]] = {"ours": set(), "two processes": set()}
        calls = 0

        def way(key: str, processes: int) -> Callable[[], None]:
            def run() -> None:
                nonlocal calls
                calls += 1
                made = train(store, configs, folder / str(calls), "cpu", processes)
                prints[key].add(tuple(sae.fingerprint for sae in made.values()))

            return run

        ways = {"ours": way("ours", 1), "two processes": way("two processes", 2)}
        work = f"a grid of 8 dictionaries, {steps} steps"
        rows = compare(work, ways, repeats=1, warm_up=0)
    same = prints["ours"] == prints["two processes"] and len(prints["ours"]) == 1
    one, two = (statistics.median(row.seconds) for row in rows)
    return checked(rows, "two processes", same, same_bytes=same, faster_than_one_process=one / two)


def planted_store(folder: Path, n: int) -> ActivationStore:
    """A store of planted activations, n rows of 50 steps a user."""
    import pandas as pd

    inputs = {"rows": n}
    with artifacts.writing(folder, KIND, inputs) as partial:
        record, source = partial / "progress.json", batches(replace(CONFIG, batch_size=1000))
        with growing_rows(partial / "activations.npy", record, np.arange(0, n + 1, 1000), WIDTH) as growing:
            for _ in range(n // 1000):
                growing.add(next(source).numpy())
        rows = pd.DataFrame({"user": np.arange(n) // 50, "item": np.arange(n) % 1000, "step": np.arange(n) % 50})
        describe(partial, rows, "planted", "blocks.0", growing.moments)
        record.unlink()
    return ActivationStore.opened(folder)
