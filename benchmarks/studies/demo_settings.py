"""How large and how sparse the demo's dictionary should be, chosen on items that a feature was not chosen on.

    python benchmarks/studies/demo_settings.py artifacts/ml-100k

trains dictionaries of several sizes and penalties on the activations of the SAE part of a finished study, with three
seeds each, and prints for each setting the mean over concepts of the largest correlation on that part: as the paper
measures it, by chance (concepts permuted over items within tenths of popularity), and on unseen items. The test users
are not read. The preset ml-100k has what won (interp/presets.py).
"""

import sys
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import tyro

import interp
from interp.activations.feature_matrix import encode
from interp.concepts import Concepts
from interp.concepts.alignment import Activations
from interp.concepts.cross_fit import ItemLabels
from interp.concepts.item_folds import item_halves, permutations, popularity_deciles
from interp.concepts.item_sums import item_sums
from interp.presets import PRESETS
from recmodels.console import say

REPEATS, PERMUTATIONS = 20, 100


@dataclass(frozen=True)
class Search:
    """What is tried."""

    folder: tyro.conf.Positional[Path]
    """A finished study of MovieLens-100K, whose recommender and activations are taken."""
    n_features: tuple[int, ...] = (64, 96, 128, 256, 1024)
    """Sizes."""
    l1: tuple[float, ...] = (0.2, 0.3)
    """Penalties."""
    seeds: int = 3
    """Dictionaries of each setting."""


def scores(activations: Activations, items: np.ndarray, concepts: Concepts) -> dict[str, float]:
    """Means over concepts of the largest correlation: as the paper, by chance, on unseen items."""
    rng, sums = np.random.default_rng(0), item_sums(activations, items)
    labels, deciles = concepts.labels(sums.items), popularity_deciles(sums.count)
    by_item = ItemLabels(labels, item_halves(labels, deciles, REPEATS, rng))
    fit, whole = by_item.fit(sums), ItemLabels(labels, np.ones((1, len(labels)), dtype=bool))
    null = [whole.fit(sums, order).whole.max(axis=1).mean() for order in permutations(deciles, PERMUTATIONS, rng)]
    return {
        "L0": (activations > 0).sum() / len(items),
        "as the paper": fit.whole.max(axis=1).mean(),
        "null": float(np.mean(null)),
        "unseen items": fit.by_concept()[1].mean(),
    }


def main(search: Search) -> None:
    """Print a table of all settings, the best on unseen items first."""
    study, base = interp.open(search.folder), PRESETS["ml-100k"][1].sae
    store, concepts = study.activations("sae"), study.concepts
    items = store.rows["item"].to_numpy()
    rows = [{"features": "neurons", "λ": np.nan, **scores(np.asarray(store.activations, float), items, concepts)}]
    for seed in range(search.seeds):
        grid = product(search.n_features, search.l1)
        configs = [replace(base, n_features=size, l1=l1, seed=seed) for size, l1 in grid]
        with TemporaryDirectory() as folder:
            saes = interp.train(store, {config.name: config for config in configs}, Path(folder) / "dictionaries")
        for sae in saes.values():
            setting = {"features": str(sae.config.n_features), "λ": sae.config.l1}
            rows.append(setting | scores(encode(store, sae), items, concepts))
    table = pd.DataFrame(rows).groupby(["features", "λ"], dropna=False)
    means = table.mean().assign(spread=table["unseen items"].std()).sort_values("unseen items", ascending=False)
    say(f"{len(set(store.rows['user']))} users of the SAE part, {len(set(items))} items, {search.seeds} seeds")
    say(means.round(3).to_string())


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Search)))
