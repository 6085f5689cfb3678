"""The causal map: how the lists change when each feature is turned up and down, in shares of concepts and in items.

Correlations say which concepts a feature stands for; steering measures what it causes. The two are compared for every
feature and concept.

Axes: u users, f features, c concepts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy

from interp.concepts import Concepts
from interp.control.list_changes import item_changes
from interp.control.steered_lists import steered_lists
from interp.control.sweeps import user_shares
from interp.model.envoys import RecommenderEnvoy
from interp.steering.validation import LARGEST
from recmodels.errors import InputError, for_terminal, quote
from recmodels.scalars import as_number
from recmodels.wording import signed

STEERS = 128  # per pass over the histories, two for each feature, so that their lists fit into memory
DIGITS = 12  # of changes


@dataclass(frozen=True)
class CausalMap:
    """How the lists change with every feature.

    Attributes:
        features: the f features that were turned.
        concepts: the c concepts.
        amount: units by which each was turned up and down.
        changes: float [3, f, c], means over users: the change when turned up, the change when turned down, and the
            effect, which is half the difference of the two.
        errors: float [3, f, c], their standard errors over users.
        plain: float [c], mean shares of the concepts while no feature is turned.
        item_changes: the items whose lists change most: feature, direction, rank, item, up, down and users, as in
            `interp.control.list_changes.item_changes`.
    """

    features: list[int]
    concepts: list[str]
    amount: float
    changes: np.ndarray
    errors: np.ndarray
    plain: np.ndarray
    item_changes: pd.DataFrame

    def table(self) -> pd.DataFrame:
        """Long form: feature, concept, share (while nothing is turned), up, up_se, down, down_se, effect, effect_se."""
        f, c = self.changes.shape[1:]
        columns = {"feature": np.repeat(self.features, c), "concept": np.tile(self.concepts, f)}
        columns["share"] = np.tile(self.plain, f)
        for name, change, error in zip(("up", "down", "effect"), self.changes, self.errors, strict=True):
            columns |= {name: change.ravel(), f"{name}_se": error.ravel()}
        return pd.DataFrame(columns)

    @property
    def effects(self) -> pd.DataFrame:
        """The effects, a row for each feature and a column for each concept."""
        return pd.DataFrame(self.changes[2], pd.Index(self.features, name="feature"), self.concepts)


def causal_map(
    rec: RecommenderEnvoy,
    histories: Any,
    features: Mapping[Any, float] | pd.Series,
    concepts: Concepts,
    amount: float = 1.0,
    k: int = 10,
    site: str | None = None,
) -> CausalMap:
    """Turn every feature up and down at the last step, one at a time, and count concepts and items in the lists.

    The natural unit is a feature's 99th percentile over the steps where it is active: +1 then adds about its largest
    activation, whatever the feature's scale. The standard deviation over all steps would be nearly 0 for rare features,
    and the features of concepts are rare.

    Args:
        rec: the recommender, with a dictionary attached.
        histories: users, in any form.
        features: feature → its unit, such as `study.features.table["p99"]`; those with unit 0, which are never
            active, are left out.
        concepts: what is counted.
        amount: units that are added and subtracted.
        k: list length.
        site: the site of the dictionary; by default the only site with one.

    Raises:
        InputError: fewer than two users, no feature with a unit above 0, or a steer that cannot be carried out.
    """
    users = rec.recommender.histories(histories)
    if len(users) < 2:
        raise InputError("one user has no standard error: give the histories of at least two")
    if not isinstance(features, Mapping | pd.Series):
        raise InputError(f"features are {quote(features)}: give a mapping from feature to its unit")
    units = {feature: _unit(feature, unit) for feature, unit in features.items() if as_number(unit) != 0}
    if not units:
        raise InputError("no feature has a unit above 0: give some that are active")
    name = rec.only_site() if site is None else site
    labels = concepts.labels(rec.recommender.vocabulary.ids)
    plain = user_shares(rec.rank(users, k), labels)
    steers = [
        rec.steer_of({feature: sign * amount * unit}, site=name, op="add")
        for feature, unit in units.items()
        for sign in (1, -1)
    ]
    numbers, ids = np.array([int(feature) for feature in units]), rec.recommender.vocabulary.ids
    means, errors, changed_items = [], [], []
    for start in range(0, len(steers), STEERS):
        lists = steered_lists(rec, users, steers[start : start + STEERS], k, f"steers from {start} of {len(steers)}")
        pairs = lists.reshape(-1, 2, len(users), k)
        changes = item_changes(pairs[:, 0], pairs[:, 1], len(ids))
        changed_items.append(changes.assign(feature=numbers[start // 2 + changes["place"]], item=ids[changes["code"]]))
        for up, down in pairs:
            raised, lowered = user_shares(up, labels) - plain, user_shares(down, labels) - plain
            three = np.stack([raised, lowered, (raised - lowered) / 2])
            # Rounded, because rounding errors of the mean would otherwise order equal changes.
            means.append(three.mean(axis=1).round(DIGITS))
            errors.append(three.std(axis=1, ddof=1) / np.sqrt(len(users)))
    columns = ["feature", "direction", "rank", "item", "up", "down", "users"]
    return CausalMap(
        numbers.tolist(),
        concepts.names,
        amount,
        np.stack(means, axis=1),
        np.stack(errors, axis=1),
        plain.mean(axis=0),
        pd.concat(changed_items, ignore_index=True)[columns],
    )


def _unit(feature: Any, unit: Any) -> float:
    number = as_number(unit)
    if number is None or not abs(number) <= LARGEST:
        raise InputError(f"the unit of feature {quote(feature)} is {quote(unit)}: give a number")
    return float(number)


@dataclass(frozen=True)
class Agreement:
    """Agreement of the effects of features with their correlations.

    Attributes:
        rank_correlation: mean over features of the Spearman correlation, over concepts, of a feature's correlations
            with its effects; a feature that moves nothing counts 0.
        top_matches: share of features whose most raised concept is the one they correlate with best.
        by_chance: the same two numbers when every feature has the effects of another one, means over permutations of
            the features. They include what all features share, for example that popular concepts change more.
        p_values: of the two, one-sided: share of permutations that reach the measured value, which is itself counted.
        features: feature, rank_correlation, best_correlated, most_raised (None where nothing is raised).
        concepts: concept, rank_correlation (over features), feature (the best-correlated one), effect (of that one on
            the concept), place (of that effect among those of all features, from 1).
    """

    rank_correlation: float
    top_matches: float
    by_chance: tuple[float, float]
    p_values: tuple[float, float]
    features: pd.DataFrame
    concepts: pd.DataFrame

    @for_terminal
    def __repr__(self) -> str:
        pairs = zip(
            ("rank correlation of correlations and effects", "most raised concept is the best-correlated one"),
            (self.rank_correlation, self.top_matches),
            self.by_chance,
            self.p_values,
            strict=True,
        )
        return "\n".join(
            f"{name}: {signed(value, '.2f')} (by chance {signed(chance, '.2f')}, p {p:.3g})"
            for name, value, chance, p in pairs
        )


def agreement(causal: CausalMap, alignment: pd.DataFrame, permutations: int = 1000, seed: int = 0) -> Agreement:
    """Compare a causal map with the correlations of the same features and concepts.

    Args:
        causal: the map; concepts that the alignment lacks, those of all rows or of none, are left out.
        alignment: feature, concept, correlation, such as a study's table `alignment`.
        permutations: of features, for what chance gives.
        seed: of the permutations.

    Raises:
        InputError: the alignment lacks a feature of the map, or the two share fewer than two concepts.
    """
    wide = alignment.pivot(index="feature", columns="concept", values="correlation")
    absent = sorted(set(causal.features) - set(wide.index))
    if absent:
        raise InputError(f"the alignment has no feature {absent[0]}: give that of the dictionary that was steered")
    names = [concept for concept in causal.concepts if concept in wide.columns]
    if len(names) < 2:
        raise InputError(f"the map and the alignment share {len(names)} concepts: take both of the same attribute")
    correlation = wide.loc[causal.features, names].to_numpy()
    effect = causal.effects[names].to_numpy()
    says, does = _standard_ranks(correlation), _standard_ranks(effect)
    best, most_raised = correlation.argmax(axis=1), np.where(effect.max(axis=1) > 0, effect.argmax(axis=1), -1)

    def scores(order: np.ndarray) -> tuple[float, float]:
        return float((says * does[order]).sum(axis=1).mean()), float((best == most_raised[order]).mean())

    f, rng = len(effect), np.random.default_rng(seed)
    actual = np.array(scores(np.arange(f)))
    shuffled = np.array([scores(rng.permutation(f)) for _ in range(permutations)])
    reached = 1 + (shuffled >= actual - 1e-12).sum(axis=0)
    top, c = correlation.argmax(axis=0), np.arange(len(names))
    return Agreement(
        rank_correlation=float(actual[0]),
        top_matches=float(actual[1]),
        by_chance=(float(shuffled[:, 0].mean()), float(shuffled[:, 1].mean())),
        p_values=(float(reached[0] / (1 + permutations)), float(reached[1] / (1 + permutations))),
        features=pd.DataFrame(
            {
                "feature": causal.features,
                "rank_correlation": (says * does).sum(axis=1),
                "best_correlated": [names[column] for column in best],
                "most_raised": [names[column] if column >= 0 else None for column in most_raised],
            }
        ),
        concepts=pd.DataFrame(
            {
                "concept": names,
                "rank_correlation": (_standard_ranks(correlation.T) * _standard_ranks(effect.T)).sum(axis=1),
                "feature": np.array(causal.features)[top],
                "effect": effect[top, c],
                "place": 1 + (effect > effect[top, c]).sum(axis=0),
            }
        ),
    )


def _standard_ranks(values: np.ndarray) -> np.ndarray:
    """Each row's ranks, centred and of length one, so that inner products are Spearman's; 0 if constant."""
    ranks = scipy.stats.rankdata(values, axis=1)
    centred = ranks - ranks.mean(axis=1, keepdims=True)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), np.finfo(float).tiny)
