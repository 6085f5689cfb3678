"""Sweeps: features turned up and down by many values, and the effects on the lists (paper section 8)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import torch

from interp.concepts import Concepts
from interp.control.steered_lists import steered_lists
from interp.control.user_metrics import UserMetric, item_table, user_metric, values_of
from interp.features.probes import Probes
from interp.model.envoys import RecommenderEnvoy
from interp.sae.autoencoder import SparseAutoencoder
from interp.steering.edits import Edit, Push, Steer
from interp.steering.vocabulary import Reconstruct
from recmodels.metrics import coverage, inter_list_diversity
from recmodels.sequences import Histories

Names: TypeAlias = Mapping[str, Any]  # method, target, feature and value of a point


@dataclass(frozen=True)
class SweepPoint:
    """One steer of a sweep, and its names in tables.

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

    @property
    def names(self) -> Names:
        """The columns of tables that say which point it is."""
        return {"method": self.method, "target": self.target, "feature": self.feature, "value": self.value}


def unit(direction: torch.Tensor, std: float) -> torch.Tensor:
    """A direction [d] scaled to length 1 in activations divided by `std`, so that methods compare; 0 stays 0."""
    return direction / direction.norm().clamp_min(torch.finfo(direction.dtype).tiny) * std


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


def profile_points(
    sae: SparseAutoencoder, profiles: pd.DataFrame, targets: Iterable[str], values: Sequence[float]
) -> list[SweepPoint]:
    """Multiples of each target's profile (`concept_profiles`), added to features at the last step."""
    site, points = sae.provenance.site, []
    for target in targets:
        weights = profiles.loc[profiles["concept"] == target, ["feature", "weight"]].itertuples(index=False)
        weighted = [(int(feature), float(weight)) for feature, weight in weights]
        for value in values:
            edits = tuple(Edit(feature, value * weight, "add", concept=target) for feature, weight in weighted)
            points.append(SweepPoint("profile", target, -1, value, Steer(edits, site)))
    return points


def direction_points(
    sae: SparseAutoencoder, probes: Probes, targets: Mapping[str, int], values: Sequence[float]
) -> list[SweepPoint]:
    """Unit directions of each target's feature, and of its probe if it has one, added at the last step (Figure 10)."""
    site, points = sae.provenance.site, []
    for target, feature in targets.items():
        direction = unit(sae.directions[feature], sae.std)
        for value in values:
            points.append(SweepPoint("add", target, feature, value, Steer((Push(direction, value),), site)))
            if target in probes.concepts:
                push = Push(probes.direction(target), value)
                points.append(SweepPoint("probe", target, -1, value, Steer((push,), site)))
    return points


def sweep(
    rec: RecommenderEnvoy,
    histories: Histories,
    points: Iterable[SweepPoint],
    concepts: Concepts,
    k: int = 10,
    metrics: Sequence[str] = (),
    popularity: pd.Series | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Steer every user's list by one point of a sweep after the other (paper Figures 9 and 10).

    Args:
        rec: the recommender, with the dictionary attached.
        histories: users whose last item is held out as the truth.
        points: the steers.
        concepts: whose shares are reported.
        k: list length.
        metrics, popularity: as in `measure_points`.

    Returns:
        The two tables of `measure_points`.
    """
    points = list(points)
    lists = steered_lists(rec, histories.split_last()[0], [point.steer for point in points], k, "steering")
    return measure_points(rec, histories, [point.names for point in points], lists, concepts, metrics, popularity)


def measure_points(
    rec: RecommenderEnvoy,
    histories: Histories,
    points: Sequence[Names],
    lists: np.ndarray,
    concepts: Concepts,
    metrics: Sequence[str] = (),
    popularity: pd.Series | None = None,
    plain: np.ndarray | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Metrics of the lists under each point.

    Args:
        rec: the recommender.
        histories: users whose last item is held out as the truth.
        points: the names of each point: method, target, feature and value.
        lists: item codes under each point, int [point, user, k].
        concepts: whose shares are reported.
        metrics: further metrics (`interp.control.user_metrics`), such as one of your own, each a column of means.
        popularity: training interactions by item id, for metrics that ask for it; 0 where it is not given.
        plain: the lists without a steer, int [user, k], where they are known.

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
    plain = rec.rank(inputs, lists.shape[2]) if plain is None else plain
    counts = np.zeros(len(vocabulary)) if popularity is None else popularity.reindex(vocabulary.ids).to_numpy(float)
    items, further = item_table(counts, vocabulary.ids), [user_metric(name) for name in metrics]
    k, ranking = lists.shape[2], [user_metric(name) for name in ("ndcg", "hit_rate")]
    rows, shares, started = [], [], set()

    def mean(metric: UserMetric, point_lists: np.ndarray) -> float:
        return float(np.nanmean(values_of(metric, point_lists, truth, items)))

    def note(row: Names, point_lists: np.ndarray) -> None:
        share = concept_shares(point_lists, labels)
        values = {
            "share": share[concepts.index(row["target"])],
            **{f"{metric.name}@{k}": mean(metric, point_lists) for metric in ranking},
            f"coverage@{k}": coverage(point_lists, catalogue),
            f"diversity@{k}": inter_list_diversity(point_lists),
            "overlap": user_overlap(plain, point_lists).mean(),
        }
        rows.append({**row, **values, **{metric.name: mean(metric, point_lists) for metric in further}})
        shares.append(pd.DataFrame({**row, "concept": concepts.names, "share": share}))

    for point, point_lists in zip(points, lists, strict=True):
        if (point["method"], point["target"]) not in started:
            started.add((point["method"], point["target"]))
            note({**point, "value": nan}, plain)
        note(point, point_lists)
    return pd.DataFrame(rows), pd.concat(shares, ignore_index=True)


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
    in_list = lists >= 0
    has = labels[np.where(in_list, lists, 0)] & in_list[..., None]
    return has.sum(axis=1) / np.maximum(in_list.sum(axis=1), 1)[:, None]


def user_overlap(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Share of each user's list before that is also in the list after: float [n], 0 for an empty one."""
    in_list = before >= 0
    stays = (before[:, :, None] == after[:, None, :]).any(axis=2) & in_list
    return stays.sum(axis=1) / np.maximum(in_list.sum(axis=1), 1)


def monotone(metrics: pd.DataFrame, low: float = -4, high: float = 4) -> pd.Series:
    """Whether each target's share rises, and never falls, with its feature's value from `low` to `high`: by target.

    Args:
        metrics: rows of one method.
        low: smallest value looked at.
        high: largest value looked at.

    Returns:
        bool; False where there are fewer than two values to look at.
    """
    rows = metrics[metrics["value"].between(low, high)].sort_values("value", kind="stable")

    def rises(share: pd.Series) -> bool:
        return bool(share.is_monotonic_increasing and share.iloc[-1] > share.iloc[0])

    rising = rows.groupby("target", sort=False)["share"].agg(rises)
    return rising.reindex(metrics["target"].unique(), fill_value=False).astype(bool)
