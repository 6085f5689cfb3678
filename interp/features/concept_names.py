"""Concepts by name, and units of features, for a recommender without a study."""

from typing import Any

import numpy as np

from interp.activations.activation_store import check_store
from interp.activations.feature_matrix import encode, statistics
from interp.concepts import Concepts
from interp.concepts.alignment import align
from interp.model.envoys import RecommenderEnvoy, check_envoy
from interp.steering.parsing import Meanings
from recmodels.errors import check_kind


def attach_concepts(rec: RecommenderEnvoy, concepts: Concepts, activations: Any) -> RecommenderEnvoy:
    """Let steers of a recommender name concepts, and give values in each feature's own units, without a study.

        store = interp.collect(rec, histories, "activations")
        interp.attach_concepts(rec, interp.concepts_of(items, "genres"), store)
        with rec.steer({"Horror": 1.0}, unit="p99"):
            ...

    A concept means its top feature and all others whose best concept it is, with a correlation of 0.2 or more, as in a
    study; both are measured on these activations alone, so take users that the dictionary was not trained on.

    Args:
        rec: the recommender, with a dictionary at the site of the activations.
        concepts: which item has which concept, such as `interp.concepts_of(items, "genres")`.
        activations: the activation store of some users (`interp.collect`).

    Returns:
        The same recommender.

    Raises:
        InputError: there is no dictionary at the site, the activations are of another recommender, an item of theirs
            has no row of concepts, or all of their steps or none have each concept.
    """
    check_envoy(rec)
    check_kind("the table of concepts", concepts, Concepts, "interp.concepts_of(items, NAME_OF_AN_ATTRIBUTE)")
    check_store(activations)
    sae = rec.site(activations.site).sae
    matrix, items = encode(activations, sae), activations.rows["item"]
    known = np.flatnonzero(concepts.is_known(items))
    aligned = align(matrix[known], concepts.labels(items.iloc[known]), concepts.names)
    best, positions = aligned.correlation.argmax(axis=1), np.arange(sae.n_features)
    features = statistics(matrix).assign(
        concept=np.array(aligned.concepts)[best], correlation=aligned.correlation[positions, best]
    )
    return rec.attach(sae, Meanings.of_tables(features.reset_index(), aligned.top(), sae.fingerprint))
