"""A study at another site of its run, or with another dictionary."""

from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from interp.sae.autoencoder import SparseAutoencoder
from interp.study.named import Dictionaries
from interp.study.study_parts import OWN, StudyParts
from recmodels.errors import InputError, quote
from recmodels.paths import as_path

AnyStudy = TypeVar("AnyStudy", bound=StudyParts)


def at_site(study: AnyStudy, site: Any) -> AnyStudy:
    """See `Study.at`."""
    own = study.record["config"]["site"]
    if site == own:
        return _with(study, None)
    names = [name.rpartition("/") for name in Dictionaries(study)]
    here = [name for at, _, name in names if at == site]
    if not here:
        sites = dict.fromkeys([own, *(at for at, _, _ in names)])
        raise InputError(
            f"the run trained no dictionary at {quote(site)}, only at {', '.join(sites)}: train one (interp.train) and "
            f"give it to with_dictionary"
        )
    # Elsewhere a run trains the one of its configuration.
    chosen = study.record["dictionary"].split("/")[-1]
    return _with(study, study.dictionary(chosen if chosen in here else here[0], site))


def with_dictionary(study: AnyStudy, dictionary: Any) -> AnyStudy:
    """See `Study.with_dictionary`."""
    known = Dictionaries(study)
    if isinstance(dictionary, str) and (dictionary in known or f"{study.site}/{dictionary}" in known):
        dictionary = known[dictionary]
    elif isinstance(dictionary, str | Path):
        if not as_path(dictionary).is_dir():
            raise InputError(
                f"{quote(str(dictionary))} is neither a folder nor one of the run's dictionaries: choose one of "
                f"{', '.join(known)}"
            )
        dictionary = SparseAutoencoder.load(as_path(dictionary))
    if not isinstance(dictionary, SparseAutoencoder):
        raise InputError(f"{quote(dictionary)} is no dictionary: give a SparseAutoencoder, its folder, or its name")
    dictionary.check_belongs(study.record["fingerprints"]["recommender"])
    run = _with(study, None)
    return run if dictionary.fingerprint == run.sae.fingerprint else _with(study, dictionary)


def with_dictionary_or_site(study: AnyStudy, name: str) -> AnyStudy:
    """The study with a dictionary by name, or with the one at a site that is named alone.

    Raises:
        InputError: there is no such dictionary or site.
    """
    sites = {known.rpartition("/")[0] for known in Dictionaries(study)}
    return at_site(study, name) if name in sites else with_dictionary(study, name)


def _with(study: AnyStudy, dictionary: SparseAutoencoder | None) -> AnyStudy:
    """The same run with another dictionary, or with its own; the recommender's weights are shared."""
    if dictionary is None and study.other is None:
        return study
    other = replace(study, other=dictionary)
    vars(other)[OWN] = study.bare_recommender
    return other
