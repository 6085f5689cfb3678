"""How much faster the effects of all features on all scores are measured than by two traced passes for each neuron.

Ours pushes every neuron of the last step both ways in one pass through the blocks that follow
(`interp.features.effects.mean_jacobian`). The other way traces the whole recommender for each push; it is timed for
some neurons, which must give the same numbers, and its time is scaled up to all. The recommenders have the size of
ML-1M's, with random weights.
"""

from dataclasses import replace

import numpy as np
import torch
from nnsight import save

from benchmarks.collecting import SITE, of_items
from benchmarks.sweep import envoy
from benchmarks.timing import Row, checked, compare, with_ratios
from interp.features.effects import mean_jacobian
from interp.model.envoys import RecommenderEnvoy
from recmodels.sequences import Histories

STEP = 1.0  # size of a push
SLOW = 3  # neurons that the slow way is timed for, in each repeat
LARGEST = 1e-3  # difference of an effect, as a share of the largest


def rows(small: bool = False, repeats: int = 5) -> list[Row]:
    """Both ways on each recommender."""
    torch.set_num_threads(1)
    return [row for model in ("gptrec", "bert4rec") for row in effects(model, 8 if small else 128, repeats)]


def effects(model: str, users: int, repeats: int) -> list[Row]:
    """Both ways on one recommender."""
    rec, inputs = envoy(model), of_items(64 * users).split_last()[0]
    d, jacobians = rec.recommender.model.width(SITE), {}
    some = np.linspace(0, d - 1, SLOW).round().astype(int)

    def ours() -> None:
        jacobians["ours"] = mean_jacobian(rec, inputs, SITE, STEP, users)

    def slow() -> None:
        jacobians["slow"] = np.stack([traced(rec, inputs, int(neuron)) for neuron in some], axis=1)

    work = f"{model}: effects of {d} neurons, {users} histories"
    fast, full = compare(work, {"ours": ours, "two traced passes per neuron": slow}, repeats)
    times = {name: tuple(value * d / SLOW for value in getattr(full, name)) for name in ("seconds", "processor")}
    apart = np.abs(jacobians["ours"][:, some] - jacobians["slow"]).max() / np.abs(jacobians["slow"]).max()
    result = with_ratios([fast, replace(full, **times)])
    return checked(result, "ours", bool(apart <= LARGEST), largest_difference=float(apart))


def traced(rec: RecommenderEnvoy, inputs: Histories, neuron: int) -> np.ndarray:
    """How all scores change with one neuron of the last step, less the mean item's: float64 [v]."""
    push, ends = torch.zeros(rec.recommender.model.width(SITE)), []
    push[neuron] = STEP
    for sign in (1, -1):
        with torch.no_grad(), rec.trace(inputs):
            rec.blocks[0].output[:, -1] += sign * push
            scores = save(rec.scores)
        ends.append(scores.double().mean(dim=0))
    change = ((ends[0] - ends[1]) / (2 * STEP)).numpy()
    return change - change.mean()
