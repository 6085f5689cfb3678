"""Feature activations of a whole store as a sparse matrix, and statistics of each feature.

Axes: n rows, f features.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
from scipy import sparse

from interp.activations.activation_store import ActivationStore, check_store
from interp.activations.column_merge import PARTS, merge
from interp.model.envoys import RecommenderEnvoy
from interp.sae.autoencoder import SparseAutoencoder
from recmodels import artifacts
from recmodels.errors import InputError, check_kind, quote
from recmodels.progress import tqdm
from recmodels.sequences import Histories

_USERS = 256  # per pass

FeatureMatrix: TypeAlias = sparse.csc_array
"""Activations of every feature on every row of a store: float32 [n, f], by columns."""

KIND = artifacts.Kind("features", tuple(f"{part}.npy" for part in PARTS))

Units: TypeAlias = Sequence[float] | np.ndarray | pd.Series
"""One unit of each feature in activation: [f], or a series by feature, such as `study.features.table["p99"]`."""


def encode(store: ActivationStore, sae: SparseAutoencoder, batch_size: int = 4096) -> FeatureMatrix:
    """Activations of every feature on every row of a store: sparse float32 [n, f], by columns.

    Raises:
        InputError: the dictionary was trained on another recommender or at another site.
    """
    check_store(store)
    check_kind("the dictionary", sae, SparseAutoencoder, "study.sae, or what interp.train returns")
    check_match(store, sae)
    return sparse.csc_array(sparse.vstack(list(_encoded(store, sae, batch_size))))


def _encoded(store: ActivationStore, sae: SparseAutoencoder, batch_size: int = 4096) -> Iterator[sparse.csr_array]:
    """The features of some rows after another: sparse float32 [≤ batch_size, f]."""
    total = -(-len(store) // batch_size)
    for batch in tqdm(store.batches(batch_size), desc="encoding", total=total):
        yield sparse.csr_array(sae.encode(batch.to(sae.device)).cpu().numpy())


def feature_matrix(store: ActivationStore, sae: SparseAutoencoder, folder: Path) -> FeatureMatrix:
    """`encode`, stored in a folder and memory-mapped from there, so that it is computed only once.

    Rows are encoded and written in blocks (`interp.activations.column_merge`); the whole matrix is never in memory.

    Args:
        store: the activations.
        sae: the dictionary.
        folder: where the matrix is kept; one of other activations, of another dictionary, or that is damaged, is
            replaced.

    Raises:
        InputError: the dictionary was trained on another recommender or at another site, or the folder holds something
            else.
    """
    check_match(store, sae)
    inputs = {"activations": store.fingerprint, "dictionary": sae.fingerprint}
    if not artifacts.is_current(folder, KIND, inputs):
        with artifacts.claim(folder, KIND):
            artifacts.discard_partial(folder, KIND)
            with artifacts.writing(folder, KIND, inputs) as partial:
                merge(_encoded(store, sae), len(store), sae.n_features, partial)
    arrays = [np.load(folder / f"{part}.npy", mmap_mode="r", allow_pickle=False) for part in PARTS]
    return sparse.csc_array(tuple(arrays), (len(store), sae.n_features), copy=False)


def last_features(rec: RecommenderEnvoy, site: str, histories: Histories) -> sparse.csr_array:
    """Features [n, f] at the step that is scored, of one history per row, under the steers in force."""
    sae = rec.site(site).sae
    parts = [sae.encode(rec.hidden(batch, site)[:, -1]).cpu().numpy() for batch in histories.batches(_USERS)]
    return sparse.csr_array(sparse.vstack([sparse.csr_array(part) for part in parts]))


def step_features(rec: RecommenderEnvoy, site: str, histories: Histories) -> sparse.csr_array:
    """Features [n, f] at every step that holds an item, histories in order, under the steers in force.

    A model reads the last `max_history` items of a history; earlier ones have no step.
    """
    sae, parts = rec.site(site).sae, []
    for batch in histories.batches(_USERS):
        hidden = rec.hidden(batch, site)
        parts.append(sparse.csr_array(sae.encode(hidden[rec.item_steps(batch)]).cpu().numpy()))
    return sparse.csr_array(sparse.vstack(parts))


def check_match(store: ActivationStore, sae: SparseAutoencoder) -> None:
    """Check that a dictionary fits the activations of a store.

    Raises:
        InputError: another recommender or another site.
    """
    sae.check_belongs(store.recommender)
    if sae.provenance.site != store.site:
        raise InputError(
            f"this dictionary reads {sae.provenance.site}, the store holds {store.site}: "
            f"collect activations at {sae.provenance.site}"
        )


def statistics(activations: sparse.csc_array) -> pd.DataFrame:
    """Statistics of each feature's activations, indexed by feature.

    Returns:
        `density` (share of rows where it is active); over the active rows `mean`, `p99` (99th percentile) and `max`;
        over all rows `std` (standard deviation). All 0 for a feature that is never active.
    """
    n, f = activations.shape
    count = np.diff(activations.indptr)
    table = np.zeros((f, 5))
    table[:, 0] = count / n
    for feature in np.flatnonzero(count):
        values = activations.data[activations.indptr[feature] : activations.indptr[feature + 1]]
        mean = values.sum(dtype=np.float64) / n
        std = np.sqrt((np.square(np.subtract(values, mean, dtype=np.float64)).sum() + (n - len(values)) * mean**2) / n)
        table[feature, 1:] = values.mean(), np.percentile(values, 99), values.max(), std
    return pd.DataFrame(table, columns=["density", "mean", "p99", "max", "std"]).rename_axis("feature")


def units_of(units: Units | None, n_features: int) -> np.ndarray:
    """Units as one number for each feature: float [f], all 1 for None.

    Raises:
        InputError: a feature has none, or one that is negative or not finite.
    """
    if units is None:
        return np.ones(n_features)
    try:
        if isinstance(units, pd.Series):
            units = units.sort_index()
        scale = np.asarray(units, dtype=float)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise InputError(f"units are {quote(units)}: give one number, 0 or more, for each feature") from None
    if scale.shape != (n_features,) or not (np.isfinite(scale) & (scale >= 0)).all():
        raise InputError(f"units has shape {scale.shape}: give one number, 0 or more, for each feature")
    return scale
