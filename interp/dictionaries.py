"""All dictionaries of a study: activations collected at their sites, trained, evaluated, and one of them chosen."""

from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm.auto import tqdm

from interp.activations import ActivationStore, collect
from interp.concepts import Concepts
from interp.config import SAEConfig, StudyConfig
from interp.envoys import RecommenderEnvoy
from interp.evaluation import evaluate_dictionary
from interp.sae import SparseAutoencoder
from interp.sae_training import train
from interp.tables.store import read_table, write_group
from recmodels.sequences import Histories
from recmodels.splits import Split

Stores = dict[str, ActivationStore]  # of one site, by part
PARTS = ("sae", "sae_validation", "test")


def collect_parts(rec: RecommenderEnvoy, split: Split, config: StudyConfig, site: str) -> Stores:
    """Activations of the SAE part, of its held-out users and of the test part at one site."""
    return {
        part: collect(
            rec,
            getattr(split, part),
            config.folder / "activations" / site / part,
            site,
            config.sae_windows if part == "sae" else "last",
        )
        for part in PARTS
    }


def train_all(store: ActivationStore, configs: list[SAEConfig], folder: Path) -> list[SparseAutoencoder]:
    """One dictionary per configuration, in their order; those that can share batches are trained together."""

    def shared(config: SAEConfig) -> tuple[int, int, int]:
        return config.seed, config.steps, config.batch_size

    trained: dict[str, SparseAutoencoder] = {}
    for _, together in groupby(sorted(configs, key=shared), shared):
        trained |= train(store, {config.name: config for config in together}, folder)
    return [trained[config.name] for config in configs]


def evaluate_all(
    rec: RecommenderEnvoy,
    saes: Mapping[str, list[SparseAutoencoder]],
    stores: Mapping[str, Stores],
    histories: Histories,
    concepts: Concepts,
    folder: Path,
) -> list[pd.DataFrame]:
    """`evaluate_dictionary` of every dictionary, site by site; each is kept, so that an interrupted run goes on.

    Args:
        rec: the recommender; the dictionary that is attached to a site afterwards is the last one evaluated.
        saes: dictionaries by site.
        stores: activations by site and part.
        histories: the test users'.
        concepts: what features are compared with.
        folder: where evaluations are kept.
    """
    todo = [(site, sae) for site, trained in saes.items() for sae in trained]
    rows = []
    for site, sae in tqdm(todo, desc="evaluating dictionaries", leave=False):
        here, parts = folder / site, stores[site]
        inputs: dict[str, Any] = {
            "recommender": rec.recommender.fingerprint,
            "dictionary": sae.inputs(sae.config, sae.provenance),
            "validation": parts["sae_validation"].fingerprint,
            "test": histories.fingerprint,
            "concepts": concepts.fingerprint,
        }

        def evaluation(sae: SparseAutoencoder = sae, parts: Stores = parts) -> dict[str, pd.DataFrame]:
            found = evaluate_dictionary(rec, sae, parts["sae_validation"], parts["test"], histories, concepts)
            return {f"{sae.config.name}.csv": found}

        write_group(here / sae.config.name, inputs, evaluation)
        rows.append(read_table(here, sae.config.name))
    return rows
