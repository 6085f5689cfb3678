"""Labels for features, chosen on some users and items and tested on others, without a language model.

A label is a predicate on the item of a step, such as Horror, 1980s, Star Trek, Action & 1980s, or one film. It is the
predicate that best predicts where the feature is active, on the users of the dictionary's training part: this is the
largest part, and a series or a single film needs many users. The label is then scored on users who were used neither
for the dictionary nor for this choice: by its precision and recall, by how much more often than chance it is right, and
by whether it separates the feature's steps from *hard negatives*, steps of items with a concept near to the feature or
where a feature of a similar direction is active. And it must hold on items that it was not learnt from
(`interp.features.label_folds`), unless it is one film by name. A label that fails is dropped. Bills et al. (Language
models can explain neurons in language models, 2023) and Paulo et al. (Automatically interpreting millions of features,
arXiv 2410.13928) test explanations in words in this way.

Axes: f features, v items, c predicates.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from scipy import sparse

from interp.features.item_activity import CELLS, Counts, ItemCounts, f1_of
from interp.features.predicates import ITEM, Predicates, pairs
from recmodels.best_items import best_items

UNLABELLED = "unlabelled"
F1 = 0.3  # of a label, at least: see `is_labelled`
LIFT = 2.0  # of a label, at least: how many times more often than chance it is right
HARD = 2 / 3  # precision among as many hard negatives as active steps, at least
HALVES = 1 / 2  # share of halves of the items, above which a label holds on items that it was not learnt from
SUPPORT = 10  # unseen steps that fit a label, at least
GAIN = 0.02  # of F1, at least, for two predicates to be preferred to one
EXAMPLES = 3
DRAWS = 20  # of other features' labels
SEED = 0


@dataclass(frozen=True)
class Labels:
    """A label for each feature.

    Attributes:
        names: the labels [f], empty where there is none.
        kinds: their kinds [f], as in `interp.features.predicates.Predicates`.
        fits: which of some items fit the feature's label, bool [f, v].
    """

    names: np.ndarray
    kinds: np.ndarray
    fits: np.ndarray


def choose(training: Counts, single: Predicates, items: pd.Index) -> Labels:
    """The predicate, or two at once, with the best F1 for each feature.

    Args:
        training: when features are active in training.
        single: the candidates; their items include those of `training` and of `items`.
        items: the items on which the labels are evaluated.

    Returns:
        Labels whose `fits` are about `items`.
    """
    joint = pairs(single, training.by_item)
    active = training.active.sum(axis=1)
    scores = [_f1(training, kind, active) for kind in (single, joint)]
    best = [score.argmax(axis=1) if score.shape[1] else np.zeros(len(score), int) for score in scores]
    top = [score.max(axis=1, initial=0) for score in scores]
    names = np.full(len(active), "", dtype=object)
    kinds, fits = names.copy(), np.zeros((len(active), len(items)), dtype=bool)
    two = top[1] > top[0] + GAIN
    for kind, column, mask in ((single, best[0], ~two & (top[0] > 0)), (joint, best[1], two)):
        names[mask], kinds[mask] = kind.names[column[mask]], kind.kinds[column[mask]]
        places = sparse.csc_array(kind.fits.tocsr()[single.items.get_indexer(items)])
        for feature in np.flatnonzero(mask):
            start, stop = places.indptr[column[feature] : column[feature] + 2]
            fits[feature, places.indices[start:stop]] = True
    return Labels(names, kinds, fits)


def score(fits: np.ndarray, unseen: Counts, hard: sparse.csr_array) -> pd.DataFrame:
    """How well labels predict that features are active.

    Args:
        fits: which items fit each feature's label, bool [f, v].
        unseen: when the features are active.
        hard: their hard negatives by item [f, v].

    Returns:
        A row per feature: support (steps that fit the label), active (steps where the feature is active), precision,
        recall, f1, lift (precision relative to the share of active steps), hard_precision (precision with one hard
        negative per active step), and labelled.
    """
    hits = _sum_where(unseen.active, fits)
    support, active = np.array([unseen.steps[fit].sum() for fit in fits]), _sum(unseen.active)
    recall, confused = _ratio(hits, active), _ratio(_sum_where(hard, fits), _sum(hard))
    precision = _ratio(hits, support)
    table = pd.DataFrame(
        {
            "precision": precision,
            "recall": recall,
            "f1": _ratio(2 * hits, support + active),
            "lift": _ratio(precision, active / unseen.steps.sum()),
            "hard_precision": _ratio(recall, recall + confused),
            "support": support.astype(int),
            "active": active.astype(int),
        }
    )
    return table.assign(labelled=is_labelled(table))


def is_labelled(scores: pd.DataFrame) -> pd.Series:
    """Whether a label is good enough to be shown.

    It needs an F1 of 0.3 and a lift of 2: a common predicate, or a feature that is nearly always active, can reach the
    F1 alone; a predicate that fits few steps can reach the lift alone; only an informative label reaches both. It needs
    a hard precision of 2/3: the label is at least twice as frequent among active steps as among hard negatives.
    `by_chance` gives the share of other features' labels that pass.
    """
    good = (scores["f1"] >= F1) & (scores["lift"] >= LIFT) & (scores["hard_precision"] >= HARD)
    return good & (scores["support"] >= SUPPORT)


def by_chance(fits: np.ndarray, unseen: Counts, hard: sparse.csr_array) -> float:
    """The share of features that would be labelled with another feature's label, where the two labels differ."""
    rng, n_passing, n_different = np.random.default_rng(SEED), 0, 0
    for _ in range(DRAWS):
        shuffled = fits[rng.permutation(len(fits))]
        different = (shuffled != fits).any(axis=1) & shuffled.any(axis=1)
        n_passing += int((score(shuffled, unseen, hard)["labelled"] & different).sum())
        n_different += int(different.sum())
    return n_passing / n_different if n_different else 0.0


def label_features(
    single: Predicates, item_counts: ItemCounts, unseen_items: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Every feature's label.

    Args:
        single: the predicates on items.
        item_counts: when features are active.
        unseen_items: `interp.features.label_folds.share_of_halves` of them, [f].

    Returns:
        Three tables: feature, label, kind, the columns of `score` on unseen users, unseen_items (missing for a single
        item), and labelled, which now is for both; `by_kind` of it; and `examples` of it.
    """
    labels = choose(item_counts.training, single, item_counts.unseen.items)
    scores = score(labels.fits, item_counts.unseen, item_counts.hard).rename(columns={"labelled": "on_unseen_users"})
    table = pd.DataFrame({"feature": np.arange(len(scores)), "label": labels.names, "kind": labels.kinds}).join(scores)
    alone = table["kind"] == ITEM
    table["unseen_items"] = np.where(alone, np.nan, unseen_items)
    table["labelled"] = table["on_unseen_users"] & (alone | (unseen_items > HALVES))
    chance = by_chance(labels.fits, item_counts.unseen, item_counts.hard)
    return table, by_kind(table, chance), examples(labels.fits, item_counts.unseen)


def by_kind(table: pd.DataFrame, chance: float) -> pd.DataFrame:
    """How many features could be labelled, by kind of their best predicate.

    Args:
        table: a label for each feature, with its scores.
        chance: `by_chance` of them.

    Returns:
        kind ("all", then the kinds), features (that are active on unseen steps), on_unseen_users (of these, with a
        label that holds on unseen users), labelled (and on unseen items), precision, recall, f1, lift, hard_precision
        (means over the labelled), by_chance (of all, on unseen users).
    """
    alive = table[table["active"] > 0]
    measures = ["precision", "recall", "f1", "lift", "hard_precision"]
    rows = []
    for kind, group in [("all", alive), *alive[alive["kind"] != ""].groupby("kind")]:
        good = group[group["labelled"]]
        share = chance if kind == "all" else np.nan
        counts = {"features": len(group), "on_unseen_users": group["on_unseen_users"].sum(), "labelled": len(good)}
        rows.append({"kind": kind, **counts, **good[measures].mean(), "by_chance": share})
    return pd.DataFrame(rows).sort_values(["labelled", "features"], ascending=False, kind="stable", ignore_index=True)


def examples(fits: np.ndarray, unseen: Counts) -> pd.DataFrame:
    """Items for and against a label.

    Returns:
        feature, role ("hit": fits the label and activates the feature; "false alarm": fits the label only; "missed":
        activates the feature only), rank (from 1, by steps), item, steps.
    """
    parts, at_once = [], max(CELLS // max(len(unseen.items), 1), 1)
    for start in range(0, len(fits), at_once):
        block = slice(start, start + at_once)
        active, fit = unseen.active[block].toarray(), fits[block]
        roles = {"hit": active * fit, "false alarm": (unseen.steps - active) * fit, "missed": active * ~fit}
        for role, steps in roles.items():
            codes, values = best_items(torch.from_numpy(steps.astype(np.float64)), EXAMPLES)
            order, counts = codes.numpy(), values.numpy().astype(int)
            feature, rank = np.nonzero(counts)
            rows = {"rank": rank + 1, "item": unseen.items[order[feature, rank]], "steps": counts[feature, rank]}
            parts.append(pd.DataFrame({"feature": start + feature, "role": role, **rows}))
    return pd.concat(parts).sort_values("feature", kind="stable", ignore_index=True)


def _f1(training: Counts, predicates: Predicates, active: np.ndarray) -> np.ndarray:
    fits = predicates.fits.tocsr()[predicates.items.get_indexer(training.items)]
    return f1_of((training.active @ fits).toarray(), fits.T @ training.steps, active)


def _sum(values: sparse.csr_array) -> np.ndarray:
    """Sums [f] of values [f, v], in double precision without a copy."""
    return np.array([values.data[start:stop].sum(dtype=np.float64) for start, stop in pairwise(values.indptr)])


def _sum_where(values: sparse.csr_array, mask: np.ndarray) -> np.ndarray:
    """Sums [f] of values [f, v] where a mask [f, v] is true."""
    rows = zip(mask, pairwise(values.indptr), strict=True)
    parts = (values.data[start:stop][row[values.indices[start:stop]]] for row, (start, stop) in rows)
    return np.array([part.sum(dtype=np.float64) for part in parts])


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, 0 where there is nothing."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
