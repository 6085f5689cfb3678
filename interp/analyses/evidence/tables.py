"""Features, neurons and baselines on unseen items and users, and against permuted concepts."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from interp.activations.activation_store import ActivationStore
from interp.activations.feature_matrix import FeatureMatrix
from interp.concepts import Concepts
from interp.concepts.alignment import Activations
from interp.concepts.evidence import FEATURES, NEURONS, Evidence, ItemTest, Rows, evidence_of
from interp.features.candidates import Candidates, Part
from interp.store.table_files import Tables
from recmodels.bootstrap import percentile_interval

ABOUT = {FEATURES: "the dictionary’s features", NEURONS: "the neurons of the site"}
BY_CHANCE = 0.05  # as the paper: a p-value up to which a concept counts as above the null


def evidence_tables(
    test_store: ActivationStore,
    validation_store: ActivationStore,
    test_features: FeatureMatrix,
    validation_features: FeatureMatrix,
    concepts: Concepts,
    other_concepts: Mapping[str, Concepts],
    baselines: Sequence[Candidates],
) -> Tables:
    """Tables `evidence`, `evidence_summary`, `feature_evidence`, `attribute_evidence` (`interp.concepts.evidence`).

    Args:
        test_store, validation_store: hidden states of the users who are measured, and of those who may choose.
        test_features, validation_features: what the dictionary makes of them.
        concepts: the study's concepts.
        other_concepts: attribute → more concepts. Steps of items of which they are not known are left out.
        baselines: what features have to beat.
    """
    stores: dict[Part, ActivationStore] = {"test": test_store, "sae_validation": validation_store}
    features: dict[Part, Activations] = {"test": test_features, "sae_validation": validation_features}
    neurons: dict[Part, Activations] = {
        part: np.asarray(store.activations, dtype=np.float64) for part, store in stores.items()
    }
    own = [_candidates(FEATURES, features), _candidates(NEURONS, neurons)]
    items = [store.rows["item"].to_numpy() for store in stores.values()]
    item_test = ItemTest(concepts, *items)
    results: list[Evidence] = []
    summaries = []
    for candidates in (*own, *baselines):
        test = _rows(candidates, test_store, "test")
        results.append(
            evidence_of(item_test, test, _rows(candidates, validation_store, "sae_validation"), candidates.name)
        )
        summaries.append(_summary(candidates, test.activations, results[-1], results[0]))
    others = []
    for attribute, of_items in other_concepts.items():
        for candidates in own:
            test, validation = (_known(_rows(candidates, store, part), of_items) for part, store in stores.items())
            other_test = ItemTest(of_items, test.items, validation.items)
            table = evidence_of(other_test, test, validation, f"{candidates.name}, {attribute}").concepts
            known = len(test.items) / len(test_store)
            others.append(table.assign(attribute=attribute, source=candidates.name, known=known))
    names = [candidates.name for candidates in (*own, *baselines)]
    by_source = [result.concepts.assign(source=name) for name, result in zip(names, results, strict=True)]
    return {
        "evidence": pd.concat(by_source, ignore_index=True),
        "evidence_summary": pd.DataFrame(summaries).assign(users=len(test_store.users[1]), items=len(item_test.items)),
        "feature_evidence": results[0].candidates.rename(columns={"candidate": "feature"}),
        "attribute_evidence": pd.concat(others, ignore_index=True)
        if others
        else by_source[0].iloc[:0].assign(attribute="", known=1.0),
    }


def _candidates(name: str, activations: Mapping[Part, Activations]) -> Candidates:
    count = activations["test"].shape[1]
    return Candidates(name, ABOUT[name], count, activations.__getitem__)


def _rows(candidates: Candidates, store: ActivationStore, part: Part) -> Rows:
    activations = candidates.activations(part)
    return Rows(activations, store.rows["item"].to_numpy(), store.rows["user"].to_numpy())


def _known(rows: Rows, concepts: Concepts) -> Rows:
    """The rows of items of which it is known which concepts they have."""
    known = concepts.is_known(rows.items)
    return rows if known.all() else Rows(rows.activations[known], rows.items[known], rows.users[known])


def _summary(candidates: Candidates, activations: Activations, result: Evidence, first: Evidence) -> dict[str, object]:
    """A row of the table `evidence_summary`."""
    table = result.concepts
    low, high = percentile_interval(result.resamples.mean(axis=1))
    # The same users are drawn for both, so that what they share cancels.
    ahead_low, ahead_high = percentile_interval((first.resamples - result.resamples).mean(axis=1))
    n, f = activations.shape
    active = activations.nnz if sparse.issparse(activations) else np.count_nonzero(activations)
    return {
        "source": candidates.name,
        "about": candidates.about,
        "candidates": f,
        "l0": active / n,
        "concepts": len(table),
        "correlation": table["correlation"].mean(),
        "null": table["null"].mean(),
        "above_null": (table["p"] <= BY_CHANCE).sum(),
        "unseen_items": table["unseen_items"].mean(),
        "unseen_items_null": table["unseen_items_null"].mean(),
        "unseen_items_low": low,
        "unseen_items_high": high,
        "unseen_users": table["unseen_users"].mean(),
        "unseen_both": table["unseen_both"].mean(),
        "passes": table["passes"].sum(),
        "ahead": (first.concepts["unseen_items"] - table["unseen_items"]).mean(),
        "ahead_low": ahead_low,
        "ahead_high": ahead_high,
    }
