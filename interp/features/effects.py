"""What a feature does to the scores: the items it promotes and suppresses, measured through the layers after it.

Axes: u users, d hidden size, f features, v items.
"""

import numpy as np
import pandas as pd
import torch
from nnsight import save
from tqdm.auto import tqdm

from interp.model.envoys import RecommenderEnvoy
from interp.sae.autoencoder import SparseAutoencoder
from recmodels.sequences import Histories

LAYERS, DIRECT = "layers", "direct"


def paths(rec: RecommenderEnvoy, site: str) -> dict[str, str]:
    """The sites whose outputs are pushed: the features' own, and the last block's, from which only scoring follows.

    The second is the direct path: what a feature writes goes past the blocks in between. Where no block follows the
    site, the two are the same, and there is only the first.
    """
    last = f"blocks.{rec.recommender.model.config.num_hidden_layers - 1}"
    return {LAYERS: site} if site in (last, "final") else {LAYERS: site, DIRECT: last}


def mean_jacobian(rec: RecommenderEnvoy, histories: Histories, site: str, step: float, users: int = 128) -> np.ndarray:
    """How each item's score changes with each neuron of the last step, averaged over users.

    Central differences through a trace: the only approximation is that the layers after the site are taken
    as linear over ±`step`. One matrix serves every direction at the site, so the effect of a whole
    dictionary costs 2 d forward passes.

    Args:
        rec: the recommender.
        histories: users to average over.
        site: where, such as "blocks.0".
        step: size of the change of one neuron; about the spread of activations.
        users: how many of the histories to take, spread evenly.

    Returns:
        float64 [v, d]. Every column has mean 0: a change of all scores alike moves no list.
    """
    chosen = np.unique(np.linspace(0, len(histories) - 1, users).astype(int))
    sample = histories.select(chosen)
    envoy = rec.site(site)
    d = rec.recommender.model.config.hidden_size
    columns = []
    for neuron in tqdm(range(d), desc="effects", unit="neuron", leave=False):
        push = torch.zeros(d, device=rec.device)
        push[neuron] = step
        ends = []
        for sign in (1, -1):
            with torch.no_grad(), rec.trace(sample):
                envoy.output[:, -1] += sign * push
                scores = save(rec.scores)
            ends.append(scores.double().mean(dim=0))
        columns.append(((ends[0] - ends[1]) / (2 * step)).cpu().numpy())
    jacobian = np.stack(columns, axis=1)
    return jacobian - jacobian.mean(axis=0)


def promoted_items(jacobian: np.ndarray, sae: SparseAutoencoder, items: pd.Index, count: int = 8) -> pd.DataFrame:
    """The items whose scores each feature raises and lowers most, per unit of its activation.

    Args:
        jacobian: [v, d] from `mean_jacobian`.
        sae: the dictionary.
        items: item ids in code order.
        count: items per direction.

    Returns:
        feature, direction ("promoted" or "suppressed"), rank (from 1), item, effect (change of score,
        relative to the mean item).
    """
    effects = sae.directions.double().numpy() @ jacobian.T
    order = np.argsort(-effects, axis=1, kind="stable")
    parts = []
    for direction, chosen in (("promoted", order[:, :count]), ("suppressed", order[:, ::-1][:, :count])):
        f, k = chosen.shape
        parts.append(
            pd.DataFrame(
                {
                    "feature": np.repeat(np.arange(f), k),
                    "direction": direction,
                    "rank": np.tile(np.arange(1, k + 1), f),
                    "item": items[chosen.ravel()],
                    "effect": np.take_along_axis(effects, chosen, axis=1).ravel(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
