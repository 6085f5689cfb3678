"""The quality of a dictionary: on held-out users, for choosing it, and on test users, for reporting it."""

import numpy as np
import pandas as pd

from interp.activations.activation_store import ActivationStore
from interp.activations.fidelity import downstream, reconstruction
from interp.concepts import Concepts
from interp.model.envoys import RecommenderEnvoy
from interp.sae.autoencoder import SparseAutoencoder
from recmodels.errors import InputError
from recmodels.moments import RunningCorrelation
from recmodels.sequences import Histories

# The columns of `interp.activations.fidelity.downstream` that say how much NDCG rests on who the users are.
NDCG_BOUNDS = (
    "ndcg@10_low:float ndcg@10_high:float ndcg@10_change:float ndcg@10_change_low:float ndcg@10_change_high:float"
)
# The columns of `evaluate_dictionary`.
COLUMNS = (
    "site:text trainer:text n_features:int sparsity:float seed:int val_l0:float val_explained_variance:float "
    "val_mean_top_correlation:float rmse:float explained_variance:float l0:float dead:float "
    "mean_top_correlation:float ndcg@10:float hit_rate@10:float coverage@10:float diversity@10:float "
    "last_ndcg@10:float last_hit_rate@10:float last_coverage@10:float last_diversity@10:float "
    f"{NDCG_BOUNDS} " + " ".join(f"last_{column}" for column in NDCG_BOUNDS.split())
)


def evaluate_dictionary(
    rec: RecommenderEnvoy,
    sae: SparseAutoencoder,
    validation: ActivationStore,
    test: ActivationStore,
    histories: Histories,
    concepts: Concepts,
    plain: np.ndarray | None = None,
) -> pd.DataFrame:
    """One row about one dictionary.

    Args:
        rec: the recommender that the dictionary belongs to.
        sae: the dictionary.
        validation: activations of held-out users of the SAE part.
        test: activations of the test part.
        histories: of the test users; their last item is to be predicted.
        concepts: to compare features with.
        plain: each test user's NDCG of the recommender as it is, [n], if it is known already.

    Returns:
        site, trainer, n_features, sparsity (its l1 or k), seed; of the held-out users `val_l0`,
        `val_explained_variance` and `val_mean_top_correlation`; of the test users rmse, explained_variance, l0, dead,
        mean_top_correlation, and the ranking metrics with the layer's output replaced by its reconstruction at
        all steps (`ndcg@10`, …) and at the last step only (`last_ndcg@10`, …), with the bounds of `downstream`.
    """
    config, site = sae.config, sae.provenance.site
    tops = [TopCorrelation(store, concepts, sae.n_features) for store in (validation, test)]
    validation_quality, quality = (
        reconstruction(store, sae, top.add) for store, top in zip((validation, test), tops, strict=True)
    )
    metrics = downstream(rec.attach(sae), histories, site, ("all", "last"), plain).set_index("replaced")
    row = {
        "site": site,
        "trainer": config.trainer,
        "n_features": config.n_features,
        "sparsity": config.sparsity,
        "seed": config.seed,
        "val_l0": validation_quality["l0"],
        "val_explained_variance": validation_quality["explained_variance"],
        "val_mean_top_correlation": tops[0].mean(),
        **quality,
        "mean_top_correlation": tops[1].mean(),
        **metrics.loc["all"].to_dict(),
        **metrics.loc["last"].add_prefix("last_").to_dict(),
    }
    return pd.DataFrame([row])


class TopCorrelation:
    """Mean over concepts of the largest correlation of any column with it (paper section 4.2), over rows in batches.

    Args:
        store: the rows, with their items.
        concepts: concepts that no row or every row has are left out.
        columns: how many features, or neurons.

    Raises:
        InputError: no concept is left.
    """

    def __init__(self, store: ActivationStore, concepts: Concepts, columns: int) -> None:
        self._codes, items = pd.factorize(store.rows["item"])
        labels = concepts.labels(items)
        rows = np.bincount(self._codes, minlength=len(items)) @ labels
        self._labels = labels[:, (rows > 0) & (rows < len(store))]
        if concepts.names and not self._labels.shape[1]:
            raise InputError("every concept is on all rows or on none: choose another attribute, or more users")
        self._sums = RunningCorrelation(columns, self._labels.shape[1])

    def add(self, activations: np.ndarray) -> None:
        """Count the next rows of the store: [n, columns]."""
        start = self._sums.rows
        self._sums.add(activations, self._labels[self._codes[start : start + len(activations)]])

    def mean(self) -> float:
        """The mean; NaN where there are no concepts at all."""
        return float(self._sums.correlation().max(axis=0).mean()) if self._labels.shape[1] else float("nan")


def best_aligned(table: pd.DataFrame, max_l0: float) -> int:
    """Index of the dictionary that is best aligned on held-out users among those that are sparse enough there.

    Without concepts, the one that explains most of the variance there.

    Args:
        table: rows of `evaluate_dictionary` to choose from.
        max_l0: active features per step, at most; if no dictionary is that sparse, the sparsest is taken.
    """
    allowed = table[table["val_l0"] <= max_l0]
    if not len(allowed):
        return int(table["val_l0"].idxmin())
    by = "val_mean_top_correlation" if allowed["val_mean_top_correlation"].notna().any() else "val_explained_variance"
    return int(allowed[by].idxmax())


def neurons(store: ActivationStore, concepts: Concepts) -> float:
    """`TopCorrelation` of the neurons themselves."""
    top = TopCorrelation(store, concepts, store.activations.shape[1])
    for batch in store.batches():
        top.add(batch.numpy())
    return top.mean()
