"""Concepts turned up by other methods than features, swept like these, and what each costs."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from interp.activations.activation_store import ActivationStore
from interp.activations.feature_matrix import FeatureMatrix
from interp.analyses.other_methods.least import (
    BOOSTS,
    Unsteered,
    boosted_by_concept,
    cost_rows,
    learnable,
    least_lists,
)
from interp.concepts import Concepts
from interp.control.baselines import baseline_points, random_direction
from interp.control.least_collateral import LeastCollateral, learn_weights, store_histories
from interp.control.profiles import concept_profiles
from interp.control.steered_lists import steered_lists
from interp.control.sweeps import Names, measure_points, profile_points, unit
from interp.control.targets import steering_targets
from interp.model.envoys import RecommenderEnvoy
from interp.steering.edits import Push, Steer
from interp.store.table_files import Tables
from recmodels.progress import tqdm
from recmodels.sequences import Histories

POINT = ["method", "target", "feature", "value"]
SEEDS = (0, 1, 2)  # of random directions
COSTS = ("target", "method", "cost", "cost_low", "cost_high", "ratio", "ratio_low", "ratio_high")
DIFFERENCES = (
    *("target", "method", "other", "times", "levels", "cost", "other_cost"),
    *("difference", "low", "high", "verdict"),
)


def other_methods(
    rec: RecommenderEnvoy,
    steered_users: Histories,
    steered: tuple[str, ...],
    concepts_table: pd.DataFrame,
    concepts: Concepts,
    values: Sequence[float],
    train_store: ActivationStore,
    train_features: FeatureMatrix,
    evidence_table: pd.DataFrame | None = None,
) -> Tables:
    """Tables `profiles`, `least_collateral`, `baselines`, `steering_cost` and `cost_differences`.

    `profiles` is `interp.control.profiles.concept_profiles`. `baselines` has the columns of `steering`, for the methods
    "profile" (a concept's profile is added, the error kept), "mean_difference" (the direction between the means of
    steps with and without the concept), "neuron" (one neuron, the best correlated of either sign), "random" (means
    over random directions) and "boost" (the scores of items with the concept are raised, in units of the standard
    deviation of each user's scores). Directions are of unit length among normalised activations and are added at the
    last step. Further methods of `baselines` are the least-collateral steers, and re-ranking with an amount for each
    user (`interp.analyses.other_methods.least`). `least_collateral` holds the features of the former for every concept
    (`interp.control.least_collateral`), `steering_cost` what a method costs at equal share as one number, beside
    re-ranking, and `cost_differences` how much less than another, user for user (`interp.control.cost_intervals`).

    No setting is chosen by the test users' quality: directions are learnt from the part that trains dictionaries, a
    concept's neuron is the table `concepts`' as its feature is (as in the paper), and values, boosts, seeds and shares
    are laid down beforehand.

    Args:
        rec: the recommender with a dictionary attached at the site of `train_store`.
        steered_users: the test users whom steering is measured on.
        steered: the concepts that are steered.
        concepts_table: their top features and neurons.
        concepts: what items have.
        values: factors of directions.
        train_store, train_features: hidden states and features of the SAE part.
        evidence_table: which concepts a feature follows above chance; the others are steered only if asked for.
    """
    targets, sae = steering_targets(concepts_table, steered, evidence_table), rec.site(train_store.site).sae
    profiles = concept_profiles(train_features, train_store.rows["item"], concepts, sae)
    features = dict(zip(targets["concept"], targets["feature"].astype(int).tolist(), strict=True))
    names = list(features)
    points = [*profile_points(sae, profiles, names, values), *baseline_points(train_store, concepts, targets, values)]
    sets = learnable(concepts, rec.recommender.vocabulary.ids)
    inputs, before = steered_users.split_last()[0], Unsteered.of(rec, steered_users)
    boosted = boosted_by_concept(rec, inputs, {name: sets[name] for name in names})

    def measured(places: Sequence[Names], lists: np.ndarray) -> pd.DataFrame:
        return measure_points(rec, steered_users, places, lists, concepts, plain=before.plain)[0]

    lists = steered_lists(rec, inputs, [point.steer for point in points], progress="directions")
    parts = [measured([point.names for point in points], lists)]
    pushes = _random(train_store, values)
    lists = steered_lists(rec, inputs, [Steer((push,), train_store.site) for push in pushes], progress="random")
    for name in names:
        table = measured([_point("random", name, push.factor) for push in pushes], lists)
        parts.append(table.groupby(POINT, sort=False, dropna=False).mean().reset_index())
    parts += [measured([_point("boost", name, boost) for boost in BOOSTS], boosted[name].everything) for name in names]

    weights = learn_weights(rec, store_histories(train_store, rec), train_store.site, sets)
    costs = []
    for name in tqdm(names, desc="least collateral"):
        own = weights[weights["concept"] == name].set_index("feature")["weight"]
        steer = LeastCollateral(name, own, sets[name], train_store.site, sae.fingerprint, {})
        methods = list(least_lists(rec, before, steer, boosted[name]))
        for method in methods:
            parts.append(measured([_point(method.method, name, value) for value in method.values], method.lists))
        costs.append(
            cost_rows(rec, before, sae, name, features[name], sets[name], boosted[name], methods, profiles, values)
        )
    return {
        "profiles": profiles,
        "least_collateral": weights,
        "baselines": pd.concat(parts, ignore_index=True),
        "steering_cost": _joined([pair[0] for pair in costs], COSTS),
        "cost_differences": _joined([pair[1] for pair in costs], DIFFERENCES),
    }


def _random(train: ActivationStore, values: Sequence[float]) -> list[Push]:
    """The same few directions for every concept."""
    directions = [unit(random_direction(train.activations.shape[1], seed), train.std) for seed in SEEDS]
    return [Push(direction, value) for direction in directions for value in values]


def _joined(parts: list[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True).reindex(columns=columns)


def _point(method: str, target: str, value: float) -> Names:
    return {"method": method, "target": target, "feature": -1, "value": value}
