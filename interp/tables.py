"""Every table of a study, computed once and written as CSV or parquet; figures and pages only draw from them.

items/       items.parquet        title, concepts (names) and popularity of every known item
selection/   candidates.csv       every dictionary of the grid, on held-out users of the SAE part
alignment/   dictionary.csv       the chosen dictionary on the test part: reconstruction, mean correlations
             concepts.csv         per concept: top feature and top neuron (paper Tables 2 and 3, Figure 4)
             alignment.parquet    feature, concept, correlation, auc, sensitivity (paper Figure 2)
             neurons.parquet      the same for the neurons of the site
             features.parquet     per feature: density, mean, p99, max, best concept with its scores
             histograms.parquet   positive activations by presence of the best concept (paper Figure 5)
             histories.parquet    strongest histories around their peak (paper Figure 6)
effects/     recommender.csv      ranking metrics on the test part, also with the site reconstructed (Table 1)
             effects.parquet      items promoted and suppressed
steering/    steering.csv         one feature at a time set to each value (paper Figure 9)
             shares.csv           the same: share of every concept
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from interp.activations import ActivationStore
from interp.alignment import Alignment, align
from interp.concepts import Concepts
from interp.edits import Reconstruct
from interp.effects import mean_jacobian, promoted_items
from interp.envoys import RecommenderEnvoy
from interp.examples import histograms, p_top, strongest_histories
from interp.features import encode, statistics
from interp.fidelity import downstream, reconstruction
from interp.sae import SparseAutoencoder
from interp.steering import sweep
from recmodels import artifacts
from recmodels.errors import InputError
from recmodels.sequences import Histories, Vocabulary

KIND = "tables"
TEXT = ("concept", "target", "name", "trainer", "replaced")  # columns that hold names
Tables = dict[str, pd.DataFrame]


def write_group(folder: Path, inputs: dict[str, Any], make: Callable[[], Tables]) -> None:
    """Compute a group of tables and write it as one verified folder, unless it is there already.

    Args:
        folder: the group's folder.
        inputs: JSON description of what the tables are computed from.
        make: computes them; keys are file names, which end in .csv or .parquet.
    """
    if artifacts.is_current(folder, KIND, inputs):
        return
    tables = make()
    artifacts.discard_partial(folder)
    with artifacts.writing(folder, KIND, inputs) as partial:
        for name, table in tables.items():
            if name.endswith(".csv"):
                table.to_csv(partial / name, index=False)
            else:
                table.to_parquet(partial / name, index=False)


def read_table(folder: Path, name: str, recommender: str | None = None) -> pd.DataFrame:
    """A table by name, such as "features", from the groups below a folder.

    Args:
        folder: the folder of groups.
        name: file name without its ending.
        recommender: fingerprint of the recommender that the table must be about.

    Raises:
        InputError: there is no such table, its group is unfinished or was altered, or it is about another
            recommender.
    """
    found = sorted(folder.glob(f"*/{name}.*"))
    if not found:
        raise InputError(f"no table {name!r} under {folder}: run the study again, or check the name")
    made_for = artifacts.verify(found[0].parent, KIND)["inputs"].get("recommender")
    if recommender is not None and made_for != recommender:
        raise InputError(f"{found[0]} was computed for another recommender: run the study again")
    return _read_csv(found[0]) if found[0].suffix == ".csv" else pd.read_parquet(found[0])


def _read_csv(path: Path) -> pd.DataFrame:
    """Names stay as they were written: a concept may be called 1990, True or None."""
    numbers = pd.read_csv(path, nrows=0).columns.difference(list(TEXT))
    return pd.read_csv(
        path, dtype=dict.fromkeys(TEXT, str), keep_default_na=False, na_values={name: [""] for name in numbers}
    )


def items(frame: pd.DataFrame, interactions: pd.DataFrame, vocabulary: Vocabulary, concepts: Concepts) -> Tables:
    """The items that the recommender knows, in code order."""
    has = concepts.labels(vocabulary.ids)
    popularity = interactions["item"].value_counts().reindex(vocabulary.ids, fill_value=0)
    table = pd.DataFrame(
        {
            "item": vocabulary.ids,
            "title": frame["title"].reindex(vocabulary.ids).astype(str).to_numpy(),
            "concepts": [[concepts.names[c] for c in np.flatnonzero(row)] for row in has],
            "popularity": popularity.to_numpy(),
        }
    )
    return {"items.parquet": table}


def candidates(
    saes: Mapping[str, SparseAutoencoder], store: ActivationStore, concepts: Concepts, max_l0: float
) -> Tables:
    """Every dictionary on held-out activations, and which one is taken.

    Returns:
        name, trainer, n_features, l1, rmse, explained_variance, l0, dead, mean_top_correlation, chosen. Chosen is the
        best-aligned one with an L0 of at most `max_l0`, or the sparsest if none is that sparse.
    """
    labels = concepts.labels(store.rows["item"])
    rows = []
    for name, sae in saes.items():
        aligned = align(encode(store, sae), labels, concepts.names)
        rows.append(
            {
                "name": name,
                "trainer": sae.config.trainer,
                "n_features": sae.config.n_features,
                "l1": sae.config.l1,
                **reconstruction(store, sae),
                "mean_top_correlation": aligned.mean_top_correlation,
            }
        )
    table = pd.DataFrame(rows)
    allowed = table[table["l0"] <= max_l0]
    best = allowed["mean_top_correlation"].idxmax() if len(allowed) else table["l0"].idxmin()
    return {"candidates.csv": table.assign(chosen=table.index == best)}


def alignment(store: ActivationStore, sae: SparseAutoencoder, concepts: Concepts) -> Tables:
    """Everything that the activations of the test part say about the features."""
    labels = concepts.labels(store.rows["item"])
    activations = encode(store, sae)
    if not activations.nnz:
        raise InputError("no feature of this dictionary is ever active: train it with a smaller l1")
    features = align(activations, labels, concepts.names)
    neurons = align(np.asarray(store.activations, dtype=np.float64), labels, concepts.names)
    kept = [concepts.index(name) for name in features.concepts]
    labels = labels[:, kept]
    top = features.top()
    overall = {
        **reconstruction(store, sae),
        "sae_mean_top_correlation": features.mean_top_correlation,
        "neuron_mean_top_correlation": neurons.mean_top_correlation,
        "sae_mean_top_auc": top["auc"].mean(),
        "sae_mean_top_sensitivity": top["sensitivity"].mean(),
    }
    best = features.correlation.argmax(axis=1)
    return {
        "dictionary.csv": pd.DataFrame([overall]),
        "concepts.csv": _features_beside_neurons(top, neurons.top()),
        "alignment.parquet": features.table(),
        "neurons.parquet": neurons.table().rename(columns={"feature": "neuron"}),
        "features.parquet": _features(activations, store, features, labels, best),
        "histograms.parquet": histograms(activations, labels, best),
        "histories.parquet": strongest_histories(activations, store),
    }


def effects(rec: RecommenderEnvoy, sae: SparseAutoencoder, test: Histories, site: str) -> Tables:
    """What reconstruction costs, and what each feature does to the scores."""
    inputs, _ = test.split_last()
    jacobian = mean_jacobian(rec, inputs, site, step=sae.std)
    return {
        "recommender.csv": downstream(rec, test, site),
        "effects.parquet": promoted_items(jacobian, sae, rec.recommender.vocabulary.ids),
    }


def steering(
    rec: RecommenderEnvoy,
    test: Histories,
    top: pd.DataFrame,
    concepts: Concepts,
    values: Sequence[float],
    reconstruct: Reconstruct,
) -> Tables:
    """Sweeps of the features that stand for these concepts. `top` has the columns concept and feature."""
    targets = dict(zip(top["concept"], top["feature"].astype(int).tolist(), strict=True))
    metrics, shares = sweep(rec, test, targets, concepts, values, reconstruct=reconstruct)
    return {"steering.csv": metrics, "shares.csv": shares}


def _features_beside_neurons(features: pd.DataFrame, neurons: pd.DataFrame) -> pd.DataFrame:
    other = neurons.add_prefix("neuron_").rename(
        columns={
            "neuron_concept": "concept",
            "neuron_feature": "neuron",
            "neuron_abs_feature": "abs_neuron",
        }
    )
    return features.merge(other.drop(columns="neuron_popularity"), on="concept")


def _features(
    activations: Any, store: ActivationStore, aligned: Alignment, labels: np.ndarray, best: np.ndarray
) -> pd.DataFrame:
    each = np.arange(len(best))
    mean_share, pooled_share = p_top(activations, store, labels)
    return (
        statistics(activations)
        .assign(
            concept=np.array(aligned.concepts)[best],
            correlation=aligned.correlation[each, best],
            auc=aligned.auc[each, best],
            sensitivity=aligned.sensitivity[each, best],
            p_top100=mean_share[each, best],
            p_top100_pooled=pooled_share[each, best],
        )
        .reset_index()
    )
