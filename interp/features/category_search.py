"""Features that stand for more than the study's concepts, found by search (paper section 7.2.2, Figure 6).

The paper shows features for Japanese anime, for a film series, for foreign films and for years, picked by hand. Here
every concept of each such kind is compared with every feature, and the best-aligned pairs are reported.

Axes: n rows of the test part, f features, c concepts.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import sparse

from interp.activations.activation_store import ActivationStore
from interp.concepts import Concepts, concepts_of
from interp.concepts.alignment import auc, correlation
from interp.features.examples import p_top, strongest_histories
from recmodels.errors import InputError

MIN_ROWS = 50  # steps of the test part that a concept needs, for its correlation to mean something
KEPT = 5  # pairs reported of each kind
SHOWN = 3  # histories shown of each kind's best pair
COMMON_ITEMS = 200  # the most frequent items, which are searched for as concepts of their own
# Kind → attributes that hold it, of which the first that the items have is taken.
KINDS = {
    "franchise": ("collection", "franchise"),
    "artist": ("artist",),
    "language": ("language", "translated"),
    "decade": ("decade",),
    "year": ("year",),
}
# Columns of the two tables, for data sets in which nothing is common enough to look for.
CASES = {
    "kind": str,
    "rank": int,
    "concept": str,
    "feature": int,
    "correlation": float,
    "auc": float,
    "p_top100": float,
    "p_top100_pooled": float,
    "rows": int,
}
HISTORIES = ("feature", "rank", "user", "step", "item", "activation", "kind", "has")


def search(
    activations: sparse.csc_array, store: ActivationStore, items: pd.DataFrame, concepts: Concepts, attribute: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The best-aligned pairs of a feature and a concept, of every kind that the items allow to search for.

    Kinds are those of `KINDS`; "item", one common item alone; and "both", two concepts at once, such as Animation and
    Japanese, which count only where they fit the feature better together than either alone.

    Args:
        activations: [n, f] on the test part.
        store: what the rows are.
        items: the item table.
        concepts: the study's concepts.
        attribute: the attribute that they are values of; it is no kind of its own.

    Returns:
        Two tables, which may be empty. Cases: kind, rank (from 1; no feature twice within a kind), concept, feature,
        correlation, auc, p_top100, p_top100_pooled, rows (steps with the concept). Histories: those of each kind's
        first case, as `strongest_histories` gives them, with kind and `has`, whether the item has the concept.
    """
    cases = [pd.DataFrame(columns=list(CASES)).astype(CASES)]
    histories = [pd.DataFrame(columns=[*HISTORIES])]
    for kind, labels, scores in _kinds(activations, store, items, concepts, attribute):
        best = _best_pairs(scores)
        if not best:
            continue
        rows = [
            {
                "kind": kind,
                "rank": rank,
                "concept": labels.columns[c],
                "feature": f,
                "correlation": scores[f, c],
                **_scores(activations[:, [f]], store, labels.iloc[:, [c]]),
            }
            for rank, (f, c) in enumerate(best, start=1)
        ]
        cases.append(pd.DataFrame(rows))
        first, column = best[0]
        shown = strongest_histories(activations[:, [first]], store, SHOWN).assign(feature=first, kind=kind)
        has = labels.iloc[:, column].groupby(store.rows["item"].to_numpy()).first()
        histories.append(shown.assign(has=has.reindex(shown["item"]).to_numpy()))
    return _joined(cases), _joined(histories)


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """All parts; the first, which is empty, only where it is alone, as it would spoil the types of the others."""
    return pd.concat(parts[1:] or parts, ignore_index=True)


def _kinds(
    activations: sparse.csc_array, store: ActivationStore, items: pd.DataFrame, concepts: Concepts, attribute: str
) -> Iterator[tuple[str, pd.DataFrame, np.ndarray]]:
    """Kind, labels bool [n, c] with the concepts' names, and correlations [f, c]."""
    found = families(items, attribute)
    for kind, family in (found | _common_items(items, store)).items():
        labels = _labels(family, store)
        if labels.shape[1]:
            yield kind, labels, correlation(activations, labels.to_numpy())
    parts = [_labels(family, store) for family in (concepts, *(found[k] for k in ("language", "decade") if k in found))]
    single = pd.concat(parts, axis=1)
    alone = correlation(activations, single.to_numpy())
    names, values = single.columns, single.to_numpy()
    pairs = [(a, b) for a, b in combinations(range(len(names)), 2) if (values[:, a] & values[:, b]).sum() >= MIN_ROWS]
    if pairs:
        a, b = np.array(pairs).T
        together = values[:, a] & values[:, b]
        both = correlation(activations, together)
        labels = pd.DataFrame(together, columns=[f"{names[i]} & {names[j]}" for i, j in pairs])
        yield "both", labels, np.where(both > np.maximum(alone[:, a], alone[:, b]), both, 0)


def families(items: pd.DataFrame, attribute: str) -> dict[str, Concepts]:
    """The concepts of each kind of `KINDS` that the items have, but for the one that `attribute` holds."""
    found = {}
    for kind, names in KINDS.items():
        if attribute in names:
            continue
        for name in names:
            try:
                found[kind] = concepts_of(items, name, min_support=2 if kind == "franchise" else 1)
                break
            except InputError:
                continue
    return found


def _common_items(items: pd.DataFrame, store: ActivationStore) -> dict[str, Concepts]:
    common = store.rows["item"].value_counts().index[:COMMON_ITEMS]
    titles = items["title"].where(items.index.isin(common))
    return {"item": concepts_of(pd.DataFrame({"title": items["title"], "item": titles}), "item")}


def _labels(concepts: Concepts, store: ActivationStore) -> pd.DataFrame:
    """Labels of every row, for the concepts that enough but not all rows have."""
    # An attribute can have thousands of values: count by item before any matrix over rows is made.
    count = store.rows["item"].value_counts()
    rows = concepts.labels(count.index).T @ count.to_numpy()
    kept = np.flatnonzero((rows >= MIN_ROWS) & (rows < len(store)))
    by_item = pd.DataFrame(concepts.matrix[:, kept], concepts.items, [concepts.names[c] for c in kept])
    return by_item.loc[store.rows["item"]].reset_index(drop=True)


def _best_pairs(scores: np.ndarray) -> list[tuple[int, int]]:
    """The feature and concept of the largest correlations above 0, no feature and no concept twice."""
    scores = scores.copy()
    best: list[tuple[int, int]] = []
    while len(best) < KEPT and scores.size and scores.max() > 0:
        f, c = np.unravel_index(scores.argmax(), scores.shape)
        best.append((int(f), int(c)))
        scores[f], scores[:, c] = 0, 0
    return best


def _scores(activations: sparse.csc_array, store: ActivationStore, labels: pd.DataFrame) -> dict[str, float]:
    """Scores of one feature and one concept that a correlation does not tell."""
    values = labels.to_numpy()
    mean, pooled = p_top(activations, store, values)
    return {
        "auc": auc(activations, values).item(),
        "p_top100": mean.item(),
        "p_top100_pooled": pooled.item(),
        "rows": int(values.sum()),
    }
