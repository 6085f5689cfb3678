"""A study of a dictionary from another library: every analysis, without training one."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from interp.config import GridConfig, StudyConfig
from interp.pipeline.grid import Saes, Stores
from interp.sae.autoencoder import KIND, Provenance, SparseAutoencoder
from interp.sae.exchange import folder_formats
from interp.sae.exchange.folder_formats import ForeignDictionary
from interp.sae.import_dictionary import of_plain
from interp.sae.kinds.imported import imported_config
from recmodels import artifacts
from recmodels.console import say


def foreign_dictionary(config: StudyConfig) -> ForeignDictionary | None:
    """The dictionary that a study imports; None if it imports none.

    Raises:
        InputError: the folder holds no dictionary that can be read.
    """
    if config.dictionary is None:
        return None
    foreign = folder_formats.read(config.dictionary)
    say(f"dictionary: {foreign.plain.n_features:,} features of {foreign.source}; none is trained")
    return foreign


def with_dictionary(config: StudyConfig, foreign: ForeignDictionary | None) -> StudyConfig:
    """The same configuration for the dictionary that it imports, if it imports one: nothing else is trained."""
    if foreign is None:
        return config
    sae = replace(imported_config(foreign.plain), seed=config.sae.seed)
    baselines = "quick" if config.baselines == "all" else config.baselines
    return replace(config, sae=sae, grid=GridConfig(), baselines=baselines)


def import_dictionary(
    config: StudyConfig, foreign: ForeignDictionary, stores: Mapping[str, Stores], folder: Path
) -> Saes:
    """The imported dictionary of a study by site and name, written to `folder/<site>/<name>`.

    Args:
        config: of the study, by `with_dictionary`.
        foreign: the dictionary.
        stores: activations by site and part.
        folder: of dictionaries.
    """
    store = stores[config.site]["sae"]
    if config.normalise == "estimate":
        mean, std, activations = store.mean, store.std, store.fingerprint
    else:
        mean, std, activations = 0.0, 1.0, ""
    sae = of_plain(foreign.plain, mean, std, Provenance(store.recommender, store.site, activations, foreign.source))
    sae = replace(sae, config=config.sae)
    place = folder / config.site / sae.config.name
    if not artifacts.is_current(place, KIND, SparseAutoencoder.inputs(sae.config, sae.provenance)):
        sae.save(place)
    return {config.site: {sae.config.name: SparseAutoencoder.load(place)}}
