"""Effects of features on scores: the items they promote and suppress, measured through the layers after them.

Axes: u users, d hidden size, f features, v items.
"""

import numpy as np
import pandas as pd
import torch

from interp.model.envoys import RecommenderEnvoy
from interp.model.last_step import score_last_step
from interp.sae.autoencoder import SparseAutoencoder
from recmodels.best_items import best_items
from recmodels.progress import tqdm
from recmodels.sequences import Histories

LAYERS, DIRECT = "layers", "direct"
_USERS = 32  # per pass
_ITEMS = 512  # of an item × feature matrix at once
_EFFECTS = 2**22  # of features on items at a time


def paths(rec: RecommenderEnvoy, site: str) -> dict[str, str]:
    """The sites where features are pushed: their own, and the last block, after which only scoring follows.

    The second is the direct path, which skips the blocks in between. Only the first is returned where no block follows
    the site, as the two are the same; and where the last block has another width, so that there is no such path.
    """
    model = rec.recommender.model
    n = model.config.num_hidden_layers
    last = f"blocks.{n - 1}" if n else "final"
    is_same = site in (last, "final") or model.width(site) != model.width(last)
    return {LAYERS: site} if is_same else {LAYERS: site, DIRECT: last}


def mean_jacobian(rec: RecommenderEnvoy, histories: Histories, site: str, step: float, users: int = 128) -> np.ndarray:
    """How each item's score changes with each neuron of the last step, averaged over users.

    Central differences; the only approximation is that the layers after the site are linear over ±`step`. One matrix
    serves every direction at the site, so the whole dictionary costs as much as one feature.

    Args:
        rec: the recommender.
        histories: users to average over.
        site: where, such as "blocks.0".
        step: size of the change of one neuron; about the spread of activations.
        users: how many of the histories to take, spread evenly.

    Returns:
        float64 [v, d]. Every column has mean 0, because an equal change of all scores changes no list.
    """
    sample = np.unique(np.linspace(0, len(histories) - 1, users).astype(int))
    model = rec.recommender.model
    d = model.width(site)
    pushes = step * torch.cat([torch.eye(d), -torch.eye(d)]).to(rec.device)
    # An affine scorer gives the mean of the scores as the score of the mean.
    width = model.width("final") if model.has_linear_scores else model.config.n_items
    total = torch.zeros(2 * d, width, dtype=torch.float64)
    with tqdm(desc="effects", total=len(sample), unit="user") as bar:
        for batch in histories.select(sample).batches(_USERS):
            hidden = rec.hidden(batch, site)
            outputs = score_last_step(rec, batch, site, hidden, hidden[:, -1:] + pushes)
            if not model.has_linear_scores:
                outputs = torch.stack([model.score_hidden(output).detach() for output in outputs])
            total += outputs.double().sum(dim=0).cpu()
            bar.update(len(batch))
    mean = total / len(sample)
    scores = model.score_hidden(mean.to(model.output_weights())).detach() if model.has_linear_scores else mean
    up, down = scores.double().split(d)
    jacobian = ((up - down) / (2 * step)).T.cpu().numpy()
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
    directions, at_once = sae.directions.cpu().double().numpy(), max(_EFFECTS // len(jacobian), 1)
    chosen: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {"promoted": [], "suppressed": []}
    for start in range(0, len(directions), at_once):
        effects = torch.from_numpy(directions[start : start + at_once] @ jacobian.T)
        # Of equal effects, the item with the lower code is promoted first, and suppressed last.
        best, values = best_items(effects, count)
        chosen["promoted"].append((best.numpy(), values.numpy()))
        best, values = best_items(-effects.flip(1), count)
        chosen["suppressed"].append((len(jacobian) - 1 - best.numpy(), -values.numpy()))
    parts = []
    for direction, blocks in chosen.items():
        codes, effect = (np.concatenate(arrays) for arrays in zip(*blocks, strict=True))
        f, k = codes.shape
        parts.append(
            pd.DataFrame(
                {
                    "feature": np.repeat(np.arange(f), k),
                    "direction": direction,
                    "rank": np.tile(np.arange(1, k + 1), f),
                    "item": items[codes.ravel()],
                    "effect": effect.ravel(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def item_effects(
    jacobian: np.ndarray, sae: SparseAutoencoder, items: pd.Index, units: np.ndarray, count: int = 8
) -> pd.DataFrame:
    """The features that raise and lower each item's score most, per unit of each feature.

    Args:
        jacobian: [v, d] from `mean_jacobian`.
        sae: the dictionary.
        items: item ids in code order.
        units: one unit of each feature in activation [f], such as its 99th percentile; per unit of activation, features
            with small activations would be first everywhere.
        count: features per direction.

    Returns:
        item, direction ("promoted" or "suppressed"), rank (from 1), feature, effect (change of the item's score,
        relative to the mean item's); only where it is not 0.
    """
    directions, parts = sae.directions.double().numpy() * units[:, None], []
    for start in range(0, len(jacobian), _ITEMS):
        effects = jacobian[start : start + _ITEMS] @ directions.T
        for direction, sign in (("promoted", 1), ("suppressed", -1)):
            order = np.argsort(-sign * effects, axis=1, kind="stable")[:, :count]
            top = np.take_along_axis(effects, order, axis=1)
            row, rank = np.nonzero(sign * top > 0)
            rows = {"rank": rank + 1, "feature": order[row, rank], "effect": top[row, rank]}
            parts.append(pd.DataFrame({"item": items[start + row], "direction": direction, **rows}))
    return pd.concat(parts, ignore_index=True)
