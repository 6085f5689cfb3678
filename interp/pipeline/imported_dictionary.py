"""A study of a dictionary from another library: every analysis, without training one."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from interp.config import GridConfig, StudyConfig
from interp.model.envoys import RecommenderEnvoy
from interp.pipeline.grid import Saes, Stores
from interp.sae.autoencoder import KIND, Provenance, SparseAutoencoder
from interp.sae.exchange import folder_formats
from interp.sae.import_dictionary import check_width, of_plain
from interp.sae.kinds.imported import imported_config
from recmodels import artifacts
from recmodels.console import say


def with_dictionary(config: StudyConfig) -> StudyConfig:
    """The same configuration for the dictionary that it imports, if it imports one: nothing else is trained.

    Raises:
        InputError: the folder holds no dictionary that can be read.
    """
    if config.dictionary is None:
        return config
    plain, source = folder_formats.read(config.dictionary)
    say(f"dictionary: {plain.n_features:,} features of {source}; none is trained")
    sae = replace(imported_config(plain), seed=config.sae.seed)
    baselines = "quick" if config.baselines == "all" else config.baselines
    return replace(config, sae=sae, grid=GridConfig(), baselines=baselines)


def check_dictionary(config: StudyConfig, rec: RecommenderEnvoy) -> None:
    """Refuse an imported dictionary whose width is not that of the site, before activations are collected.

    Raises:
        InputError: it is not.
    """
    if config.dictionary is not None:
        plain, source = folder_formats.read(config.dictionary)
        check_width(plain, rec, config.site, source)


def import_dictionary(config: StudyConfig, stores: Mapping[str, Stores], folder: Path) -> Saes:
    """The imported dictionary of a study by site and name, written to `folder/<site>/<name>`; empty if it has none.

    Args:
        config: of the study, by `with_dictionary`.
        stores: activations by site and part.
        folder: of dictionaries.

    Raises:
        InputError: the folder holds no dictionary that can be read.
    """
    if config.dictionary is None:
        return {}
    plain, source = folder_formats.read(config.dictionary)
    store = stores[config.site]["sae"]
    if config.normalise == "estimate":
        mean, std, activations = store.mean, store.std, store.fingerprint
    else:
        mean, std, activations = 0.0, 1.0, ""
    sae = of_plain(plain, mean, std, Provenance(store.recommender, store.site, activations, source))
    sae = replace(sae, config=config.sae)
    place = folder / config.site / sae.config.name
    if not artifacts.is_current(place, KIND, SparseAutoencoder.inputs(sae.config, sae.provenance)):
        sae.save(place)
    return {config.site: {sae.config.name: SparseAutoencoder.load(place)}}
