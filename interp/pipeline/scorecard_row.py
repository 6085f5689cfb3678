"""All scores of one dictionary.

Axes: n rows, f features, c concepts.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from interp.activations.feature_matrix import encode
from interp.activations.fidelity import reconstruction
from interp.concepts.alignment import auc
from interp.concepts.evidence import evidence_of
from interp.control.ranking_kept import ranking_kept
from interp.features.ablation import ABLATED, ablation_drops
from interp.features.absorption import absorption_rate
from interp.features.fold_sums import Sums, fold_sums
from interp.features.matching import matched_similarity
from interp.features.redundancy import dead_share, dense_share, duplicate_share
from interp.features.sparse_probing import (
    MOST,
    features_needed,
    forward_selection,
    linear_correlation,
    probe_probabilities,
)
from interp.features.standard_blocks import Standard, correlations
from interp.pipeline.scorecard_bench import FOLDS, Bench
from interp.sae.autoencoder import SparseAutoencoder
from recmodels.bootstrap import percentile_interval
from recmodels.moments import Levelled, correlation

PROBED = (1, 2, 5)  # features of a sparse probe
RECOVERED = 0.9  # AUC from which a planted concept counts as recovered
VERSION = 1  # raised when the same dictionary gets other scores

Scores = dict[str, float]


def dictionary_scores(bench: Bench, sae: SparseAutoencoder, partners: Sequence[SparseAutoencoder], name: str) -> Scores:
    """The scores of `interp.plots.scorecard_columns`, but for the minutes.

    Args:
        bench: what it is measured on.
        sae: the dictionary.
        partners: the same dictionary from other seeds.
        name: of the dictionary, for progress bars.
    """
    train, validation, test = bench.encode(sae)
    directions = _unit(sae)
    standard = Standard.of(train)
    parts = [
        fold_sums(values, labels, folds, FOLDS, standard)
        for values, labels, folds in zip(
            (train, test), (bench.train_labels, bench.test_labels), bench.folds, strict=True
        )
    ]
    total = sum(parts[0][1:], parts[0][0])
    density = np.diff(train.indptr) / train.shape[0]
    live = density > 0
    quality = reconstruction(bench.test, sae)
    needed, probed = _probing(bench, train, test, *parts)
    main = [forward_selection(total.covariance, cross, MOST, positive=True) for cross in total.cross.T]
    return {
        "l0": quality["l0"],
        "explained_variance": quality["explained_variance"],
        "dead": dead_share(density),
        "dense": dense_share(density),
        **_alignment(bench, validation, test, name),
        **probed,
        **_stability(bench, test, directions, partners),
        "alike_directions": duplicate_share((directions @ directions.T)[np.ix_(live, live)]),
        "alike_activations": duplicate_share(total.correlation[np.ix_(live, live)]),
        "features_per_concept": float(np.mean(needed)),
        "absorption": _absorption(bench, sae, test, [chosen[:k] for chosen, k in zip(main, needed, strict=True)]),
        **_ablation(bench, sae, test, [chosen[:ABLATED] for chosen in main]),
        **_ranking(bench, sae),
        "recovery": _recovery(bench, test),
    }


def _alignment(bench: Bench, validation: Any, test: Any, name: str) -> Scores:
    rows, others = bench.rows(bench.test, test), bench.rows(bench.validation, validation)
    evidence = evidence_of(bench.item_test, rows, others, name)
    concepts, (low, high) = evidence.concepts, percentile_interval(evidence.resamples.mean(axis=1))
    return {
        "unseen_items": concepts["unseen_items"].mean(),
        "unseen_items_low": float(low),
        "unseen_items_high": float(high),
        "passed": concepts["passes"].mean(),
        "unseen_both": concepts["unseen_both"].mean(),
        "as_paper": concepts["correlation"].mean(),
        "null": concepts["null"].mean(),
    }


def _probing(
    bench: Bench, train: Any, test: Any, train_sums: list[Sums], test_sums: list[Sums]
) -> tuple[list[int], Scores]:
    """How many features each concept needs, and the scores of sparse probes and of the full layer."""
    total = sum(train_sums[1:], train_sums[0])
    fits = [total - part for part in train_sums]
    needed: list[int] = []
    probabilities: dict[int, list[np.ndarray]] = {k: [] for k in PROBED}
    for concept, labels in enumerate(bench.train_labels.T):
        chosen = [forward_selection(fit.covariance, fit.cross[:, concept], MOST + 1) for fit in fits]
        by_count = [
            linear_correlation(fits, test_sums, [features[:k] for features in chosen], concept)
            for k in range(1, MOST + 2)
        ]
        needed.append(features_needed(by_count))
        for k in PROBED:
            some = [features[:k] for features in chosen]
            probabilities[k].append(probe_probabilities(train, labels, bench.folds[0], test, bench.folds[1], some))
    scores = {f"probe_{k}": _agreement(np.stack(columns, axis=1), bench) for k, columns in probabilities.items()}
    return needed, scores | {"probe_layer": _agreement(bench.layer_probabilities, bench)}


def _agreement(probabilities: np.ndarray, bench: Bench) -> float:
    """Mean over concepts of the correlation of probabilities [n, c] with labels."""
    pairs = correlation(Levelled.of(probabilities), Levelled.of(bench.test_labels))
    return float(np.diag(pairs).mean())


def _stability(bench: Bench, test: Any, directions: np.ndarray, partners: Sequence[SparseAutoencoder]) -> Scores:
    alive, rows = np.diff(test.indptr) > 0, []
    for partner in partners:
        other = encode(bench.test, partner)
        other_alive = np.diff(other.indptr) > 0
        cosines = directions[alive] @ _unit(partner)[other_alive].T
        together = correlations(test[:, np.flatnonzero(alive)], other[:, np.flatnonzero(other_alive)])
        rows.append([matched_similarity(cosines), matched_similarity(together)])
    means = np.mean(rows, axis=0) if rows else np.full(2, np.nan)
    return {"stable_directions": float(means[0]), "stable_activations": float(means[1])}


def _absorption(bench: Bench, sae: SparseAutoencoder, test: Any, main: list[np.ndarray]) -> float:
    """Mean over pairs of a concept inside another; NaN without any."""
    rates, rows = [], test.tocsr()
    normalised = sae.directions.double().numpy() / sae.std
    for child, parent in bench.pairs:
        both = bench.test_labels[:, child] & bench.test_labels[:, parent]
        if both.any() and len(main[parent]):
            weights = bench.probes.weights[parent]
            along = normalised @ weights / np.linalg.norm(weights)
            right = bench.decisions[both, parent] > 0
            rates.append(absorption_rate(rows[np.flatnonzero(both)].toarray(), main[parent], along, right))
    return float(np.nanmean(rates)) if np.isfinite(rates).any() else float("nan")


def _ablation(bench: Bench, sae: SparseAutoencoder, test: Any, features: list[np.ndarray]) -> Scores:
    normalised = sae.directions.double().numpy() / sae.std
    written = (test[:, chosen].toarray() @ normalised[chosen] for chosen in features)
    own, others = ablation_drops(bench.decisions, bench.test_labels, written, bench.probes.weights)
    return {"ablation_own": float(own.mean()), "ablation_others": float(others.mean())}


def _ranking(bench: Bench, sae: SparseAutoencoder) -> Scores:
    """NaN for dictionaries of other activations, which cannot stand in for the recommender's."""
    if not bench.of_recommender:
        names = ("ndcg", "ndcg_all", "ndcg_last", "overlap_all", "overlap_last", "kl_all", "kl_last")
        return dict.fromkeys(names, float("nan"))
    rec = bench.recommender.attach(sae)
    everywhere, last = (ranking_kept(rec, bench.histories, bench.site, where) for where in ("all", "last"))
    return {
        "ndcg": bench.ndcg,
        "ndcg_all": everywhere.ndcg,
        "ndcg_last": last.ndcg,
        "overlap_all": everywhere.overlap,
        "overlap_last": last.overlap,
        "kl_all": everywhere.kl,
        "kl_last": last.kl,
    }


def _recovery(bench: Bench, test: Any) -> float:
    if not bench.planted:
        return float("nan")
    return float((auc(test, bench.test_labels).max(axis=0) >= RECOVERED).mean())


def _unit(sae: SparseAutoencoder) -> np.ndarray:
    """The directions of the features at length 1: float64 [f, d]; one of length 0 stays."""
    directions = sae.directions.double().numpy()
    length = np.linalg.norm(directions, axis=1, keepdims=True)
    return directions / np.where(length > 0, length, 1)
