"""Dictionaries of other libraries, for one place in one recommender."""

from pathlib import Path
from typing import Any

from interp.sae.autoencoder import Provenance, SparseAutoencoder
from interp.sae.exchange import folder_formats
from interp.sae.exchange.folder_formats import ForeignDictionary
from interp.sae.exchange.plain import PlainDictionary, PlainSAE
from recmodels.errors import InputError, quote
from recmodels.paths import as_path
from recmodels.scalars import as_number

LARGEST = 1e9  # mean or standard deviation of a normaliser


def read_dictionary(
    folder: Path | str,
    rec: Any,
    site: str | None = None,
    *,
    normalise: Any = None,
    format: str | None = None,
) -> SparseAutoencoder:
    """A dictionary of SAELens or dictionary_learning for a site of a recommender.

        sae = interp.read_dictionary("sae/blocks_0", rec, site="blocks.0")
        rec.attach(sae)

    Features and reconstructions are those of the other library. Nothing in the folder is executed.

    Args:
        folder: with `cfg.json` and `sae_weights.safetensors`, or with `config.json` and `ae.pt`.
        rec: the recommender whose hidden states it reads.
        site: where, one of the recommender's sites; by default the first block, or the last site where there is none.
        normalise: what happens to hidden states before they are encoded. By default nothing, as in those libraries. If
            the dictionary was trained on states from which you had subtracted one number, and which you had divided by
            another: these two numbers, or an `ActivationStore` to take its mean and standard deviation.
        format: "saelens" or "dictionary_learning"; by default found by the files.

    Raises:
        InputError: no such site, another width, a dictionary of this program that was made for another recommender or
            site, a file that is missing, damaged or not supported, or numbers that are no mean and standard deviation.
    """
    foreign = folder_formats.read(as_path(folder), format)
    recommender = getattr(rec, "recommender", rec)
    sites = recommender.model.sites
    site = recommender.model.default_site if site is None else site
    if site not in sites:
        raise InputError(f"there is no site {quote(site)}: choose one of {', '.join(sites)}")
    check_fits(foreign, recommender, site)
    mean, std, activations = _normaliser(normalise)
    provenance = Provenance(recommender.fingerprint, site, activations, foreign.source)
    return of_plain(foreign.plain, mean, std, provenance)


def of_plain(plain: PlainDictionary, mean: float, std: float, provenance: Provenance) -> SparseAutoencoder:
    """A plain dictionary as one of ours.

    Args:
        plain: the dictionary.
        mean, std: what is subtracted from hidden states before, and what they are divided by.
        provenance: what it belongs to, and where it comes from.
    """
    from interp.sae.kinds.imported import imported_config  # imports the kinds of dictionaries

    return SparseAutoencoder(PlainSAE.of(plain), mean, std, imported_config(plain), provenance)


def check_fits(foreign: ForeignDictionary, recommender: Any, site: str) -> None:
    """Refuse a dictionary that was made for other activations than those of a recommender at a site.

    Args:
        foreign: the dictionary.
        recommender: a `Recommender`.
        site: the site.

    Raises:
        InputError: its width is another one; or this program wrote it for another recommender or site.
    """
    width, about = recommender.model.width(site), f"this dictionary ({foreign.source})"
    if foreign.plain.width != width:
        raise InputError(
            f"{about} reads activations of width {foreign.plain.width}, those of {site} have width {width}: "
            f"give one that was trained on this recommender"
        )
    if foreign.recommender not in ("", recommender.fingerprint):
        raise InputError(
            f"{about} was made for another recommender, {foreign.recommender[:16]}…, whose activations mean something "
            f"else: give one of this recommender, {recommender.fingerprint[:16]}…"
        )
    if foreign.recommender and foreign.site != site:
        raise InputError(
            f"{about} was made for the site {foreign.site} of this recommender, not {site}: name that site"
        )


def _normaliser(normalise: Any) -> tuple[float, float, str]:
    """Mean, standard deviation, and the fingerprint of the store that they come from."""
    if normalise is None:
        return 0.0, 1.0, ""
    if hasattr(normalise, "mean") and hasattr(normalise, "std") and hasattr(normalise, "fingerprint"):
        return normalise.mean, normalise.std, normalise.fingerprint
    numbers = [as_number(value) for value in normalise] if isinstance(normalise, tuple | list) else []
    if len(numbers) != 2 or None in numbers:
        raise InputError(f"normalise is {quote(normalise)}: give mean and standard deviation, or an ActivationStore")
    mean, std = float(numbers[0]), float(numbers[1])  # type: ignore[arg-type]
    if not (abs(mean) <= LARGEST and 0 < std <= LARGEST):
        raise InputError(f"normalise is {quote(normalise)}: give a mean, and a standard deviation above 0")
    return mean, std, ""
