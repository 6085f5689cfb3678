"""How much faster a sweep is than one full hooked forward per value.

It sets 5 features to 21 values at the last step of 128 histories, with plain PyTorch hooks (a full forward pass and a
ranking for every value) and with `interp.control.steered_lists`, and compares the lists. The slow way is timed for some
of the values, and its time is scaled up to all. The recommenders have the size of ML-1M's, with random weights, and a
dictionary of 512 random features at block 0.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from benchmarks.collecting import SITE, of_items
from benchmarks.timing import Row, checked, compare, with_ratios
from interp.config import SAEConfig
from interp.control.steered_lists import steered_lists
from interp.model.envoys import RecommenderEnvoy
from interp.sae.autoencoder import Provenance, SparseAutoencoder
from interp.sae.trainers import build_dictionary
from interp.steering.edits import Edit, Steer
from recmodels.config import TrainingConfig
from recmodels.ranking import rank
from recmodels.sequences import Histories
from recmodels.training import initial
from recmodels.vocabulary import Vocabulary

ITEMS = 3706
SLOW = 3  # values that the slow way is timed for, in each repeat
EQUAL = 0.999  # share of lists; others differ where scores tie to rounding


def rows(small: bool = False, repeats: int = 5) -> list[Row]:
    """Both ways on each recommender, and whether their lists are the same."""
    torch.set_num_threads(1)
    return [row for model in ("gptrec", "bert4rec") for row in sweep(model, 8 if small else 128, repeats)]


def sweep(model: str, users: int, repeats: int) -> list[Row]:
    """Both ways on one recommender."""
    rec, inputs = envoy(model), of_items(64 * users).split_last()[0]
    steers = [Steer((Edit(feature, float(value)),), SITE) for feature in range(5) for value in range(-10, 11)]
    some = np.linspace(0, len(steers) - 1, SLOW).round().astype(int)
    lists = {}

    def ours() -> None:
        lists["ours"] = steered_lists(rec, inputs, steers)

    def slow() -> None:
        lists["slow"] = np.stack([hooked(rec, inputs, steers[place]) for place in some])

    work = f"{model}: {len(steers)} steers of {users} histories"
    fast, full = compare(work, {"ours": ours, "hooked forward per value": slow}, repeats)
    scale = len(steers) / len(some)
    times = {name: tuple(value * scale for value in getattr(full, name)) for name in ("seconds", "processor")}
    same = float((lists["slow"] == lists["ours"][some]).all(axis=-1).mean())
    return checked(with_ratios([fast, replace(full, **times)]), "ours", same >= EQUAL, equal_lists=same)


def envoy(model: str) -> RecommenderEnvoy:
    """An untrained recommender with an untrained dictionary."""
    rec = RecommenderEnvoy(initial(TrainingConfig(model=model), Vocabulary(pd.RangeIndex(1, ITEMS + 1))))
    config = SAEConfig(trainer="top_k", n_features=512, k=16)
    provenance = Provenance(rec.recommender.fingerprint, SITE, "random")
    return rec.attach(SparseAutoencoder(build_dictionary(config, 64), 0.0, 1.0, config, provenance))


def hooked(rec: RecommenderEnvoy, inputs: Histories, steer: Steer) -> np.ndarray:
    """Lists of a steer by a plain forward hook on the bare model."""
    model, sae = rec.recommender.model, rec.saes[SITE]
    module = model.get_submodule(model.sites[SITE])
    hook = module.register_forward_hook(lambda _, __, output: steer.apply(output, sae))
    try:
        return rank(rec.recommender.score, inputs)
    finally:
        hook.remove()
