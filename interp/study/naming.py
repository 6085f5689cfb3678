"""Labels by a function of your own, such as a language model's, scored as those of `interp.features.labels` are.

The function sees items of one half of all. Its name must hold on other users, and on the other half of the items.

def ask(evidence):
    label = model(f"What have these films in common? {evidence.items['title'].tolist()}")
    return Name(label, lambda items: [model(f"Does {title!r} fit {label!r}?") == "yes" for title in items["title"]])

label_with(study, ask, features=range(20))
"""

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from interp.features.item_activity import ItemCounts, count_by_item, f1_of
from interp.features.label_folds import hold_on, label_halves
from interp.features.labels import score
from interp.study.study_parts import check_is_study
from recmodels.errors import InputError, an, quote

if TYPE_CHECKING:
    from interp.study.study import Study

KIND = "named"
N_ITEMS = 20  # items that light a feature
MIN_STEPS = 5  # of an item, for its mean activation to be shown


@dataclass(frozen=True)
class Evidence:
    """What a function may name a feature by. Nothing of it is about the steps that the label is scored on.

    Its items are from one half of all; on the other half the name must hold as well.

    Attributes:
        feature: which one.
        items: the 20 items that light it most: item, title, concepts, steps, active (share of them where the feature is
            above the median of its activations), activation (mean over all of them).
        concepts: concept, precision, recall and f1 as its label on these steps, best first.
        promoted: the items whose scores it raises most: item, title, concepts, effect.
    """

    feature: int
    items: pd.DataFrame
    concepts: pd.DataFrame
    promoted: pd.DataFrame


@dataclass(frozen=True)
class Name:
    """What a function calls a feature.

    Attributes:
        label: in any words.
        fits: which items it means: given a frame with item as index and columns title and concepts, one truth value for
            each row. For a concept, `lambda items: items["concepts"].map(lambda has: "Horror" in has)`.
    """

    label: str
    fits: Callable[[pd.DataFrame], Sequence[bool]]


def label_with(
    study: "Study", function: Callable[[Evidence], Name | None], features: Iterable[Any] | None = None
) -> pd.DataFrame:
    """Name features by a function and score the names on the test users.

    A feature for which the function, or what its name means, raises an error stays without a name; a warning says for
    how many that was so.

    Args:
        study: whose features.
        function: from a feature's evidence to its name, or None where it has none.
        features: which, as numbers; by default all.

    Returns:
        The columns of the table `labels`; the kind is "named", and unseen_items is 1 or 0: whether the name passes on
        the half of the items that the function was not given.

    Raises:
        InputError: no such feature, no function, it returns something else or fails for every feature, or its name does
            not answer for every item.
    """
    check_is_study(study)
    if not callable(function):
        raise InputError(
            f"the function is {an(type(function).__name__)}: "
            f"give a function from a feature's evidence to a Name or None"
        )
    several = features is None or (isinstance(features, Iterable) and getattr(features, "ndim", 1) == 1)
    if not several or isinstance(features, str | bytes | bytearray):
        raise InputError(f"features are {quote(features)}: give a list, such as range(20)")
    indices = [study.features[key].index for key in (range(len(study.features)) if features is None else features)]
    parts = [(study.feature_matrix(part), study.activations(part).rows["item"]) for part in ("sae", "test")]
    feature_activity = count_by_item(study.sae, parts[0], parts[1], study.concepts)
    items = study.items.loc[feature_activity.unseen.items, ["title", "concepts"]]
    occurring = feature_activity.training.items.union(feature_activity.unseen.items)
    hidden = occurring[label_halves(occurring, study.concepts, feature_activity.training.by_item)[0]]
    names, fits, failures = [""] * len(indices), np.zeros((len(indices), len(items)), dtype=bool), []
    for row, feature in enumerate(indices):
        facts = evidence(study, feature_activity, feature, hidden)
        try:  # hours of a language model's answers are not lost to one that times out
            name = function(facts)
            answers = name.fits(items) if isinstance(name, Name) else ()
        except Exception as error:
            failures.append(f"feature {feature}: {type(error).__name__}: {' '.join(str(error).split())}")
            continue
        if name is None:
            continue
        if not isinstance(name, Name):
            raise InputError(
                f"the function returned {an(type(name).__name__)} for feature {feature}: return None or a "
                "Name(label, fits), a label and a function from items to truth values (from interp import Name)"
            )
        names[row], fits[row] = name.label, _truths(name, answers, len(items))
    if failures and len(failures) == len(indices):
        raise InputError(f"the function failed for every feature: correct it and try one feature first ({failures[0]})")
    if failures:
        warnings.warn(
            f"the function failed for {len(failures)} of {len(indices)} features, which stay without a name; first for "
            f"{failures[0]}",
            stacklevel=2,
        )
    chosen = feature_activity.unseen.select(np.array(indices, dtype=int))
    activity = replace(feature_activity, unseen=chosen, hard=feature_activity.hard[indices])
    scores = score(fits, activity.unseen, activity.hard).rename(columns={"labelled": "on_unseen_users"})
    others = hold_on(hidden, fits, activity)
    kinds = [KIND if label else "" for label in names]
    table = pd.DataFrame({"feature": indices, "label": names, "kind": kinds}).join(scores)
    return table.assign(unseen_items=others.astype(float), labelled=scores["on_unseen_users"] & others)


def evidence(study: "Study", feature_activity: ItemCounts, feature: int, hidden: pd.Index) -> Evidence:
    """What is known of one feature from the steps that labels are learnt from, without those of some items."""
    training = feature_activity.training.only(feature_activity.training.items.difference(hidden))
    active = training.active[[feature]].toarray()
    values, items = study.feature_matrix("sae")[:, [feature]], study.activations("sae").rows["item"]
    codes = training.items.get_indexer(items.iloc[values.indices])
    total = np.bincount(codes, weights=values.data, minlength=len(training.items))
    mean = np.where(training.steps >= MIN_STEPS, total / np.maximum(training.steps, 1), 0)
    order = np.argsort(-mean, kind="stable")[:N_ITEMS]
    order = order[mean[order] > 0]
    items = pd.DataFrame(
        {
            "item": training.items[order],
            "steps": training.steps[order],
            "active": active[0, order] / training.steps[order],
            "activation": mean[order],
        }
    )
    has = study.concepts.labels(training.items).astype(float)
    hits, predictions = active @ has, training.steps @ has
    concepts = pd.DataFrame(
        {
            "concept": study.concepts.names,
            "precision": hits[0] / np.maximum(predictions, 1),
            "recall": hits[0] / max(active.sum(), 1),
            "f1": f1_of(hits, predictions, active.sum(axis=1))[0],
        }
    )
    effects = study.features[feature].effects
    promoted_items = effects.query("path == 'layers' and direction == 'promoted'").sort_values("rank")
    promoted_items = promoted_items[~promoted_items["item"].isin(hidden)]
    return Evidence(
        feature,
        study.titles(items)[["item", "title", "concepts", "steps", "active", "activation"]],
        concepts.sort_values("f1", ascending=False, kind="stable", ignore_index=True),
        promoted_items[["item", "title", "concepts", "effect"]].reset_index(drop=True),
    )


def _truths(name: Name, answers: Sequence[bool], n_items: int) -> np.ndarray:
    values = np.asarray(answers)
    if values.shape != (n_items,):
        raise InputError(
            f"the name {name.label!r} answers for {values.size} items: give a truth value for each of the {n_items}"
        )
    return values.astype(bool)
