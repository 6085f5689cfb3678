"""The features of two studies, matched on histories that both recommenders read (`interp.features.matching`).

Axes: n steps, f and g features of the old and the new dictionary, p permutations.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from interp.activations.feature_matrix import statistics, step_features
from interp.concepts.item_folds import permutations, popularity_deciles
from interp.control.popularity import by_code
from interp.features.effects import mean_jacobian
from interp.features.labels import UNLABELLED
from interp.features.matching import (
    HOLDS,
    NEW,
    OLD,
    held_similarity,
    matches,
    nearest,
    percentile_of_match,
    written_similarity,
)
from interp.features.standard_blocks import correlations
from interp.study.shared_histories import SharedHistories, shared_histories
from interp.study.study_parts import StudyParts
from recmodels.progress import tqdm
from recmodels.sequences import Histories

PERMUTATIONS = 199  # p is at least 1 / 200
SEED = 0


@dataclass(frozen=True)
class Matches:
    """Which features of two studies match.

    Attributes:
        histories: what they were matched on.
        table: a row for each feature of both, the columns of `interp.features.matching.matches`, and density, p99 and
            std of its activations on these steps; written and held (how alike the feature and its match change the
            scores of the items both know, and how alike the items are on which they are active, as correlations over
            items), written_percentile and held_percentile (the share of the other dictionary's other features that are
            less alike in this; 0.5 by chance); label and match_label.
        similarity: score, written and held of every pair, float [f, g] each.
        chance: what chance gives each feature on average, float [f] and float [g].
    """

    histories: SharedHistories
    table: pd.DataFrame
    similarity: Mapping[str, np.ndarray]
    chance: tuple[np.ndarray, np.ndarray]

    @property
    def nearest(self) -> pd.DataFrame:
        """The five most similar features of the other dictionary for each (`interp.features.matching.nearest`)."""
        return nearest(self.similarity, self.chance)

    def side(self, side: str) -> pd.DataFrame:
        """The rows of the "old" or the "new" features, indexed by feature."""
        return self.table[self.table["side"] == side].set_index("feature")

    @property
    def holding(self) -> pd.DataFrame:
        """The old features whose match holds, indexed by feature: those that are kept or merged."""
        old = self.side(OLD)
        return old[old["change"].isin(HOLDS)]


def match_studies(old: StudyParts, new: StudyParts, users: Any = None, draws: int = PERMUTATIONS) -> Matches:
    """Match the features of two studies.

    Args:
        old, new: the studies, of the same or another recommender.
        users: histories in any form to match on (`interp.study.shared_histories.shared_histories`).
        draws: how many times the new recommender reads histories with permuted items, to know what chance gives.

    Raises:
        InputError: there are no histories to match on.
    """
    histories = shared_histories(old, new, users)
    inputs = histories.inputs
    activations = [
        step_features(study.recommender, study.site, read)
        for study, read in zip(histories.studies, inputs, strict=True)
    ]
    chance = _chance(activations[0], new, inputs[1], draws)
    active = [np.asarray((part > 0).sum(axis=0)).ravel() > 0 for part in activations]
    similarity = correlations(*activations)
    table = matches(similarity, chance, active)
    best = {side: table.loc[table["side"] == side, "match"].to_numpy() for side in (OLD, NEW)}
    parts = {
        "written": written_similarity(*_writing(histories)),
        "held": held_similarity(activations, inputs[1].codes),
    }
    for name, alike in parts.items():
        sides = (alike, best[OLD]), (alike.T, best[NEW])
        table[name] = np.concatenate([part[np.arange(len(match)), match] for part, match in sides])
        table[f"{name}_percentile"] = np.concatenate([percentile_of_match(part, match) for part, match in sides])
    units = [statistics(part.tocsc())[["density", "p99", "std"]] for part in activations]
    table = table.join(pd.concat(units, ignore_index=True))
    labels = {OLD: _labels(old), NEW: _labels(new)}
    for name, number, flipped in (("label", "feature", False), ("match_label", "match", True)):
        where = [NEW if (side == OLD) == flipped else OLD for side in table["side"]]
        table[name] = [labels[side][feature] for side, feature in zip(where, table[number], strict=True)]
    usual = chance[0].mean(axis=0), chance[1].mean(axis=0)
    return Matches(histories, table, {"score": similarity, **parts}, usual)


def _labels(study: StudyParts) -> pd.Series:
    return study.labels if study.has_concepts else pd.Series(UNLABELLED, index=range(study.sae.n_features))


def _chance(old: Any, new: StudyParts, inputs: Histories, draws: int) -> tuple[np.ndarray, np.ndarray]:
    """Each feature's largest correlation as the new recommender reads permuted items: [p, f] and [p, g]."""
    popularity = by_code(new.items["popularity"], new.recommender.recommender.vocabulary)
    orders = permutations(popularity_deciles(popularity), draws, np.random.default_rng(SEED))
    rows, columns = [], []
    for order in tqdm(orders, desc="what chance gives", total=draws, unit="permutation"):
        permuted = Histories(inputs.users, order[inputs.codes].astype(inputs.codes.dtype), inputs.offsets)
        similarity = correlations(old, step_features(new.recommender, new.site, permuted))
        rows.append(similarity.max(axis=1))
        columns.append(similarity.max(axis=0))
    return np.array(rows), np.array(columns)


def _writing(histories: SharedHistories) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The directions of both dictionaries, and how scores of the items that both know follow the hidden states."""
    directions, jacobians = [], []
    for study, inputs in zip(histories.studies, histories.inputs, strict=True):
        rec, sae = study.recommender, study.sae
        codes = rec.recommender.vocabulary.encode(histories.items)
        jacobians.append(mean_jacobian(rec, inputs, study.site, step=sae.std)[codes])
        directions.append(sae.directions.cpu().double().numpy())
    return directions, jacobians
