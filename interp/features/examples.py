"""The histories with a feature's largest activations, and the share of its activation on a concept.

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
    table = _around_peaks(
        activations, store, lambda n: [("strongest", place) for place in range(min(count, n))], before, after
    )
    return table.drop(columns="band")


def banded_histories(
    activations: sparse.csc_array, store: ActivationStore, before: int = 9, after: int = 2
) -> pd.DataFrame:
    """For every feature, histories with strong, middle and weak activation, around the step where it peaks.

    Of the histories in which the feature is active, ordered by their peak: the strongest, those around the median, and
    those around the 10th percentile; `SHOWN` says how many of each. No history is in two bands; if there are too few
    histories, the middle band is shortened first.

    Args:
        activations: [n, f].
        store: what the rows are.
        before: steps shown before the peak.
        after: steps shown after it.

    Returns:
        feature, band, rank (by peak among all of its histories, from 1), user, step, item, activation, and the other
        columns of the store's rows; one row per shown step.
    """
    return _around_peaks(activations, store, bands, before, after)


def bands(n: int) -> Bands:
    """The band and the place of each shown history among a feature's n; place 0 has the highest peak."""
    top = min(SHOWN["strongest"], n)
    weak = min(max(round(0.9 * (n - 1)) - SHOWN["weak"] // 2, top), max(n - SHOWN["weak"], top))
    middle = max(round(0.5 * (n - 1)) - SHOWN["middle"] // 2, top)
    places = {
        "strongest": range(top),
        "middle": range(middle, min(middle + SHOWN["middle"], weak)),
        "weak": range(weak, min(weak + SHOWN["weak"], n)),
    }
    return [(band, place) for band, positions in places.items() for place in positions]


def next_items(store: ActivationStore, last_items: pd.Series) -> np.ndarray:
    """The item that each row's user took next, [n].

    Args:
        store: what the rows are.
        last_items: by user, the item after the last row.
    """
    owner, users = store.users
    items = store.rows["item"].to_numpy()
    following = np.r_[items[1:], items[:1]]
    following[np.r_[owner[1:] != owner[:-1], True]] = last_items.loc[users].to_numpy()
    return following


def _around_peaks(
    activations: sparse.csc_array, store: ActivationStore, choose: Callable[[int], Bands], before: int, after: int
) -> pd.DataFrame:
    """The steps around the peak of the histories of each feature that `choose` selects."""
    owner, _ = store.users
    parts, band_names = [], []
    for feature, rows, values in _columns(activations):
        starts, users = _runs(owner[rows])
        peak = np.maximum.reduceat(values, starts)
        order = np.argsort(-peak, kind="stable")
        for band, place in choose(len(order)):
            best = order[place]
            run = slice(starts[best], starts[best + 1] if best + 1 < len(starts) else len(rows))
            at = rows[run][values[run].argmax()]
            window = np.arange(max(at - before, 0), min(at + after + 1, len(owner)))
            window = window[owner[window] == users[best]]
            part = np.zeros(len(window), dtype=np.float32)
            inside = (rows[run] >= window[0]) & (rows[run] <= window[-1])
            part[rows[run][inside] - window[0]] = values[run][inside]
            parts.append((np.full(len(window), feature), np.full(len(window), place + 1), window, part))
            band_names += [band] * len(window)
    features, ranks, steps, strengths = (np.concatenate(column) for column in zip(*parts, strict=True))
    columns = store.rows.iloc[steps].reset_index(drop=True)
    return (
        pd.DataFrame({"feature": features, "band": band_names, "rank": ranks})
        .join(columns)
        .assign(activation=strengths)
    )


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
    pooled_share = np.zeros_like(mean)
    weights = labels.astype(np.float64)
    for feature, rows, values in _columns(activations):
        starts, _ = _runs(owner[rows])
        top = np.argsort(-np.maximum.reduceat(values, starts), kind="stable")[:count]
        inside = np.add.reduceat(values[:, None] * weights[rows], starts, axis=0)[top]
        total = np.add.reduceat(values.astype(np.float64), starts)[top]
        mean[feature] = (inside / total[:, None]).mean(axis=0)
        pooled_share[feature] = inside.sum(axis=0) / total.sum()
    return mean, pooled_share


def lit_histories(activations: sparse.csc_array, store: ActivationStore) -> np.ndarray:
    """How many histories light each feature at some step: int [f]; `p_top` looks at so many where they are few."""
    owner, _ = store.users
    counts = np.zeros(activations.shape[1], dtype=int)
    for feature, rows, _ in _columns(activations):
        counts[feature] = len(_runs(owner[rows])[0])
    return counts


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
    """Every feature that is active somewhere, with its active rows in order and its activations there."""
    for feature in range(activations.shape[1]):
        part = slice(activations.indptr[feature], activations.indptr[feature + 1])
        if part.stop > part.start:
            yield feature, activations.indices[part], activations.data[part]


def _runs(owner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each run of equal, sorted values starts, and its value."""
    starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    return starts, owner[starts]


def sample_users(histories: Histories, count: int) -> Histories:
    """A random sample of `count` users in their order, or all users if there are no more."""
    if len(histories) <= count:
        return histories
    rows = np.random.default_rng(SEED).choice(len(histories), count, replace=False)
    return histories.select(np.sort(rows))
