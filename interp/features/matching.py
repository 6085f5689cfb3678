"""Which features of one dictionary are those of another: of another seed, or of a recommender that was trained again.

Two features match if they are each other's best match by the correlation of their activations on the same steps, and
if that correlation is above chance for both. Chance is what is left when one of the two recommenders reads the same
histories with every item replaced by another, about equally popular item (`interp.concepts.item_folds.permutations`):
a feature of users, of positions or of popularity still agrees then, a feature of items does not.

Axes: n steps, f and g features of the old and the new dictionary, d and e hidden sizes, v items, p permutations.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import scipy
from scipy import sparse

from interp.features.standard_blocks import Columns, correlations

FALSE_DISCOVERIES = 0.05  # expected share of matches that are chance (Benjamini and Hochberg 1995)
NEAREST = 5  # features of the other dictionary that are kept for each
MIN_STEPS = 5  # of an item whose mean activation is compared
KEPT, MERGED, WENT, SPLIT, CAME, SILENT = "kept", "merged", "went", "split", "came", "silent"
HOLDS = (KEPT, MERGED)  # changes of old features whose match holds
OLD, NEW = "old", "new"


def matched_similarity(similarity: np.ndarray) -> float:
    """Mean similarity of the features of two dictionaries, matched one to one so that it is largest.

    The Hungarian method; for directions this is the score of Paulo and Belrose, "Sparse Autoencoders Trained on the
    Same Data Learn Different Features", 2025 (with max cosine in place of the matching: Sharkey et al. 2022, MMCS).

    Args:
        similarity: float [f, g], cosines of directions or correlations of activations. Where f and g differ, the
            features without a partner count 0.

    Returns:
        1 if the dictionaries are the same up to the order of their features; NaN if one is empty.
    """
    if not min(similarity.shape):
        return float("nan")
    rows, columns = scipy.optimize.linear_sum_assignment(similarity, maximize=True)
    return float(similarity[rows, columns].sum() / max(similarity.shape))


def matches(similarity: np.ndarray, chance: Sequence[np.ndarray], active: Sequence[np.ndarray]) -> pd.DataFrame:
    """The best match of every feature of both dictionaries, and what that says about the feature.

    Args:
        similarity: float [f, g], correlations of activations.
        chance: float [p, f] and float [p, g], each feature's largest correlation in each permutation.
        active: bool [f] and bool [g], whether a feature is active on any of these steps.

    Returns:
        A row for each old feature, then one for each new one: side ("old" or "new"), feature, change, match (its best
        one), score (their correlation), chance (what the larger of the two features' means over permutations is),
        p (the larger of the two features' shares of permutations that reach the score), q (p corrected for the number
        of features, Benjamini and Hochberg). A match holds if q is at most 0.05 and the score above 0. The change is

        - kept: the match holds, and each is the other's best;
        - merged: the match of this old feature holds, but the new one is closer to another old feature;
        - split: the match of this new feature holds, but the old one is closer to another new feature;
        - went, came: no match of this old, this new feature holds;
        - silent: it is active on none of these steps, so that nothing can be told.
    """
    best = similarity.argmax(axis=1), similarity.argmax(axis=0)
    parts = []
    for side, own, other in ((OLD, 0, 1), (NEW, 1, 0)):
        scores = similarity.max(axis=1 - own)
        reached = [
            (1 + (null >= scores).sum(axis=0)) / (1 + len(null)) for null in (chance[own], chance[other][:, best[own]])
        ]
        usual = [chance[own].mean(axis=0), chance[other].mean(axis=0)[best[own]]]
        parts.append(
            pd.DataFrame(
                {
                    "side": side,
                    "feature": np.arange(len(scores)),
                    "change": SILENT,
                    "match": best[own],
                    "score": scores,
                    "chance": np.maximum(*usual),
                    "p": np.maximum(*reached),
                    "q": np.nan,
                    "mutual": best[other][best[own]] == np.arange(len(scores)),
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    alive = np.concatenate([np.asarray(part) for part in active])
    if alive.any():
        table.loc[alive, "q"] = scipy.stats.false_discovery_control(table.loc[alive, "p"])
    holds = alive & (table["q"] <= FALSE_DISCOVERIES) & (table["score"] > 0)
    is_old = table["side"] == OLD
    table.loc[alive, "change"] = np.where(is_old, WENT, CAME)[alive]
    table.loc[holds, "change"] = np.where(table["mutual"], KEPT, np.where(is_old, MERGED, SPLIT))[holds]
    return table.drop(columns="mutual")


def nearest(similarity: Mapping[str, np.ndarray], chance: Sequence[np.ndarray], top: int = NEAREST) -> pd.DataFrame:
    """The most similar features of the other dictionary for every feature: those it may have split into or merged with.

    Args:
        similarity: by name, float [f, g]; that of activations is "score", by which features are ordered.
        chance: float [f] and float [g], what chance gives each feature on average.
        top: how many for each feature.

    Returns:
        Rows of side ("old" or "new"), feature, rank (from 1), match, chance (the larger of the two), and `similarity`.
    """
    parts = []
    for side, own, other in ((OLD, 0, 1), (NEW, 1, 0)):
        mine = {name: values if side == OLD else values.T for name, values in similarity.items()}
        order = np.argsort(-mine["score"], axis=1, kind="stable")[:, :top]
        count, width = order.shape
        parts.append(
            pd.DataFrame(
                {
                    "side": side,
                    "feature": np.repeat(np.arange(count), width),
                    "rank": np.tile(np.arange(1, width + 1), count),
                    "match": order.ravel(),
                    "chance": np.maximum(chance[own][:, None], chance[other][order]).ravel(),
                    **{name: np.take_along_axis(values, order, axis=1).ravel() for name, values in mine.items()},
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def written_similarity(directions: Sequence[np.ndarray], jacobians: Sequence[np.ndarray]) -> np.ndarray:
    """How much two dictionaries' features change the scores of the items alike: correlation over items, [f, g].

    The directions themselves cannot be compared: the neurons of two trainings have nothing in common.

    Args:
        directions: float [f, d] and [g, e], what one unit of a feature adds to the hidden state.
        jacobians: float [v, d] and [v, e], how the score of each of the same items follows the hidden state
            (`interp.features.effects.mean_jacobian`).
    """
    old, new = (jacobian - jacobian.mean(axis=0) for jacobian in jacobians)
    sizes = [
        np.sqrt(np.einsum("fd,de,fe->f", own, jacobian.T @ jacobian, own).clip(0))
        for own, jacobian in zip(directions, (old, new), strict=True)
    ]
    products, scale = directions[0] @ (old.T @ new) @ directions[1].T, np.outer(*sizes)
    return np.divide(products, scale, out=np.zeros_like(products), where=scale > 0).clip(-1, 1)


def held_similarity(activations: Sequence[Columns], items: np.ndarray) -> np.ndarray:
    """How much two dictionaries' features are active on the same items: correlation over items of means, [f, g].

    Args:
        activations: [n, f] and [n, g], sparse.
        items: int [n], the code of each step's item. Items of fewer than five steps are left out.
    """
    steps = np.bincount(items)
    codes = np.full(len(steps), -1)
    often = np.flatnonzero(steps >= MIN_STEPS)
    codes[often] = np.arange(len(often))
    kept = np.flatnonzero(codes[items] >= 0)
    rows = codes[items[kept]]
    indicator = sparse.csr_array((1 / steps[often][rows], (rows, np.arange(len(kept)))), (len(often), len(kept)))
    means = [np.asarray((indicator @ part.tocsr()[kept]).toarray()) for part in activations]
    return correlations(*means) if len(often) else np.zeros([part.shape[1] for part in activations])


def percentile_of_match(similarity: np.ndarray, best: np.ndarray) -> np.ndarray:
    """For each row of [f, g], the share of the other columns whose similarity is below that of its match: float [f].

    0.5 on average where the match was drawn at random; NaN where there is no other column.
    """
    own = np.take_along_axis(similarity, best[:, None], axis=1)
    others = similarity.shape[1] - 1
    lower = (similarity < own).sum(axis=1) + ((similarity == own).sum(axis=1) - 1) / 2
    return lower / others if others else np.full(len(similarity), np.nan)
