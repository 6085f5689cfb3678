"""The loss through a dictionary's reconstruction, in activations and in recommendations (paper section 6)."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from interp.activations.activation_store import ActivationStore
from interp.activations.feature_matrix import check_match
from interp.model.envoys import RecommenderEnvoy
from interp.sae.autoencoder import SparseAutoencoder
from interp.steering.edits import Reconstruct, Steer
from recmodels.bootstrap import Resampling, bootstrap_counts, percentile_interval
from recmodels.metrics import user_ndcg
from recmodels.moments import RunningScatter
from recmodels.progress import tqdm
from recmodels.ranking import list_metrics
from recmodels.sequences import Histories


def reconstruction(
    store: ActivationStore, sae: SparseAutoencoder, observe: Callable[[np.ndarray], None] | None = None
) -> dict[str, float]:
    """Quality of the reconstruction of a store's normalised activations (docs/paper.md, 5).

    Args:
        store: the activations.
        sae: the dictionary.
        observe: is called with the features of every batch of rows, float32 [≤ 4096, f], in the order of the store, so
            that what else is computed from them takes no second pass.

    Returns:
        `rmse`; `explained_variance`, averaged over dimensions as in scikit-learn's `explained_variance_score`: a
        constant dimension gives 1 if its reconstruction is constant, and 0 otherwise; `l0`, active features per row;
        `dead`, the share of features that are active on no row.
    """
    check_match(store, sae)
    d, f = store.activations.shape[1], sae.n_features
    squared_error = np.zeros(d)
    original, error = RunningScatter(d), RunningScatter(d)
    active_steps = np.zeros(f, dtype=np.int64)
    for batch in store.batches():
        hidden = batch.to(sae.device)
        features = sae.encode(hidden)
        if observe is not None:
            observe(features.cpu().numpy())
        x = sae.normalise(hidden).double().cpu().numpy()
        residual = x - sae.normalise(sae.decode(features)).double().cpu().numpy()
        original.add(x)
        error.add(residual)
        squared_error += np.square(residual).sum(axis=0)
        active_steps += (features > 0).sum(dim=0).cpu().numpy()
    n = len(store)
    return {
        "rmse": float(np.sqrt(squared_error.sum() / (n * d))),
        "explained_variance": float(explained_variance(original.scatter, error.scatter).mean()),
        "l0": float(active_steps.sum() / n),
        "dead": float((active_steps == 0).mean()),
    }


def explained_variance(scatter: np.ndarray, residual_scatter: np.ndarray) -> np.ndarray:
    """1 − residual scatter / scatter of each dimension: float [d].

    Where the scatter is 0, it is 1 if the residual scatter is 0 and 0 otherwise, as scikit-learn's `force_finite`.
    """
    share = np.divide(residual_scatter, scatter, out=(residual_scatter > 0).astype(float), where=scatter > 0)
    return 1 - share


def downstream(
    rec: RecommenderEnvoy,
    histories: Histories,
    site: str,
    replaced: Sequence[Reconstruct] = ("none", "last", "all"),
    plain: np.ndarray | None = None,
) -> pd.DataFrame:
    """Recommendation metrics with a site's output replaced by its reconstruction (paper Table 1).

    The paper does not say at which steps it replaces, so both readings are given.

    Args:
        rec: the recommender, with the dictionary attached.
        histories: the users; the last item of each is to be predicted.
        site: what is replaced.
        replaced: where.
        plain: each user's NDCG of the recommender as it is, [n], if it is known already.

    Returns:
        One row each for `replaced` = "none", "last" step and "all" steps: the metrics of lists; for NDCG also 95%
        bounds over users (`ndcg@10_low`, `ndcg@10_high`), and its change from the recommender as it is with the same of
        the change, which is paired by user (`ndcg@10_change`, `ndcg@10_change_low`, `ndcg@10_change_high`). Bounds are
        NaN for one user.
    """
    catalogue = np.arange(len(rec.recommender.vocabulary))
    inputs, truth = histories.split_last()
    lists = {}
    for where in tqdm(replaced, desc="replacing"):
        with rec.steer(Steer((), site, reconstruct=where)):
            lists[where] = rec.rank(inputs)
    if plain is None:
        plain = user_ndcg(lists["none"] if "none" in lists else rec.rank(inputs), truth)
    rows = []
    for where, ranked in lists.items():
        bounds = _bounds(f"ndcg@{ranked.shape[1]}", user_ndcg(ranked, truth), plain)
        rows.append({"replaced": where, **list_metrics(ranked, truth, catalogue), **bounds})
    return pd.DataFrame(rows)


def _bounds(name: str, ndcg: np.ndarray, plain: np.ndarray) -> dict[str, float]:
    """What rests on who the users are: bounds of the mean of values [n], and its change from others with bounds."""
    values, n = np.column_stack([ndcg, ndcg - plain]), len(ndcg)
    resampled = bootstrap_counts(n, Resampling()) @ values / n if n > 1 else np.full((1, 2), np.nan)
    (low, change_low), (high, change_high) = percentile_interval(resampled)
    bounds = {"low": low, "high": high, "change": values[:, 1].mean(), "change_low": change_low}
    return {f"{name}_{key}": float(value) for key, value in (bounds | {"change_high": change_high}).items()}
