"""Everything that the activations of the test part say about the features of the chosen dictionary."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from interp.activations.activation_store import ActivationStore
from interp.activations.feature_matrix import FeatureMatrix, statistics
from interp.activations.fidelity import reconstruction
from interp.concepts import Concepts
from interp.concepts.alignment import Alignment, align
from interp.features.examples import banded_histories, histograms, lit_histories, next_items, p_top
from interp.model.envoys import RecommenderEnvoy
from interp.sae.autoencoder import SparseAutoencoder
from interp.store.table_files import Tables
from recmodels.errors import InputError
from recmodels.sequences import Histories


def alignment(
    test_store: ActivationStore,
    test_features: FeatureMatrix,
    sae: SparseAutoencoder,
    concepts: Concepts,
    attribute: str,
    other_concepts: Mapping[str, Concepts],
    test_users: Histories,
    rec: RecommenderEnvoy,
) -> Tables:
    """Tables `dictionary`, `concepts`, `attributes`, `alignment`, `neurons`, `features`, `histograms`, `histories`.

    Args:
        test_store, test_features: hidden states and features of the test part.
        sae: the chosen dictionary.
        concepts: the study's concepts.
        attribute: what they are called together, such as "genres".
        other_concepts: attribute → concepts to compare features with neurons on as well (paper Appendix C).
        test_users: the histories of the test part; the last item of each comes after those of the store.
        rec: the recommender, whose items they have.
    """
    store, activations = test_store, test_features
    inputs, last = test_users.split_last()
    held_out = pd.Series(rec.recommender.vocabulary.decode(last), inputs.users)
    if not activations.nnz:
        raise InputError("no feature of this dictionary is ever active: train it with a smaller l1")
    neurons = np.asarray(store.activations, dtype=np.float64)
    labels = concepts.labels(store.rows["item"])
    of_features, of_neurons = (align(values, labels, concepts.names) for values in (activations, neurons))
    beside = _features_beside_neurons(of_features, of_neurons)
    labels = labels[:, [concepts.index(name) for name in of_features.concepts]]
    named = of_features
    if not concepts.names:  # every feature is split by one nameless concept that no item has
        named, labels = _nameless(sae.n_features), np.zeros((len(store), 1), dtype=bool)
    best = named.correlation.argmax(axis=1)
    store_with_next = replace(store, rows=store.rows.assign(next=next_items(store, held_out)))
    overall = {
        **reconstruction(store, sae),
        "sae_mean_top_correlation": of_features.mean_top_correlation,
        "neuron_mean_top_correlation": of_neurons.mean_top_correlation,
        "sae_mean_top_auc": beside["auc"].mean(),
        "sae_mean_top_sensitivity": beside["sensitivity"].mean(),
    }
    return {
        "dictionary": pd.DataFrame([overall]),
        "concepts": beside,
        "attributes": _attributes(attribute, beside, activations, neurons, store, other_concepts),
        "alignment": of_features.table(),
        "neurons": of_neurons.table().rename(columns={"feature": "neuron"}),
        "features": _features(activations, store, named, labels, best),
        "histograms": histograms(activations, labels, best),
        "histories": banded_histories(activations, store_with_next),
    }


def _nameless(n_features: int) -> Alignment:
    """One concept without a name and without scores."""
    unknown = np.full((n_features, 1), np.nan)
    return Alignment([""], unknown, unknown, unknown, unknown[:1, 0])


def _attributes(
    attribute: str,
    beside: pd.DataFrame,
    activations: sparse.csc_array,
    neurons: np.ndarray,
    store: ActivationStore,
    other_concepts: Mapping[str, Concepts],
) -> pd.DataFrame:
    """The table `concepts` again, with those of the other attributes below it, on the steps whose items are known."""
    parts = [beside.assign(attribute=attribute, known=1.0)]
    for name, concepts in other_concepts.items():
        known = concepts.is_known(store.rows["item"])
        labels = concepts.labels(store.rows["item"][known])
        alignments = (align(values[known], labels, concepts.names) for values in (activations, neurons))
        parts.append(_features_beside_neurons(*alignments).assign(attribute=name, known=known.mean()))
    table = pd.concat(parts, ignore_index=True)
    return table[["attribute", "known", *table.columns.drop(["attribute", "known"])]]


def _features_beside_neurons(features: Alignment, neurons: Alignment) -> pd.DataFrame:
    other = (
        neurons.top()
        .add_prefix("neuron_")
        .rename(columns={"neuron_concept": "concept", "neuron_feature": "neuron", "neuron_abs_feature": "abs_neuron"})
    )
    return features.top().merge(other.drop(columns="neuron_popularity"), on="concept")


def _features(
    activations: Any, store: ActivationStore, aligned: Alignment, labels: np.ndarray, best: np.ndarray
) -> pd.DataFrame:
    positions = np.arange(len(best))
    mean_share, pooled_share = p_top(activations, store, labels)
    return (
        statistics(activations)
        .assign(
            concept=np.array(aligned.concepts)[best],
            correlation=aligned.correlation[positions, best],
            auc=aligned.auc[positions, best],
            sensitivity=aligned.sensitivity[positions, best],
            p_top100=mean_share[positions, best],
            p_top100_pooled=pooled_share[positions, best],
            histories=lit_histories(activations, store),
        )
        .reset_index()
    )
