"""Turning features up and down, and what that does to the lists (paper section 8)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
import pandas as pd

from interp.concepts import Concepts
from interp.edits import Edit, Push, Reconstruct, Steer
from interp.envoys import RecommenderEnvoy
from interp.probes import Probes
from interp.sae import SparseAutoencoder
from interp.steered_lists import steered_lists
from recmodels.ranking import list_metrics
from recmodels.sequences import Histories


@dataclass(frozen=True)
class SweepPoint:
    """One steer of a sweep, and what it is called in tables.

    Attributes:
        method: "set" (the feature is set, the reconstruction error kept), "replace" (the feature is set and the
            layer replaced by its reconstruction, as in the paper), "add" (the feature's direction is added) or
            "probe" (a probe's direction is added).
        target: the concept it is meant to turn up.
        feature: the feature that stands for it; −1 for a probe.
        value: the activation that is set, or the factor of the direction that is added.
        steer: what is done.
    """

    method: str
    target: str
    feature: int
    value: float
    steer: Steer


def set_points(sae: SparseAutoencoder, targets: Mapping[str, int], values: Sequence[float]) -> list[SweepPoint]:
    """Each target's feature set to each value at the last step: the error kept, and the paper's replacement."""
    site = sae.provenance.site
    methods: dict[str, Reconstruct] = {"set": "none", "replace": "all"}
    return [
        SweepPoint(method, target, feature, value, Steer((Edit(feature, value),), site, reconstruct))
        for method, reconstruct in methods.items()
        for target, feature in targets.items()
        for value in values
    ]


def direction_points(
    sae: SparseAutoencoder, probes: Probes, targets: Mapping[str, int], values: Sequence[float]
) -> list[SweepPoint]:
    """Unit directions of each target's feature, and of its probe if it has one, added at the last step (Figure 10)."""
    site, points = sae.provenance.site, []
    for target, feature in targets.items():
        direction = sae.directions[feature]
        unit = direction / direction.norm() * sae.std
        for value in values:
            points.append(SweepPoint("add", target, feature, value, Steer((Push(unit, value),), site)))
            if target in probes.concepts:
                push = Push(probes.direction(target), value)
                points.append(SweepPoint("probe", target, -1, value, Steer((push,), site)))
    return points


def sweep(
    rec: RecommenderEnvoy, histories: Histories, points: Iterable[SweepPoint], concepts: Concepts, k: int = 10
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Steer every user's list by one point of a sweep after the other (paper Figures 9 and 10).

    Args:
        rec: the recommender, with the dictionary attached.
        histories: users whose last item is held out as the truth.
        points: the steers.
        concepts: whose shares are reported.
        k: list length.

    Returns:
        Two tables. Metrics: method, target, feature, value, share (of the target concept), ndcg, hit_rate,
        coverage and diversity at k, overlap (mean share of the unsteered list that stays). Shares: method,
        target, feature, value, concept, share. In both, every method and target begins with a row whose `value`
        is NaN: the unsteered model.
    """
    inputs, truth = histories.split_last()
    vocabulary = rec.recommender.vocabulary
    catalogue = np.arange(len(vocabulary))
    labels = concepts.labels(vocabulary.ids)
    plain = rec.rank(inputs, k)
    metrics, shares, begun = [], [], set()

    def note(point: SweepPoint, value: float, lists: np.ndarray) -> None:
        row = {"method": point.method, "target": point.target, "feature": point.feature, "value": value}
        share = concept_shares(lists, labels)
        measured = {"share": share[concepts.index(point.target)], **list_metrics(lists, truth, catalogue)}
        metrics.append(row | measured | {"overlap": user_overlap(plain, lists).mean()})
        shares.append(pd.DataFrame({**row, "concept": concepts.names, "share": share}))

    points = list(points)
    every = steered_lists(rec, inputs, [point.steer for point in points], k, "steering")
    for point, lists in zip(points, every, strict=True):
        if (point.method, point.target) not in begun:
            begun.add((point.method, point.target))
            note(point, nan, plain)
        note(point, point.value, lists)
    return pd.DataFrame(metrics), pd.concat(shares, ignore_index=True)


def concept_shares(lists: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Mean over users of the share of a user's list that has each concept (docs/paper.md, 9).

    Args:
        lists: int [user, k] item codes, −1 where a list ran out.
        labels: bool [item, concept], in code order.

    Returns:
        float [concept].
    """
    return user_shares(lists, labels).mean(axis=0)


def user_shares(lists: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Share of each user's list that has each concept: float [user, concept]. Arguments as in `concept_shares`."""
    listed = lists >= 0
    has = labels[np.where(listed, lists, 0)] & listed[..., None]
    return has.sum(axis=1) / np.maximum(listed.sum(axis=1), 1)[:, None]


def user_overlap(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Share of each user's list before that is also in the list after: float [n], 0 for an empty one."""
    listed = before >= 0
    same = (before[:, :, None] == after[:, None, :]).any(axis=2) & listed
    return same.sum(axis=1) / np.maximum(listed.sum(axis=1), 1)


def monotone(metrics: pd.DataFrame, low: float = -4, high: float = 4) -> pd.Series:
    """Whether each target's share rises, and never falls, with its feature's value from `low` to `high`: by target.

    Args:
        metrics: rows of one method.
        low: smallest value looked at.
        high: largest value looked at.

    Returns:
        bool; False where there are fewer than two values to look at.
    """
    steered = metrics[metrics["value"].between(low, high)].sort_values("value", kind="stable")

    def rises(share: pd.Series) -> bool:
        return bool(share.is_monotonic_increasing and share.iloc[-1] > share.iloc[0])

    found = steered.groupby("target", sort=False)["share"].agg(rises)
    return found.reindex(metrics["target"].unique(), fill_value=False).astype(bool)
