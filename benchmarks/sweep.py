"""How much faster a sweep is than one full hooked forward per value, in one run on the same machine.

    python benchmarks/sweep.py artifacts/ml-1m

sets 5 features to 21 values at the last step of every test user, once with plain PyTorch hooks (a full forward pass
and a ranking for every value) and once with `interp.control.steered_lists`, checks that the lists are the same, and
prints both times and their ratio. `--values` takes fewer of them for the slow way, whose time is then scaled up.
"""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro

import interp
from interp.control.steered_lists import steered_lists
from interp.steering.edits import Edit, Steer
from recmodels.ranking import rank
from recmodels.sequences import Histories


@dataclass(frozen=True)
class Benchmark:
    """What is compared."""

    folder: tyro.conf.Positional[Path]
    """A finished study."""
    features: int = 5
    """Features swept: the top ones of the best-aligned concepts."""
    values: int = 21
    """Values from -10 to 10 that the slow way is timed for, of 21."""


def hooked(study: interp.Study, inputs: Histories, steer: Steer) -> np.ndarray:
    """Lists of a steer by a plain forward hook on the bare model."""
    model, sae = study.recommender.recommender.model, study.sae
    module = model.get_submodule(model.sites[study.site])
    hook = module.register_forward_hook(lambda _, __, output: steer.apply(output, sae))
    try:
        return rank(study.recommender.recommender.score, inputs)
    finally:
        hook.remove()


def main(options: Benchmark) -> None:
    """Time both ways and print what they took."""
    study = interp.open(options.folder)
    inputs, _ = study.users().split_last()
    features = study.table("concepts")["feature"].drop_duplicates().head(options.features).astype(int)
    steers = [Steer((Edit(feature, float(value)),), study.site) for feature in features for value in range(-10, 11)]
    start = time.perf_counter()
    fast = steered_lists(study.recommender, inputs, steers)
    seconds = time.perf_counter() - start
    sample = np.linspace(0, len(steers) - 1, options.values * len(features)).round().astype(int)
    start = time.perf_counter()
    slow = np.stack([hooked(study, inputs, steers[place]) for place in sample])
    full = (time.perf_counter() - start) * len(steers) / len(sample)
    same = (slow == fast[sample]).all(axis=(1, 2)).mean()
    print(f"{len(inputs)} users, {len(steers)} steers, {torch.get_num_threads()} threads")
    print(f"one hooked forward per value: {full:.1f} s; together: {seconds:.1f} s; {full / seconds:.1f} times faster")
    print(f"lists equal for {same:.1%} of the steers compared")


if __name__ == "__main__":
    main(tyro.cli(Benchmark, args=sys.argv[1:], description=__doc__))
