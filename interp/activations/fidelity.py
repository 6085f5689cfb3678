"""What a dictionary's reconstruction costs: in the activations, and in recommendations (paper section 6)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from interp.activations.activation_store import ActivationStore
from interp.activations.feature_matrix import check_match
from interp.model.envoys import RecommenderEnvoy
from interp.sae.autoencoder import SparseAutoencoder
from interp.steering.edits import Reconstruct, Steer
from recmodels.ranking import evaluate
from recmodels.sequences import Histories


def reconstruction(store: ActivationStore, sae: SparseAutoencoder) -> dict[str, float]:
    """Quality of the reconstruction of a store's normalised activations (docs/paper.md, 5).

    Returns:
        `rmse`; `explained_variance`, averaged over dimensions as scikit-learn's `explained_variance_score`
        does; `l0`, active features per row; `dead`, the share of features active on no row.
    """
    check_match(store, sae)
    d, f = store.activations.shape[1], sae.n_features
    total, squared, error, squared_error = (np.zeros(d) for _ in range(4))
    fired = np.zeros(f, dtype=np.int64)
    for hidden in store.batches():
        features = sae.encode(hidden)
        x = sae.normalise(hidden).double().numpy()
        residual = x - sae.normalise(sae.decode(features)).double().numpy()
        total += x.sum(axis=0)
        squared += np.square(x).sum(axis=0)
        error += residual.sum(axis=0)
        squared_error += np.square(residual).sum(axis=0)
        fired += (features > 0).sum(dim=0).numpy()
    n = len(store)
    variance = squared / n - np.square(total / n)
    residual_variance = squared_error / n - np.square(error / n)
    return {
        "rmse": float(np.sqrt(squared_error.sum() / (n * d))),
        "explained_variance": float((1 - residual_variance / variance).mean()),
        "l0": float(fired.sum() / n),
        "dead": float((fired == 0).mean()),
    }


def downstream(
    rec: RecommenderEnvoy, histories: Histories, site: str, replaced: Sequence[Reconstruct] = ("none", "last", "all")
) -> pd.DataFrame:
    """Recommendation metrics with a site's output replaced by its reconstruction (paper Table 1).

    The paper does not say at which steps it replaces, so both readings are given.

    Returns:
        One row each for `replaced` = "none", "last" step and "all" steps.
    """
    catalogue = np.arange(len(rec.recommender.vocabulary))
    rows = []
    for where in tqdm(replaced, desc="replacing", leave=False):
        with rec.steer(Steer((), site, reconstruct=where)):
            rows.append({"replaced": where, **evaluate(rec.score, histories, catalogue)})
    return pd.DataFrame(rows)
