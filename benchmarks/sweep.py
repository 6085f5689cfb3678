"""How much faster a sweep is than one full hooked forward per value, in turns on the same machine.

    python benchmarks/sweep.py artifacts/ml-1m [--small]

sets 5 features to 21 values at the last step of test users, with plain PyTorch hooks (a full forward pass and a ranking
for every value) and with `interp.control.steered_lists`, and compares the lists. The slow way is timed for some of the
values, and its time is scaled up to all.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import tyro
from timing import Row, checked, compare, report, with_ratios

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
    users: int = 128
    """Test users."""
    slow: int = 3
    """Values that the slow way is timed for, in each repeat."""
    repeats: int = 5
    small: bool = False
    """Few users, once: check results alone."""


def hooked(study: interp.Study, inputs: Histories, steer: Steer) -> np.ndarray:
    """Lists of a steer by a plain forward hook on the bare model."""
    model, sae = study.recommender.recommender.model, study.sae
    module = model.get_submodule(model.sites[study.site])
    hook = module.register_forward_hook(lambda _, __, output: steer.apply(output, sae))
    try:
        return rank(study.recommender.recommender.score, inputs)
    finally:
        hook.remove()


def sweeps(options: Benchmark) -> list[Row]:
    """Both ways, and whether their lists are the same."""
    if options.small:
        options = replace(options, users=8, features=1, repeats=1)
    study = interp.open(options.folder)
    inputs, _ = study.users().select(slice(0, options.users)).split_last()
    features = study.table("concepts")["feature"].drop_duplicates().head(options.features).astype(int)
    steers = [Steer((Edit(feature, float(value)),), study.site) for feature in features for value in range(-10, 11)]
    some = np.linspace(0, len(steers) - 1, options.slow).round().astype(int)
    lists = {}

    def fast() -> None:
        lists["fast"] = steered_lists(study.recommender, inputs, steers)

    def slow() -> None:
        lists["slow"] = np.stack([hooked(study, inputs, steers[place]) for place in some])

    ours, full = compare("sweep", {"ours": fast, "hooked forward per value": slow}, options.repeats)
    scale = len(steers) / len(some)
    full = replace(full, seconds=_times(full.seconds, scale), processor=_times(full.processor, scale))
    same = float((lists["slow"] == lists["fast"][some]).all(axis=-1).mean())
    return checked(with_ratios([ours, full]), "ours", same > 0.999, equal_lists=same)


def _times(values: tuple[float, ...], scale: float) -> tuple[float, ...]:
    return tuple(value * scale for value in values)


if __name__ == "__main__":
    sys.exit(report(sweeps(tyro.cli(Benchmark, description=__doc__))))
