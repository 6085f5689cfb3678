"""What all dictionaries of a site are measured on: rows, labels, folds of the items, and probes on the full layer.

Axes: n rows, d hidden size, c concepts.
"""

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from interp.activations.activation_store import ActivationStore
from interp.activations.feature_matrix import encode
from interp.concepts.evidence import ItemTest, Rows
from interp.concepts.hierarchies import hierarchies
from interp.concepts.item_folds import item_halves, popularity_deciles
from interp.features.probes import Probes, fit_probes
from interp.features.sparse_probing import probe_probabilities
from interp.model.envoys import RecommenderEnvoy
from interp.sae.autoencoder import SparseAutoencoder
from interp.study.study import Study
from recmodels.datasets.planted import NAME
from recmodels.errors import InputError
from recmodels.metrics import ndcg
from recmodels.progress import tqdm
from recmodels.sequences import Histories

ROWS = 100_000  # of a part that are used, at most: those of users drawn at random
SEED = 0
FOLDS = 2
PARTS = ("sae", "sae_validation", "test")


class Bench:
    """What the dictionaries of one site are measured on.

    Args:
        study: the study.
        site: where they read its recommender.
        elsewhere: the folder of a baseline whose activations are the rows' in place of the recommender's.

    Raises:
        InputError: the study has no activations at this site, or no concept that rows of both parts have and lack.
    """

    def __init__(self, study: Study, site: str, elsewhere: Path | None = None) -> None:
        if not study.has_concepts:
            raise InputError(f"{study.folder} has no concepts, on which scorecards rest: give its items an attribute")
        self.study, self.site = study, site
        self.of_recommender = elsewhere is None
        home = study.folder / "activations" / site if elsewhere is None else elsewhere / "activations"
        parts = {part: ActivationStore.load(home / part) for part in PARTS}
        self.fingerprints = {part: store.fingerprint for part, store in parts.items()}
        self.train, self.validation, self.test = (sample(store) for store in parts.values())
        self.concepts = study.concepts
        self.item_test = ItemTest(self.concepts, self.test.rows["item"], self.validation.rows["item"])
        train = self.concepts.labels(self.train.rows["item"])
        self.columns = [
            column
            for column in map(self.concepts.index, self.item_test.names)
            if 0 < train[:, column].sum() < len(train)
        ]
        if not self.columns:
            raise InputError(
                f"{study.folder} has no concept that some steps of all users have: choose another attribute"
            )
        self.train_labels = train[:, self.columns]
        self.test_labels = self.concepts.labels(self.test.rows["item"])[:, self.columns]

    @property
    def names(self) -> list[str]:
        """The concepts that probes are fitted for."""
        return [self.concepts.names[column] for column in self.columns]

    @cached_property
    def folds(self) -> tuple[np.ndarray, np.ndarray]:
        """The fold of the item of each training and each test row."""
        codes, items = pd.factorize(np.concatenate([self.train.rows["item"], self.test.rows["item"]]))
        deciles = popularity_deciles(np.bincount(codes))
        (half,) = item_halves(self.concepts.labels(items), deciles, 1, np.random.default_rng(SEED))
        folds = half[codes].astype(int)
        return folds[: len(self.train)], folds[len(self.train) :]

    @cached_property
    def recommender(self) -> RecommenderEnvoy:
        """The recommender, without the study's own dictionary."""
        return RecommenderEnvoy(self.study.load_recommender())

    @cached_property
    def histories(self) -> Histories:
        """The test users'."""
        return self.study.users()

    @cached_property
    def ndcg(self) -> float:
        """NDCG@10 of the recommender itself."""
        inputs, truth = self.histories.split_last()
        return ndcg(self.recommender.rank(inputs), truth)

    @property
    def planted(self) -> bool:
        """Whether the concepts are the truth that the data were made from."""
        return self.study.name == NAME

    @cached_property
    def probes(self) -> Probes:
        """Probes on the full layer, fitted on all training rows: those of `names`."""
        probes = fit_probes(self.train, self.concepts)
        rows = [probes.concepts.index(name) for name in self.names]
        return replace(probes, concepts=self.names, weights=probes.weights[rows], bias=probes.bias[rows])

    @cached_property
    def decisions(self) -> np.ndarray:
        """Decision values of these probes on the test rows: float64 [n, c]."""
        return self.probes.decide(np.asarray(self.test.activations, dtype=np.float64))

    @cached_property
    def layer_probabilities(self) -> np.ndarray:
        """What probes on the full layer say of test rows at items that they were not fitted on: float64 [n, c]."""
        train, test = (
            (np.asarray(store.activations, dtype=np.float64) - self.train.mean) / self.train.std
            for store in (self.train, self.test)
        )
        every = [np.arange(train.shape[1])] * FOLDS
        train_folds, test_folds = self.folds
        columns = [
            probe_probabilities(train, labels, train_folds, test, test_folds, every)
            for labels in tqdm(self.train_labels.T, desc="probing the layer", unit="concept")
        ]
        return np.stack(columns, axis=1)

    @cached_property
    def pairs(self) -> list[tuple[int, int]]:
        """Concepts inside others, as columns of child and parent."""
        names = self.names
        pairs = [pair for pair in hierarchies(self.concepts) if {pair.child, pair.parent} <= set(names)]
        return [(names.index(pair.child), names.index(pair.parent)) for pair in pairs]

    def rows(self, store: ActivationStore, activations: Any) -> Rows:
        """Activations on the rows of a store."""
        return Rows(activations, store.rows["item"].to_numpy(), store.rows["user"].to_numpy())

    def encode(self, sae: SparseAutoencoder) -> tuple[Any, Any, Any]:
        """What a dictionary makes of training, validation and test rows."""
        return encode(self.train, sae), encode(self.validation, sae), encode(self.test, sae)


def sample(store: ActivationStore, rows: int = ROWS) -> ActivationStore:
    """All rows of as many users, drawn at random, as make at most so many; all of them if they are no more."""
    if len(store) <= rows:
        return store
    codes, users = store.users
    order = np.random.default_rng(SEED).permutation(len(users))
    total = np.bincount(codes)[order].cumsum()
    keep = np.isin(codes, order[: max(1, int((total <= rows).sum()))])
    part = store.rows[keep].reset_index(drop=True)
    return replace(store, activations=np.asarray(store.activations[keep]), rows=part)
