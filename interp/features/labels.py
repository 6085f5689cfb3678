"""Labels for features, learnt on some users and scored on others, without a language model.

A label is a predicate on the item of a step, such as Horror, 1980s, Star Trek, Action & 1980s, or one film. It is the
one that foretells best, on the users who trained the dictionary, that the feature is active: they are the most, and a
series or a single film needs many. It then has to prove itself on users whom neither the dictionary nor the choice has
seen: its precision and recall there, how much more often than by chance it is right, and whether it tells the
feature's steps from *hard negatives*, steps of items that have a concept near to the feature or where a feature of a
similar direction is active. A label that does not is no label. This is what Bills et al. (Language models can
explain neurons in language models, 2023) and Paulo et al. (Automatically interpreting millions of features,
arXiv 2410.13928) ask of explanations in words.

Axes: f features, v items, c predicates.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from interp.features.item_activity import Activity, Counts, f1_of
from interp.features.predicates import Predicates, pairs

UNLABELLED = "unlabelled"
F1 = 0.3  # a label's, at least: see `is_labelled`
LIFT = 2.0  # times as often right as by chance, at least
HARD = 2 / 3  # precision among as many hard negatives as active steps, at least
SUPPORT = 10  # unseen steps that a label speaks of, at least
GAIN = 0.02  # of F1, for two predicates to be worth more than one
EXAMPLES = 3
DRAWS = 20  # of other features' labels
SEED = 0


@dataclass(frozen=True)
class Labels:
    """A label for each feature.

    Attributes:
        names: what they are [f], empty where nothing was found.
        kinds: of what kind [f], as in `interp.features.predicates.Predicates`.
        fits: which of some items fit the feature's label, bool [f, v].
    """

    names: np.ndarray
    kinds: np.ndarray
    fits: np.ndarray


def choose(learnt: Counts, single: Predicates, items: pd.Index) -> Labels:
    """The predicate, or two at once, with the best F1 for each feature.

    Args:
        learnt: when features are active.
        single: what can be said; its items have those of `learnt` and of `items`.
        items: whom the labels are then asked about.

    Returns:
        Labels whose `fits` are about `items`.
    """
    both = pairs(single, learnt.by_item)
    active = learnt.active.sum(axis=1)
    scores = [_f1(learnt, kind, active) for kind in (single, both)]
    best = [score.argmax(axis=1) if score.shape[1] else np.zeros(len(score), int) for score in scores]
    top = [score.max(axis=1, initial=0) for score in scores]
    names = np.full(len(active), "", dtype=object)
    kinds, fits = names.copy(), np.zeros((len(active), len(items)), dtype=bool)
    two = top[1] > top[0] + GAIN
    for kind, column, chosen in ((single, best[0], ~two & (top[0] > 0)), (both, best[1], two)):
        names[chosen], kinds[chosen] = kind.names[column[chosen]], kind.kinds[column[chosen]]
        rows = kind.fits.tocsr()[single.items.get_indexer(items)]
        fits[chosen] = sparse.csc_array(rows)[:, column[chosen]].toarray().T > 0
    return Labels(names, kinds, fits)


def score(fits: np.ndarray, unseen: Counts, hard: sparse.csr_array) -> pd.DataFrame:
    """How well labels foretell that features are active.

    Args:
        fits: which items fit each feature's label, bool [f, v].
        unseen: when the features are active.
        hard: their hard negatives by item [f, v].

    Returns:
        A row per feature: support (steps that the label speaks of), active (steps where the feature is), precision (of
        the former, the share of the latter), recall, f1, lift (precision relative to the share of all steps),
        hard_precision (what precision would be if for each active step there was one hard negative), and labelled.
    """
    hits = _sum(unseen.active.multiply(fits))
    support, active = fits @ unseen.steps, _sum(unseen.active)
    recall, confused = _ratio(hits, active), _ratio(_sum(hard.multiply(fits)), _sum(hard))
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

    An F1 of 0.3 with a lift of 2: a common predicate, or a feature that is nearly always active, reaches the one, and a
    predicate that fits a handful of steps the other, but only what says something of the feature reaches both. A hard
    precision of 2/3: the label is at least twice as frequent among active steps as among hard negatives. `by_chance`
    says how often labels of other features get that far.
    """
    good = (scores["f1"] >= F1) & (scores["lift"] >= LIFT) & (scores["hard_precision"] >= HARD)
    return good & (scores["support"] >= SUPPORT)


def by_chance(fits: np.ndarray, unseen: Counts, hard: sparse.csr_array) -> float:
    """How often a feature would be labelled with what another is called, where that says something else: a share."""
    rng, passed, tried = np.random.default_rng(SEED), 0, 0
    for _ in range(DRAWS):
        others = fits[rng.permutation(len(fits))]
        different = (others != fits).any(axis=1) & others.any(axis=1)
        passed += int((score(others, unseen, hard)["labelled"] & different).sum())
        tried += int(different.sum())
    return passed / tried if tried else 0.0


def label_features(single: Predicates, activity: Activity) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Every feature's label.

    Args:
        single: what can be said of items.
        activity: when features are active.

    Returns:
        Three tables: feature, label, kind and the columns of `score`; `by_kind` of it; and `examples` of it.
    """
    labels = choose(activity.learnt, single, activity.unseen.items)
    scores = score(labels.fits, activity.unseen, activity.hard)
    table = pd.DataFrame({"feature": np.arange(len(scores)), "label": labels.names, "kind": labels.kinds}).join(scores)
    chance = by_chance(labels.fits, activity.unseen, activity.hard)
    return table, by_kind(table, chance), examples(labels.fits, activity.unseen)


def by_kind(table: pd.DataFrame, chance: float) -> pd.DataFrame:
    """How many features could be labelled, by kind of their best predicate.

    Args:
        table: a label for each feature, with its scores.
        chance: `by_chance` of them.

    Returns:
        kind ("all", then the kinds), features (that are active on unseen steps), labelled (of these), precision,
        recall, f1, lift, hard_precision (means over the labelled), by_chance (of all).
    """
    alive = table[table["active"] > 0]
    measures = ["precision", "recall", "f1", "lift", "hard_precision"]
    rows = []
    for kind, some in [("all", alive), *alive[alive["kind"] != ""].groupby("kind")]:
        good = some[some["labelled"]]
        share = chance if kind == "all" else np.nan
        rows.append(
            {"kind": kind, "features": len(some), "labelled": len(good), **good[measures].mean(), "by_chance": share}
        )
    return pd.DataFrame(rows).sort_values(["labelled", "features"], ascending=False, kind="stable", ignore_index=True)


def examples(fits: np.ndarray, unseen: Counts) -> pd.DataFrame:
    """Items that speak for a label, and against it.

    Returns:
        feature, role ("hit": fits the label and lights the feature; "false alarm": fits it and does not; "missed":
        lights the feature and does not fit), rank (from 1, by steps), item, steps.
    """
    active, parts = unseen.active.toarray(), []
    roles = {"hit": active * fits, "false alarm": (unseen.steps - active) * fits, "missed": active * ~fits}
    for role, steps in roles.items():
        order = np.argsort(-steps, axis=1, kind="stable")[:, :EXAMPLES]
        shown = np.take_along_axis(steps, order, axis=1).astype(int)
        feature, rank = np.nonzero(shown)
        rows = {"rank": rank + 1, "item": unseen.items[order[feature, rank]], "steps": shown[feature, rank]}
        parts.append(pd.DataFrame({"feature": feature, "role": role, **rows}))
    return pd.concat(parts).sort_values("feature", kind="stable", ignore_index=True)


def _f1(learnt: Counts, predicates: Predicates, active: np.ndarray) -> np.ndarray:
    fits = predicates.fits.tocsr()[predicates.items.get_indexer(learnt.items)]
    return f1_of((learnt.active @ fits).toarray(), fits.T @ learnt.steps, active)


def _sum(values: sparse.sparray) -> np.ndarray:
    return np.asarray(values.sum(axis=1)).ravel()


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, 0 where there is nothing."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
