"""Linear probes: the supervised counterpart of a dictionary (paper section 8.2.3).

Axes: n rows, d hidden size, c concepts.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.special import expit

from interp.activations.activation_store import ActivationStore
from interp.concepts import Concepts, non_constant_columns
from recmodels.progress import tqdm

ALL = slice(None)
FITTED = 100_000  # rows that a probe is fitted on for unseen items, at most; its 64 weights need no more
SCORES = ["concept", "correlation_probability", "correlation_decision", "auc"]


@dataclass(frozen=True)
class Probes:
    """One logistic regression per concept, on normalised activations.

    Attributes:
        concepts: names of the rows.
        weights: float64 [c, d].
        bias: float64 [c].
        mean: one number subtracted from hidden states.
        std: one number they are divided by.
    """

    concepts: list[str]
    weights: np.ndarray
    bias: np.ndarray
    mean: float
    std: float

    def decide(self, hidden: np.ndarray) -> np.ndarray:
        """[n, d] hidden states to [n, c] decision values; above 0 the concept is likelier than not."""
        return (hidden - self.mean) / self.std @ self.weights.T + self.bias

    def direction(self, concept: str) -> torch.Tensor:
        """[d] change of the hidden state that is of length 1 among normalised activations (docs/paper.md, 11).

        It is 0 for a probe whose weights are 0.
        """
        weights = self.weights[self.concepts.index(concept)]
        return torch.from_numpy(weights / (np.linalg.norm(weights) or 1) * self.std).float()


def logistic_regression() -> Any:
    """A scikit-learn LogisticRegression, not fitted yet, by the fastest solver for many rows of few columns.

    It converges to the optimum: scikit-learn's own tolerance stops it where decision values of 12 are off by 0.06.
    """
    from sklearn.linear_model import LogisticRegression  # here, as a study opens without scikit-learn

    return LogisticRegression(solver="newton-cholesky", tol=1e-8)


def fit_probes(store: ActivationStore, concepts: Concepts, rows: np.ndarray | slice = ALL) -> Probes:
    """Probes for the concepts of the input item, on the activations that dictionaries are trained on.

    Args:
        store: activations of the SAE part.
        concepts: what items have; those that no row or every row has are left out.
        rows: which rows to fit on; by default all.
    """
    x = np.array(store.activations[rows], dtype=np.float64)
    x -= store.mean  # in place, as millions of rows are copied otherwise
    x /= store.std
    labels = concepts.labels(store.rows["item"])[rows]
    columns = non_constant_columns(labels)
    probes = [
        logistic_regression().fit(x, labels[:, column]) for column in tqdm(columns, desc="probing", unit="concept")
    ]
    weights = np.array([probe.coef_[0] for probe in probes]).reshape(len(probes), x.shape[1])
    bias = np.array([probe.intercept_[0] for probe in probes])
    return Probes([concepts.names[column] for column in columns], weights, bias, store.mean, store.std)


def probe_scores(
    probes: Probes, store: ActivationStore, concepts: Concepts, rows: np.ndarray | slice = ALL
) -> pd.DataFrame:
    """How well probes classify the rows of a store, for the concepts that some rows have and others lack.

    Args:
        probes: of these concepts.
        store: the rows.
        concepts: what items have.
        rows: which of them to score on; by default all.

    Returns:
        concept, correlation_probability and correlation_decision (Pearson, of the label with the probability and
        with the decision value: the former is much larger; 0 for a probe that says the same of every row), auc.
    """
    from sklearn.metrics import roc_auc_score

    decisions = probes.decide(np.asarray(store.activations[rows], dtype=np.float64))
    labels = concepts.labels(store.rows["item"])[rows]
    columns, scores = non_constant_columns(labels), []
    for decision, name in zip(decisions.T, probes.concepts, strict=True):
        column = concepts.index(name)
        if column not in columns:
            continue
        has = labels[:, column]
        scores.append(
            {
                "concept": name,
                "correlation_probability": _pearson(expit(decision), has),
                "correlation_decision": _pearson(decision, has),
                "auc": roc_auc_score(has, decision),
            }
        )
    return pd.DataFrame(scores, columns=SCORES)


def unseen_item_scores(
    training: ActivationStore, test: ActivationStore, concepts: Concepts, halves: np.ndarray
) -> pd.DataFrame:
    """`probe_scores` on items that the probes were not fitted on, as means over halves and repeats.

    Probes are fitted on training rows of one half of the items, at most `FITTED`, and scored on the test rows of the
    other half. A concept that one half cannot teach or test is scored on the rest.

    Args:
        training: activations of the SAE part.
        test: activations of other users.
        concepts: what items have.
        halves: bool [repeat, item], True for the first half of the items of `concepts`
            (`interp.concepts.item_folds.item_halves`).

    Returns:
        The columns of `probe_scores`, for the concepts that could be scored.
    """
    of_training, of_test = (concepts.items.get_indexer(store.rows["item"]) for store in (training, test))
    folds = [half for first in halves for half in (first, ~first)]
    parts = [
        probe_scores(fit_probes(training, concepts, _some(half[of_training])), test, concepts, ~half[of_test])
        for half in tqdm(folds, desc="probing unseen items", unit="half")
    ]
    return pd.concat(parts).groupby("concept", sort=False).mean().reset_index()


def _some(mask: np.ndarray) -> np.ndarray:
    """The rows of a mask, or `FITTED` of them drawn by lot."""
    rows = np.flatnonzero(mask)
    return rows if len(rows) <= FITTED else np.sort(np.random.default_rng(0).choice(rows, FITTED, replace=False))


def _pearson(x: np.ndarray, y: np.ndarray) -> float:
    """Pearson correlation of two rows [n]; 0 where either is constant."""
    return float(np.corrcoef(x, y)[0, 1]) if np.ptp(x) and np.ptp(y.astype(int)) else 0.0
