"""The map of a study's dictionary: places, families and clusters, with what features and clusters are called."""

from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from interp.features.families import cluster_names, heads, map_of
from interp.features.grades import CORRELATES, GRADES, NO_NAME
from interp.store.rerun import advice
from recmodels.errors import InputError

StudyParts: TypeAlias = Any  # interp.study.study_parts.StudyParts, which may import this module


def features_on_map(study: StudyParts) -> pd.DataFrame:
    """The table `map`, one row for each feature in order, with what the features are called.

    A study of an earlier release has no families and clusters: they are found anew.

    Returns:
        feature, x, y, family, cluster (of the table `map`), name, grade, and head: the member that stands for the
        family, with the best grade and then the largest density.

    Raises:
        InputError: the table is damaged, or the study lacks what families are computed from.
    """
    places = study.table("map").sort_values("feature", ignore_index=True)
    if "family" not in places:
        try:
            activations = study.feature_matrix("test")
        except InputError as error:
            raise InputError(
                f"the table 'map' is of an earlier release, without families ({error}): {advice(study.folder)}"
            ) from None
        places = map_of(study.sae.directions.cpu().numpy(), places[["x", "y"]].to_numpy(), activations)
    names = [study.names[feature] for feature in places["feature"]]
    density = study.table("features").sort_values("feature")["density"].to_numpy()
    grades = list(GRADES)
    order = np.array([grades.index(name.grade) for name in names]) - density / 2  # densities are at most 1
    return places.assign(
        name=[name.text for name in names],
        grade=[name.grade for name in names],
        head=heads(places["family"].to_numpy(), order),
    )


def clusters_on_map(places: pd.DataFrame) -> pd.DataFrame:
    """What the features of each cluster share (`interp.features.families.cluster_names`).

    Args:
        places: `features_on_map`.
    """
    points = places[places["head"] == places["feature"]]
    terms = points["name"].str.removeprefix(CORRELATES).where(points["grade"] != NO_NAME, None)
    return cluster_names(points["cluster"].to_numpy(), terms.tolist())
