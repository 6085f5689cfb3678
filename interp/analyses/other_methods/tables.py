"""Concepts turned up by other methods than features, swept like these, and what each costs."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from interp.activations.activation_store import ActivationStore
from interp.activations.feature_matrix import FeatureMatrix
from interp.analyses.other_methods.least import cost_rows, learnable, least_lists
from interp.concepts import Concepts
from interp.control.baselines import RAISED, baseline_points, boosted_lists, random_direction
from interp.control.least_collateral import LeastCollateral, learn_weights, store_histories
from interp.control.profiles import concept_profiles
from interp.control.steered_lists import steered_lists
from interp.control.sweeps import measure_points, profile_points, sweep, unit
from interp.control.targets import steering_targets
from interp.model.envoys import RecommenderEnvoy
from interp.steering.edits import Push, Steer
from interp.store.table_files import Tables
from recmodels.sequences import Histories

BOOSTS = (*(-boost for boost in reversed(RAISED)), 0.0, *RAISED)
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
    direction_sweep, _ = sweep(rec, steered_users, points, concepts)
    parts = [direction_sweep, *_random(rec, steered_users, names, concepts, values, train_store)]
    parts += _boosts(rec, steered_users, names, concepts)

    sets = learnable(concepts, rec.recommender.vocabulary.ids)
    weights = learn_weights(rec, store_histories(train_store, rec), train_store.site, sets)
    inputs, costs = steered_users.split_last()[0], []
    for name in names:
        own = weights[weights["concept"] == name].set_index("feature")["weight"]
        steer = LeastCollateral(name, own, sets[name], train_store.site, sae.fingerprint, {})
        methods = list(least_lists(rec, inputs, steer, (0.0, *RAISED)))
        for method in methods:
            places = [_point(method.method, name, value) for value in method.values]
            parts.append(measure_points(rec, steered_users, places, method.lists, concepts)[0])
        costs.append(
            cost_rows(
                rec, steered_users, sae, name, features[name], sets[name], methods, profiles, values, (0.0, *RAISED)
            )
        )
    return {
        "profiles": profiles,
        "least_collateral": weights,
        "baselines": pd.concat(parts, ignore_index=True),
        "steering_cost": _joined([pair[0] for pair in costs], COSTS),
        "cost_differences": _joined([pair[1] for pair in costs], DIFFERENCES),
    }


def _random(
    rec: RecommenderEnvoy,
    users: Histories,
    targets: list[str],
    concepts: Concepts,
    values: Sequence[float],
    train: ActivationStore,
) -> Iterator[pd.DataFrame]:
    """Means over the same few directions for each target."""
    pushes = [
        Push(unit(random_direction(train.activations.shape[1], seed), train.std), value)
        for seed in SEEDS
        for value in values
    ]
    lists = steered_lists(
        rec, users.split_last()[0], [Steer((push,), train.site) for push in pushes], progress="random"
    )
    for target in targets:
        points = [_point("random", target, push.factor) for push in pushes]
        table, _ = measure_points(rec, users, points, lists, concepts)
        yield table.groupby(["method", "target", "feature", "value"], sort=False, dropna=False).mean().reset_index()


def _boosts(rec: RecommenderEnvoy, users: Histories, targets: list[str], concepts: Concepts) -> Iterator[pd.DataFrame]:
    labels = concepts.labels(rec.recommender.vocabulary.ids)
    for target in targets:
        lists = boosted_lists(rec, users.split_last()[0], labels[:, concepts.index(target)], BOOSTS)
        yield measure_points(rec, users, [_point("boost", target, boost) for boost in BOOSTS], lists, concepts)[0]


def _joined(parts: list[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True).reindex(columns=columns)


def _point(method: str, target: str, value: float) -> dict[str, Any]:
    return {"method": method, "target": target, "feature": -1, "value": value}
