"""Turning features up and down, and what that does to the lists (paper section 8)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from interp.concepts import Concepts
from interp.edits import Reconstruct
from interp.envoys import RecommenderEnvoy
from recmodels.ranking import list_metrics
from recmodels.sequences import Histories


def concept_shares(lists: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Mean over users of the share of a user's list that has each concept (docs/paper.md, 9).

    Args:
        lists: int [user, k] item codes, −1 where a list ran out.
        labels: bool [item, concept], in code order.

    Returns:
        float [concept].
    """
    listed = lists >= 0
    has = labels[np.where(listed, lists, 0)] & listed[..., None]
    return (has.sum(axis=1) / np.maximum(listed.sum(axis=1), 1)[:, None]).mean(axis=0)


def sweep(
    rec: RecommenderEnvoy,
    histories: Histories,
    targets: Mapping[str, int],
    concepts: Concepts,
    values: Sequence[float] = tuple(range(-10, 11)),
    k: int = 10,
    reconstruct: Reconstruct = "none",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Set one feature at a time to each value at every user's last step and look at the lists (paper Figure 9).

    Args:
        rec: the recommender, with one dictionary attached.
        histories: users whose last item is held out as the truth.
        targets: concept → the feature that stands for it.
        concepts: whose shares are reported.
        values: activations to set.
        k: list length.
        reconstruct: "none" keeps the reconstruction error, "all" is the paper's replacement.

    Returns:
        Two tables. Metrics: target, feature, value, share (of the target concept), ndcg, hit_rate,
        coverage and diversity at k, overlap (mean share of the unsteered list that stays). Shares: target,
        feature, value, concept, share. The row with `value` NaN is the unsteered model.
    """
    inputs, truth = histories.split_last()
    vocabulary = rec.recommender.vocabulary
    catalogue = np.arange(len(vocabulary))
    labels = concepts.labels(vocabulary.ids)
    metrics, shares = [], []
    plain = rec.rank(inputs, k)
    runs = [(target, feature, value) for target, feature in targets.items() for value in (np.nan, *values)]
    for target, feature, value in tqdm(runs, desc="steering", leave=False):
        lists = plain
        if not np.isnan(value):
            with rec.steer({feature: value}, reconstruct=reconstruct):
                lists = rec.rank(inputs, k)
        share = concept_shares(lists, labels)
        row = {"target": target, "feature": feature, "value": value}
        metrics.append(
            {
                **row,
                "share": share[concepts.index(target)],
                **list_metrics(lists, truth, catalogue),
                "overlap": overlap(plain, lists),
            }
        )
        shares.append(pd.DataFrame({**row, "concept": concepts.names, "share": share}))
    return pd.DataFrame(metrics), pd.concat(shares, ignore_index=True)


def overlap(before: np.ndarray, after: np.ndarray) -> float:
    """Mean over users of the share of the list before that is also in the list after. Lists are int [user, k]."""
    same = (before[:, :, None] == after[:, None, :]) & (before >= 0)[:, :, None]
    return float((same.any(axis=2).sum(axis=1) / np.maximum((before >= 0).sum(axis=1), 1)).mean())


def monotone(metrics: pd.DataFrame, low: float = -4, high: float = 4) -> pd.Series:
    """Whether each target's share rises, and never falls, with its feature's value from `low` to `high`: by target."""
    steered = metrics[metrics["value"].between(low, high)].sort_values("value", kind="stable")

    def rises(share: pd.Series) -> bool:
        return bool(share.is_monotonic_increasing and share.iloc[-1] > share.iloc[0])

    return steered.groupby("target", sort=False)["share"].agg(rises).reindex(metrics["target"].unique()).astype(bool)
