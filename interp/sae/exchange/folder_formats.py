"""The formats of other libraries, one line each; a new one is a file with `read` and `write`, and its line."""

import hashlib
import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import torch

from interp.sae.exchange.plain import PlainDictionary, PlainSAE
from recmodels import artifacts
from recmodels.errors import InputError, quote
from recmodels.files import file_sha256
from recmodels.paths import as_path

# Name → its module, and the files of a folder: the configuration and the weights.
FORMATS = {
    "saelens": ("interp.sae.exchange.saelens", ("cfg.json", "sae_weights.safetensors")),
    "dictionary_learning": ("interp.sae.exchange.dictionary_learning", ("config.json", "ae.pt")),
}
FINGERPRINT = re.compile("[0-9a-f]{64}")  # of a recommender
EXACT = 1e-4  # difference of features and reconstructions, of their largest values, beyond which nothing is written


class ForeignDictionary(NamedTuple):
    """What a folder of another library holds.

    Attributes:
        plain: the dictionary in its plain form.
        source: where it comes from, such as "saelens topk, sha256 0a1b2c3d4e5f6071".
        site: where it reads, by the names of the program that wrote it; "" if the folder does not say.
        recommender: the fingerprint of the recommender it was made for, where this program wrote it; else "".
    """

    plain: PlainDictionary
    source: str
    site: str
    recommender: str


def format_of(folder: Path) -> str:
    """The format of a folder, by its files.

    Raises:
        InputError: it is none of those that are known.
    """
    for name, (_, files) in FORMATS.items():
        if all((folder / file).is_file() for file in files):
            return name
    known = "; ".join(f"{' and '.join(files)} ({name})" for name, (_, files) in FORMATS.items())
    raise InputError(f"{folder} holds no dictionary: give a folder with {known}")


def read(folder: Path, name: str | None = None) -> ForeignDictionary:
    """The dictionary of a folder, what it was made for, and where it comes from.

    Args:
        folder: the folder.
        name: its format; by default found by its files.

    Raises:
        InputError: an unknown format, or a file that is missing, damaged or not supported.
    """
    folder = as_path(folder)
    name = format_of(folder) if name is None else _known(name)
    home, files = FORMATS[name]
    plain, architecture, about = import_module(home).read(folder)
    digest = hashlib.sha256("".join(file_sha256(folder / file) for file in files).encode()).hexdigest()
    site, model = (value if isinstance(value, str) else "" for value in about)
    return ForeignDictionary(
        plain, f"{name} {architecture}, sha256 {digest[:16]}", site, model if FINGERPRINT.fullmatch(model) else ""
    )


def write(sae: Any, name: str, folder: Path | str) -> Path:
    """Write a dictionary for another library, its normaliser folded in: see `SparseAutoencoder.export`."""
    from interp.sae.exchange.of_modules import plain_of  # imports the kinds of dictionaries

    home, folder = FORMATS[_known(name)][0], as_path(folder)
    plain = plain_of(sae.dictionary).on_states(sae.mean, sae.std)
    _check_same(sae, plain)
    about = {"site": sae.provenance.site, "recommender": sae.provenance.recommender}
    kind = artifacts.Kind(f"{name} dictionary", FORMATS[name][1])
    artifacts.discard_partial(folder, kind)
    with artifacts.writing(folder, kind, {"dictionary": sae.fingerprint}) as partial:
        import_module(home).write(plain, partial, about)
        written, *_ = import_module(home).read(partial)
        _check_same(sae, written)
    return folder


def _check_same(sae: Any, plain: PlainDictionary) -> None:
    """Compare with the dictionary itself, on random states of the size that it reads: a wrong counterpart is refused.

    Raises:
        InputError: features or reconstructions differ.
    """
    draws = torch.randn(256, plain.width, generator=torch.Generator().manual_seed(0))
    states = draws * sae.std + sae.mean
    other, here = PlainSAE.of(plain), sae.to("cpu")
    features, theirs = here.encode(states), other.encode(states)
    # Single values may lie at a threshold, where rounding decides; where features agree, so must reconstructions.
    pairs: Mapping[str, Any] = {
        "features": (features, theirs),
        "reconstructions": (here.decode(features), other.decode(features)),
    }
    for what, (ours, written) in pairs.items():
        apart = (ours - written).abs() > EXACT * ours.abs().max().clamp_min(1.0)
        if apart.double().mean() > EXACT:
            raise InputError(f"the {what} of {sae.config.trainer} would differ in the other library: it is not written")


def _known(name: Any) -> str:
    if not isinstance(name, str) or name not in FORMATS:
        raise InputError(f"there is no format {quote(name)}: choose one of {', '.join(FORMATS)}")
    return name
