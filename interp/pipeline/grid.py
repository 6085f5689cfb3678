"""All dictionaries of a study: the activations that they need, and how good each of them is."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from interp.activations.activation_store import ActivationStore
from interp.activations.collecting import collect_sites
from interp.activations.evaluation import COLUMNS, evaluate_dictionary
from interp.activations.training import Training, train_all
from interp.concepts import Concepts
from interp.config import StudyConfig
from interp.model.envoys import RecommenderEnvoy
from interp.sae.autoencoder import SparseAutoencoder
from interp.store.analysis import Table
from interp.store.table_files import Tables, read_tables, write_tables
from recmodels import ranks
from recmodels.metrics import user_ndcg
from recmodels.progress import tqdm
from recmodels.recommender import lists_key
from recmodels.sequences import Histories
from recmodels.splits import Split

Stores = dict[str, ActivationStore]  # of one site, by part
Saes = Mapping[str, Mapping[str, SparseAutoencoder]]  # by site and name
# One row about one dictionary.
EVALUATION = Table("evaluation", "how good a dictionary is", COLUMNS)
VERSION = 2  # raised when the same inputs give another row
PARTS = ("sae", "sae_validation", "test")


def collect_parts(
    rec: RecommenderEnvoy, split: Split, config: StudyConfig, folders: Mapping[str, Path]
) -> dict[str, Stores]:
    """Activations of the SAE part, of its held-out users and of the test part at some sites, a pass for each part.

    Args:
        rec: the recommender.
        split: the parts of the users.
        config: says how histories of the SAE part are read.
        folders: where each site's are written, each part in `folder/<part>`.
    """
    stores: dict[str, Stores] = {site: {} for site in folders}
    for part in PARTS:
        places = {site: folder / part for site, folder in folders.items()}
        windows = config.sae_windows if part == "sae" else "last"
        for site, store in collect_sites(rec, getattr(split, part), places, windows).items():
            stores[site][part] = store
    return stores


def train_grid(config: StudyConfig, stores: Mapping[str, Stores]) -> dict[str, dict[str, SparseAutoencoder]]:
    """All dictionaries of a study, by site and name, in as many processes as it says; those there are only loaded."""
    grid = config.dictionaries()
    trainings = [
        Training(stores[site]["sae"], {sae.name: sae for sae in configs}, config.folder / "dictionaries" / site)
        for site, configs in grid.items()
    ]
    saes = train_all(trainings, processes=config.processes, share_batches=config.share_batches)
    return dict(zip(grid, saes, strict=True))


def evaluate_all(
    rec: RecommenderEnvoy,
    saes: Saes,
    stores: Mapping[str, Stores],
    histories: Histories,
    concepts: Concepts,
    folder: Path,
) -> list[pd.DataFrame]:
    """`evaluate_dictionary` of every dictionary, site by site, spread over ranks; each is kept for an interrupted run.

    Args:
        rec: the recommender; the dictionary that is attached to a site afterwards is the last one evaluated.
        saes: dictionaries by site and name.
        stores: activations by site and part.
        histories: the test users'.
        concepts: what features are compared with.
        folder: where evaluations are kept.
    """
    inputs_of_users, truth = histories.split_last()
    plain = cache(
        lambda: user_ndcg(rec.rank(inputs_of_users), truth)
    )  # once for all dictionaries, where any is measured
    todo = [(site, name, sae) for site, by_name in saes.items() for name, sae in by_name.items()]
    for site, name, sae in tqdm(ranks.share(todo), desc="evaluating dictionaries", total=len(todo)):
        here, parts = folder / site, stores[site]
        inputs: dict[str, Any] = {
            "recommender": rec.recommender.fingerprint,
            "dictionary": sae.fingerprint,
            "validation": parts["sae_validation"].fingerprint,
            "test": parts["test"].fingerprint,
            "concepts": concepts.fingerprint,
            "version": VERSION,
            **lists_key(rec.keep_seen),
        }

        def evaluation(sae: SparseAutoencoder = sae, parts: Stores = parts) -> Tables:
            table = evaluate_dictionary(rec, sae, parts["sae_validation"], parts["test"], histories, concepts, plain())
            return {EVALUATION.name: table}

        write_tables(here / name, (EVALUATION,), inputs, evaluation)
    return [read_tables(folder / site / name, (EVALUATION,))[EVALUATION.name] for site, name, _ in todo]
