"""A search for features of other concepts than the study's (paper section 7.2.2, Figure 6).

The paper shows features for Japanese anime, a film series, foreign films and years, picked by hand. Here every feature
is compared with every concept of such kinds, and the best-aligned pairs are reported.

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
from interp.concepts.cross_fit import ItemLabels
from interp.concepts.evidence import REPEATS, SEED
from interp.concepts.item_folds import item_halves, popularity_deciles
from interp.concepts.item_sums import ItemSums, item_sums
from interp.features.examples import p_top, strongest_histories
from recmodels.errors import InputError

MIN_ROWS = 50  # steps of the test part with a concept, at least, for a meaningful correlation
KEPT = 5  # pairs reported of each kind
SHOWN = 3  # histories shown of each kind's best pair
COMMON_ITEMS = 200  # the most frequent items; each is a concept in the search
# Kind → attributes with its concepts; the first one that the items have is used.
KINDS = {
    "franchise": ("collection", "franchise"),
    "artist": ("artist",),
    "language": ("language", "translated"),
    "decade": ("decade",),
    "year": ("year",),
}
# Columns of the two tables, for data sets without a concept that is frequent enough.
CASES = {
    "kind": str,
    "rank": int,
    "concept": str,
    "feature": int,
    "correlation": float,
    "unseen_items": float,
    "auc": float,
    "p_top100": float,
    "p_top100_pooled": float,
    "rows": int,
}
HISTORIES = ("feature", "rank", "user", "step", "item", "activation", "kind", "has")


def search(
    activations: sparse.csc_array, store: ActivationStore, items: pd.DataFrame, concepts: Concepts, attribute: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The best-aligned pairs of a feature and a concept, for every kind of concept that the items have.

    Kinds are those of `KINDS`; "item", a single common item; and "both", two concepts at once, such as Animation and
    Japanese, if the feature correlates better with both together than with either.

    Args:
        activations: [n, f] on the test part.
        store: what the rows are.
        items: the item table.
        concepts: the study's concepts.
        attribute: the attribute with these concepts; it is not searched again.

    Returns:
        Two tables, which may be empty. Cases: kind, rank (from 1; no feature twice within a kind), concept, feature,
        correlation, unseen_items (the concept's correlation, on half of the items, with the feature that is chosen on
        the other half, as a mean over both and over several pairs of halves; missing for a single item), auc, p_top100,
        p_top100_pooled, rows (steps with the concept). Histories: those of each kind's
        first case, as `strongest_histories` gives them, with kind and `has`, whether the item has the concept.
    """
    cases: list[dict[str, object]] = []
    histories = []
    sums = item_sums(activations, store.rows["item"], np.float32)
    for kind, labels, scores in _kinds(activations, store, items, concepts, attribute):
        best = _best_pairs(scores)
        if not best:
            continue
        unseen = _on_unseen_items(sums, store, labels.iloc[:, [c for _, c in best]]) if kind != "item" else None
        cases += [
            {
                "kind": kind,
                "rank": rank,
                "concept": labels.columns[c],
                "feature": f,
                "correlation": scores[f, c],
                "unseen_items": np.nan if unseen is None else unseen[rank - 1],
                **_scores(activations[:, [f]], store, labels.iloc[:, [c]]),
            }
            for rank, (f, c) in enumerate(best, start=1)
        ]
        first, column = best[0]
        histories_of_best = strongest_histories(activations[:, [first]], store, SHOWN).assign(feature=first, kind=kind)
        has = labels.iloc[:, column].groupby(store.rows["item"].to_numpy()).first()
        histories.append(histories_of_best.assign(has=has.reindex(histories_of_best["item"]).to_numpy()))
    table = pd.DataFrame(cases, columns=list(CASES)).astype(CASES)
    return table, pd.concat(histories, ignore_index=True) if histories else pd.DataFrame(columns=[*HISTORIES])


def _kinds(
    activations: sparse.csc_array, store: ActivationStore, items: pd.DataFrame, concepts: Concepts, attribute: str
) -> Iterator[tuple[str, pd.DataFrame, np.ndarray]]:
    """Kind, labels bool [n, c] with the concepts' names, and correlations [f, c]."""
    families_by_kind = families(items, attribute)
    for kind, family in (families_by_kind | _common_items(items, store)).items():
        labels = _labels(family, store)
        if labels.shape[1]:
            yield kind, labels, correlation(activations, labels.to_numpy())
    parts = [
        _labels(family, store)
        for family in (concepts, *(families_by_kind[k] for k in ("language", "decade") if k in families_by_kind))
    ]
    single = pd.concat(parts, axis=1)
    alone = correlation(activations, single.to_numpy())
    names, values = single.columns, single.to_numpy()
    pairs = [(a, b) for a, b in combinations(range(len(names)), 2) if (values[:, a] & values[:, b]).sum() >= MIN_ROWS]
    if pairs:
        a, b = np.array(pairs).T
        together = values[:, a] & values[:, b]
        joint = correlation(activations, together)
        labels = pd.DataFrame(together, columns=[f"{names[i]} & {names[j]}" for i, j in pairs])
        yield "both", labels, np.where(joint > np.maximum(alone[:, a], alone[:, b]), joint, 0)


def families(items: pd.DataFrame, attribute: str) -> dict[str, Concepts]:
    """The concepts of each kind of `KINDS` that the items have, except the kind of `attribute`."""
    concepts_by_kind = {}
    for kind, names in KINDS.items():
        if attribute in names:
            continue
        for name in names:
            try:
                concepts_by_kind[kind] = concepts_of(items, name, min_support=2 if kind == "franchise" else 1)
                break
            except InputError:
                continue
    return concepts_by_kind


def _common_items(items: pd.DataFrame, store: ActivationStore) -> dict[str, Concepts]:
    common = store.rows["item"].value_counts().index[:COMMON_ITEMS]
    titles = items["title"].where(items.index.isin(common))
    return {"item": concepts_of(pd.DataFrame({"title": items["title"], "item": titles}), "item")}


def _labels(concepts: Concepts, store: ActivationStore) -> pd.DataFrame:
    """Labels of every row, for the concepts that enough but not all rows have."""
    # An attribute can have thousands of values: count by item before any matrix over rows is made.
    count = store.rows["item"].value_counts()
    rows = concepts.labels(count.index).T @ count.to_numpy()
    columns = np.flatnonzero((rows >= MIN_ROWS) & (rows < len(store)))
    by_item = pd.DataFrame(concepts.matrix[:, columns], concepts.items, [concepts.names[c] for c in columns])
    return by_item.loc[store.rows["item"]].reset_index(drop=True)


def _on_unseen_items(sums: ItemSums, store: ActivationStore, labels: pd.DataFrame) -> np.ndarray:
    """Correlations [c] of features chosen on one half of the items with the labels [n, c] of the other half."""
    by_item = labels.to_numpy()[np.unique(pd.factorize(store.rows["item"])[0], return_index=True)[1]]
    halves = item_halves(by_item, popularity_deciles(sums.count), REPEATS, np.random.default_rng(SEED))
    return ItemLabels(by_item, halves, np.float32).fit(sums).by_concept()[1]


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
    """Scores of one feature and one concept beside the correlation."""
    values = labels.to_numpy()
    mean, pooled_share = p_top(activations, store, values)
    return {
        "auc": auc(activations, values).item(),
        "p_top100": mean.item(),
        "p_top100_pooled": pooled_share.item(),
        "rows": int(values.sum()),
    }
