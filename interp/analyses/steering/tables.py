"""Sweeps of the features that stand for concepts, beside linear probes (paper sections 8.2.1 to 8.2.3)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from interp.activations.activation_store import ActivationStore
from interp.concepts import Concepts
from interp.concepts.evidence import REPEATS, SEED
from interp.concepts.item_folds import item_halves, popularity_deciles
from interp.control.sweeps import direction_points, set_points, sweep
from interp.control.targets import steering_targets
from interp.features.probes import fit_probes, probe_scores, unseen_item_scores
from interp.model.envoys import RecommenderEnvoy
from interp.sae.autoencoder import SparseAutoencoder
from interp.store.table_files import Tables
from recmodels.sequences import Histories


def steering(
    rec: RecommenderEnvoy,
    sae: SparseAutoencoder,
    steered_users: Histories,
    steered: tuple[str, ...],
    concepts_table: pd.DataFrame,
    concepts: Concepts,
    values: Sequence[float],
    train_store: ActivationStore,
    test_store: ActivationStore,
    evidence_table: pd.DataFrame | None = None,
) -> Tables:
    """Tables `probes`, `steering` and `shares`; see `interp.features.probes` and `interp.control.sweeps`.

    Args:
        rec: the recommender with the dictionary attached.
        sae: the dictionary.
        steered_users: the test users whom steering is measured on.
        steered: the concepts that are steered.
        concepts_table: their top features.
        concepts: whose shares are reported.
        values: activations set, and factors of directions added.
        train_store: activations of the SAE part, to fit probes on.
        test_store: activations of the test part, to score probes on.
        evidence_table: which concepts a feature follows above chance; the others are steered only if asked for.
    """
    targets = steering_targets(concepts_table, steered, evidence_table)
    features = dict(zip(targets["concept"], targets["feature"].astype(int).tolist(), strict=True))
    probes = fit_probes(train_store, concepts)
    unseen = unseen_item_scores(train_store, test_store, concepts, _halves(test_store, concepts))
    scores = probe_scores(probes, test_store, concepts).merge(
        unseen, "left", on="concept", suffixes=("", "_unseen_items")
    )
    points = [*set_points(sae, features, values), *direction_points(sae, probes, features, values)]
    metrics, shares = sweep(rec, steered_users, points, concepts)
    return {"probes": scores, "steering": metrics, "shares": shares}


def _halves(store: ActivationStore, concepts: Concepts) -> np.ndarray:
    steps = store.rows["item"].value_counts().reindex(concepts.items, fill_value=0).to_numpy()
    return item_halves(concepts.matrix, popularity_deciles(steps), REPEATS, np.random.default_rng(SEED))
