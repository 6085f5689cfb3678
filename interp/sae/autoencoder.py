"""Sparse autoencoders: a dictionary of dictionary_learning with its normaliser and its provenance.

Axes: n rows, d hidden size, f features.
"""

import copy
import hashlib
import json
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from functools import cached_property
from math import isfinite, prod
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from interp.sae.exchange import folder_formats
from interp.sae.exchange.plain import LARGEST_WIDTH
from interp.sae.trainers import build_dictionary
from interp.sae_config import SAEConfig
from recmodels import artifacts
from recmodels.config_keys import config_key
from recmodels.errors import InputError, quote
from recmodels.json_files import check_record, of_type, read_record
from recmodels.loading import tensor_shapes
from recmodels.paths import as_path
from recmodels.steady import steady

KIND = artifacts.Kind("dictionary", ("dictionary.json", "dictionary.safetensors"))
ABOUT = {"activation_dim": int, "mean": float, "std": float, "config": dict, "provenance": dict}
LARGEST = 2**31  # number in a description
# Settings that a fingerprint includes even at their defaults: all settings of the first release with fingerprints.
_ALWAYS = (
    "trainer",
    "n_features",
    "l1",
    "k",
    "learning_rate",
    "steps",
    "batch_size",
    "warmup_steps",
    "sparsity_warmup_steps",
    "seed",
)


@dataclass(frozen=True)
class Provenance:
    """The recommender, site and activations of a dictionary; it refuses to work with others.

    Attributes:
        recommender: fingerprint of the recommender whose activations it was trained on.
        site: the place in that recommender, such as "blocks.0".
        activations: fingerprint of the activation store; of an imported dictionary, of the one that its normaliser was
            estimated on, if it was.
        source: where an imported dictionary comes from, such as "saelens topk, sha256 0a1b2c3d4e5f6071".
    """

    recommender: str
    site: str
    activations: str
    source: str = ""


@dataclass(frozen=True)
class SparseAutoencoder:
    """Encodes hidden states into features and decodes them back.

    Attributes:
        dictionary: the trained `dictionary_learning` dictionary, on normalised activations.
        mean: one number that is subtracted from hidden states before encoding.
        std: one number that they are then divided by (docs/paper.md, 3).
        config: how it was trained.
        provenance: what it was trained on.
    """

    dictionary: Any
    mean: float
    std: float
    config: SAEConfig
    provenance: Provenance = field(repr=False)

    def __post_init__(self) -> None:
        self.dictionary.requires_grad_(False)

    def to(self, device: torch.device | str | None) -> "SparseAutoencoder":
        """The same dictionary on a device; itself if it is there already."""
        if device is None or torch.device(device) == self.device:
            return self
        return replace(self, dictionary=copy.deepcopy(self.dictionary).to(device))

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.dictionary.parameters()).device

    @property
    def n_features(self) -> int:
        """Features in the dictionary."""
        return self.dictionary.dict_size

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the weights, the normaliser and the provenance; steers record it."""
        settings = {name: getattr(self.config, name) for name in _ALWAYS} | config_key(self.config.complete())
        description = {"config": settings, "provenance": config_key(self.provenance)}
        digest = hashlib.sha256(json.dumps([self.mean, self.std, description], sort_keys=True).encode())
        for name, tensor in sorted(self.dictionary.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def normalise(self, hidden: Tensor) -> Tensor:
        """Hidden states as the dictionary sees them, same shape."""
        return (hidden - self.mean) / self.std

    @steady()
    def encode(self, hidden: Tensor) -> Tensor:
        """[..., d] hidden states to [..., f] features."""
        # Flat, because the top-k dictionaries mistake the axes of anything else.
        flat = self.dictionary.encode(self.normalise(hidden).reshape(-1, hidden.shape[-1]))
        return flat.reshape(*hidden.shape[:-1], -1)

    @steady()
    def decode(self, features: Tensor) -> Tensor:
        """[..., f] features to [..., d] hidden states."""
        return self.dictionary.decode(features) * self.std + self.mean

    @steady()
    def write(self, change: Tensor) -> Tensor:
        """[..., f] change of features to the [..., d] change of hidden states it makes."""
        return change @ self.directions

    @cached_property
    @steady()
    def directions(self) -> Tensor:
        """[f, d] what one unit of each feature adds to the hidden state."""
        one_each = torch.eye(self.n_features, device=self.device)
        return self.decode(one_each) - self.decode(torch.zeros_like(one_each[:1]))

    def save(self, folder: Path | str) -> None:
        """Write weights (safetensors) and description (JSON) as one verified folder."""
        folder = as_path(folder)
        artifacts.discard_partial(folder, KIND)
        with artifacts.writing(folder, KIND, self.inputs(self.config, self.provenance)) as partial:
            state = {name: t.detach().cpu().contiguous() for name, t in self.dictionary.state_dict().items()}
            save_file(state, partial / "dictionary.safetensors")
            artifacts.write_json(
                partial / "dictionary.json",
                {
                    "activation_dim": self.dictionary.activation_dim,
                    "mean": self.mean,
                    "std": self.std,
                    "config": asdict(self.config.complete()),
                    "provenance": asdict(self.provenance),
                },
            )

    def export(self, format: str, folder: Path | str) -> Path:
        """Write it as a folder of another library, in which features and reconstructions are the same.

        The normaliser is folded into the weights, so that the dictionary reads hidden states as they are. Features keep
        their units. What is written is read again and compared before it is kept.

        Args:
            format: "saelens" or "dictionary_learning".
            folder: where; a folder that an earlier export wrote is replaced.

        Returns:
            The folder.

        Raises:
            InputError: an unknown format, a kind without a counterpart there, or a folder that holds something else.
        """
        return folder_formats.write(self, format, folder)

    @staticmethod
    def inputs(config: SAEConfig, provenance: Provenance) -> dict[str, Any]:
        """What the manifest of a saved dictionary says it was made from."""
        return {"config": config.complete(), "provenance": provenance}

    @classmethod
    @steady()
    def load(cls, folder: Path | str) -> "SparseAutoencoder":
        """Read what `save` wrote, after checking every file.

        Raises:
            InputError: the folder is missing, unfinished or altered, or its weights are not what its description says.
        """
        folder = as_path(folder)
        artifacts.verify(folder, KIND)
        path, advice = folder / "dictionary.json", f"delete {folder} and run its step again"
        about = read_record(path, ABOUT, advice)
        settings = about["config"].pop("settings", ())  # of its kind's own, which reads them itself
        config = replace(_record(SAEConfig, about["config"], path, advice), settings=settings)
        provenance = _record(Provenance, about["provenance"], path, advice)
        config.check()
        width, mean, std = about["activation_dim"], about["mean"], about["std"]
        if not (0 < width <= LARGEST_WIDTH and isfinite(mean) and isfinite(std) and std > 0):
            raise InputError(f"{path} is damaged, activation_dim, mean or std is not valid: {advice}")
        weights = folder / "dictionary.safetensors"
        # A dictionary that cannot fit into the file is not built.
        if config.n_features * width > sum(prod(shape) for shape in tensor_shapes(weights, advice).values()):
            raise InputError(f"{weights} is too small for the dictionary that {path.name} describes: {advice}")
        try:
            dictionary = build_dictionary(config, width)
            dictionary.load_state_dict(load_file(weights))
        except (RuntimeError, ValueError, ArithmeticError, AssertionError):
            raise InputError(f"{weights} does not hold the dictionary that {path.name} describes: {advice}") from None
        return cls(dictionary, float(mean), float(std), config, provenance)

    def check_belongs(self, recommender: str) -> None:
        """Check that it was trained on the recommender with this fingerprint.

        Raises:
            InputError: it was trained on another one.
        """
        if self.provenance.recommender != recommender:
            raise InputError(
                f"this dictionary was trained on recommender {self.provenance.recommender[:12]}, not on "
                f"{recommender[:12]}: load the recommender of the same run, or train a dictionary for this one"
            )


def _record(kind: type[Any], values: dict[str, Any], path: Path, advice: str) -> Any:
    """A flat dataclass from its JSON; each value of the type that the class declares."""
    types = {entry.name: type(entry.default) if entry.default is not MISSING else str for entry in fields(kind)}
    names = {entry.name for entry in fields(kind) if entry.default is MISSING} | set(values) & set(types)
    check_record(values, {name: types[name] for name in names}, path, advice)
    if any(of_type(value, float) and not abs(value) <= LARGEST for value in values.values()):
        raise InputError(f"{path} is damaged, a number in it is too large: {advice}")
    if more := sorted(set(values) - set(types)):
        raise InputError(f"{path} has the key {quote(more[0])}, which {kind.__name__} lacks: {advice}")
    return kind(**values)
