"""The baselines of a study: candidates that compete with the features of its dictionary.

Two of them are dictionaries of the same configuration, trained on other activations:

    baselines/untrained/         of the recommender before its first training step; of one that was trained elsewhere,
                                 with each weight tensor's entries shuffled
    baselines/item_embeddings/   of the items' embeddings, without positions and context
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from interp.activations.feature_matrix import feature_matrix
from interp.activations.item_embeddings import item_embeddings
from interp.activations.training import train
from interp.concepts.study_data import StudyData
from interp.config import StudyConfig
from interp.features.candidates import Candidates, projections
from interp.model.envoys import RecommenderEnvoy
from interp.pipeline.grid import PARTS, Stores, collect_parts
from interp.sae.autoencoder import SparseAutoencoder
from recmodels.progress import tqdm
from recmodels.shuffling import shuffled
from recmodels.training import initial

UNTRAINED, EMBEDDINGS = "untrained", "item_embeddings"
UNTRAINED_NAMES = (
    "untrained recommender",
    "a dictionary of the same configuration on the recommender before its first training step",
)
SHUFFLED_NAMES = (
    "shuffled recommender",
    "a dictionary of the same configuration on the recommender with the entries of each of its weight tensors shuffled",
)
FOLDER = "baselines"
DICTIONARY = "dictionary"


def outputs(folder: Path) -> list[Path]:
    """The artefacts that `train_baselines` writes."""
    kinds = [folder / FOLDER / kind for kind in (UNTRAINED, EMBEDDINGS)]
    return [path for kind in kinds for path in (*(kind / "activations" / part for part in PARTS), kind / DICTIONARY)]


def train_baselines(
    config: StudyConfig, data: StudyData, rec: RecommenderEnvoy, stores: Stores, sae: SparseAutoencoder
) -> list[Candidates]:
    """The baselines that are dictionaries. What is there already is only loaded.

    Args:
        config: of the study.
        data: its data, with the parts of the users.
        rec: the recommender.
        stores: its activations at the study's site, by part.
        sae: the study's dictionary, whose configuration they have.
    """
    folder = config.folder / FOLDER

    def untrained(place: Path) -> Stores:
        if data.recommender is None:
            before = RecommenderEnvoy(initial(config.training, rec.recommender.vocabulary))
            return collect_parts(before, data.split, config, {config.site: place})[config.site]
        with shuffled(rec.recommender, config.sae.seed) as noise:
            return collect_parts(RecommenderEnvoy(noise), data.split, config, {config.site: place})[config.site]

    def embeddings(place: Path) -> Stores:
        return {part: item_embeddings(rec, stores[part], place / part) for part in PARTS}

    return [
        _trained(
            *(UNTRAINED_NAMES if data.recommender is None else SHUFFLED_NAMES),
            folder / UNTRAINED,
            untrained,
            sae,
        ),
        _trained(
            "item embeddings",
            "a dictionary of the same configuration on the embedding of each step's item",
            folder / EMBEDDINGS,
            embeddings,
            sae,
        ),
    ]


def baselines(
    config: StudyConfig, data: StudyData, rec: RecommenderEnvoy, stores: Stores, sae: SparseAutoencoder, l0: float
) -> list[Candidates]:
    """All baselines that the configuration asks for; see `train_baselines`.

    Args:
        l0: active features of the dictionary per step of the SAE part.
    """
    if config.baselines == "none":
        return []
    quick = projections(stores["sae"], stores, sae.n_features, l0, config.sae.seed)
    every = list(tqdm(quick, desc="baselines"))
    return every if config.baselines == "quick" else every + train_baselines(config, data, rec, stores, sae)


def _trained(
    name: str, about: str, folder: Path, collect: Callable[[Path], Stores], study_sae: SparseAutoencoder
) -> Candidates:
    stores = collect(folder / "activations")
    sae = train(stores["sae"], {DICTIONARY: study_sae.config}, folder)[DICTIONARY]
    features = cache(lambda part: feature_matrix(stores[part], sae, folder / "features" / part))
    return Candidates(name, about, sae.n_features, features)
