"""The histories that light a feature up, and how much of that light falls on a concept.

Axes: n rows of a store (one user at one step), f features, c concepts.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from scipy import sparse

from interp.activations.activation_store import ActivationStore
from recmodels.sequences import Histories

SHOWN = {"strongest": 6, "middle": 3, "weak": 3}  # histories of each band
SEED = 0  # of the draws of users
Bands = list[tuple[str, int]]


def strongest_histories(
    activations: sparse.csc_array, store: ActivationStore, count: int = 6, before: int = 9, after: int = 2
) -> pd.DataFrame:
    """For every feature, the histories with its largest activation, around the step where it peaks (paper Figure 6).

    Args:
        activations: [n, f].
        store: what the rows are.
        count: histories per feature.
        before: steps shown before the peak.
        after: steps shown after it.

    Returns:
        feature, rank (from 1), user, step, item, activation; one row per shown step.
    """
    chosen = _around_peaks(
        activations, store, lambda n: [("strongest", place) for place in range(min(count, n))], before, after
    )
    return chosen.drop(columns="band")


def banded_histories(
    activations: sparse.csc_array, store: ActivationStore, before: int = 9, after: int = 2
) -> pd.DataFrame:
    """For every feature, histories that light it up strongly, middlingly and weakly, around the step where it peaks.

    Of the histories in which it is ever on, by their peak: the strongest, those around the median, and those around
    the 10th percentile, as many of each as `SHOWN` says. No history is in two bands; where there are too few for all
    of them, the middle goes first.

    Args:
        activations: [n, f].
        store: what the rows are.
        before: steps shown before the peak.
        after: steps shown after it.

    Returns:
        feature, band, rank (by peak among all of its histories, from 1), user, step, item, activation, and what else
        the store says of its rows; one row per shown step.
    """
    return _around_peaks(activations, store, bands, before, after)


def bands(n: int) -> Bands:
    """Which of a feature's n histories are shown, the one with the highest peak being 0, each with its band."""
    top = min(SHOWN["strongest"], n)
    weak = min(max(round(0.9 * (n - 1)) - SHOWN["weak"] // 2, top), max(n - SHOWN["weak"], top))
    middle = max(round(0.5 * (n - 1)) - SHOWN["middle"] // 2, top)
    places = {
        "strongest": range(top),
        "middle": range(middle, min(middle + SHOWN["middle"], weak)),
        "weak": range(weak, min(weak + SHOWN["weak"], n)),
    }
    return [(band, place) for band, some in places.items() for place in some]


def next_items(store: ActivationStore, held_out: pd.Series) -> np.ndarray:
    """The item that each row's user took next, [n].

    Args:
        store: what the rows are.
        held_out: by user, the item after the last row.
    """
    owner, users = store.users
    items = store.rows["item"].to_numpy()
    following = np.r_[items[1:], items[:1]]
    following[np.r_[owner[1:] != owner[:-1], True]] = held_out.loc[users].to_numpy()
    return following


def _around_peaks(
    activations: sparse.csc_array, store: ActivationStore, choose: Callable[[int], Bands], before: int, after: int
) -> pd.DataFrame:
    """The chosen ones of each feature's histories, the steps around their peak."""
    owner, _ = store.users
    parts, named = [], []
    for feature, rows, values in _columns(activations):
        starts, users = _runs(owner[rows])
        peak = np.maximum.reduceat(values, starts)
        order = np.argsort(-peak, kind="stable")
        for band, place in choose(len(order)):
            best = order[place]
            run = slice(starts[best], starts[best + 1] if best + 1 < len(starts) else len(rows))
            at = rows[run][values[run].argmax()]
            shown = np.arange(max(at - before, 0), min(at + after + 1, len(owner)))
            shown = shown[owner[shown] == users[best]]
            part = np.zeros(len(shown), dtype=np.float32)
            inside = (rows[run] >= shown[0]) & (rows[run] <= shown[-1])
            part[rows[run][inside] - shown[0]] = values[run][inside]
            parts.append((np.full(len(shown), feature), np.full(len(shown), place + 1), shown, part))
            named += [band] * len(shown)
    features, ranks, steps, strengths = (np.concatenate(column) for column in zip(*parts, strict=True))
    what = store.rows.iloc[steps].reset_index(drop=True)
    return pd.DataFrame({"feature": features, "band": named, "rank": ranks}).join(what).assign(activation=strengths)


def p_top(
    activations: sparse.csc_array, store: ActivationStore, labels: np.ndarray, count: int = 100
) -> tuple[np.ndarray, np.ndarray]:
    """The paper's p_top100: how much of a feature's activation falls on items with a concept (section 7.2.2).

    Of the `count` histories with the feature's largest activations, the share of its activation that falls
    on items with the concept: averaged over histories, and pooled over all of them (docs/paper.md, 10).

    Args:
        activations: [n, f].
        store: what the rows are.
        labels: bool [n, c], concepts of each row's item.
        count: histories per feature.

    Returns:
        Two float arrays [f, c]: mean of the shares, pooled share. 0 for a feature that is never active.
    """
    owner, _ = store.users
    mean = np.zeros((activations.shape[1], labels.shape[1]))
    pooled = np.zeros_like(mean)
    weights = labels.astype(np.float64)
    for feature, rows, values in _columns(activations):
        starts, _ = _runs(owner[rows])
        top = np.argsort(-np.maximum.reduceat(values, starts), kind="stable")[:count]
        inside = np.add.reduceat(values[:, None] * weights[rows], starts, axis=0)[top]
        total = np.add.reduceat(values.astype(np.float64), starts)[top]
        mean[feature] = (inside / total[:, None]).mean(axis=0)
        pooled[feature] = inside.sum(axis=0) / total.sum()
    return mean, pooled


def histograms(activations: sparse.csc_array, labels: np.ndarray, concept: np.ndarray, bins: int = 30) -> pd.DataFrame:
    """Histogram of each feature's positive activations, split by whether the item has a concept (paper Figure 5).

    Args:
        activations: [n, f].
        labels: bool [n, c].
        concept: int [f], the column of `labels` that each feature is split by.
        bins: equal bins from 0 to the feature's maximum.

    Returns:
        feature, left, right (bin edges), present, absent (rows).
    """
    parts = []
    for feature, rows, values in _columns(activations):
        has = labels[rows, concept[feature]]
        edges = np.histogram_bin_edges(values, bins, range=(0, float(values.max())))
        present, absent = np.histogram(values[has], edges)[0], np.histogram(values[~has], edges)[0]
        parts.append(
            pd.DataFrame(
                {
                    "feature": feature,
                    "left": edges[:-1],
                    "right": edges[1:],
                    "present": present,
                    "absent": absent,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _columns(activations: sparse.csc_array) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Every feature that is ever active, with its active rows in order and its activations there."""
    for feature in range(activations.shape[1]):
        part = slice(activations.indptr[feature], activations.indptr[feature + 1])
        if part.stop > part.start:
            yield feature, activations.indices[part], activations.data[part]


def _runs(owner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each run of equal, sorted values starts, and its value."""
    starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    return starts, owner[starts]


def sample_users(histories: Histories, count: int) -> Histories:
    """So many of the users, drawn at random and in their order, or all if there are no more."""
    if len(histories) <= count:
        return histories
    chosen = np.random.default_rng(SEED).choice(len(histories), count, replace=False)
    return histories.select(np.sort(chosen))
