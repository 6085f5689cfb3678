"""Loading models from untrusted folders: only plain numbers and tensors are read; they cannot choose code or files.

transformers never sees the folder. It gets a configuration whose keys, types and ranges are checked, and tensors from
one safetensors file whose shapes are those of the configuration.
"""

import inspect
from math import isfinite
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from transformers import PreTrainedConfig

from recmodels.errors import InputError, quote
from recmodels.folders import refuse_link
from recmodels.json_files import TYPES, check_record, of_type, read_json
from recmodels.model import SequentialRecommender

# From, up to: of the keys that all recommenders have.
RANGES: dict[str, tuple[float, float]] = {
    "n_items": (1, 2**31 - 2),
    "max_history": (1, 2**20),
    "hidden_size": (1, 2**16),
    "num_hidden_layers": (0, 1000),
    "num_attention_heads": (1, 2**16),
    "dropout": (0, 1),
}
LARGEST = 2**31  # of any other whole number
# Keys that transformers writes and this module ignores.
NOTES = {"architectures", "model_type", "tie_word_embeddings", "torch_dtype", "transformers_version", "use_cache"}
PLAIN = {kind.__name__: kind for kind in (int, float, bool, str)} | {kind: kind for kind in (int, float, bool, str)}
DTYPES = ("float16", "bfloat16", "float32", "float64")


def load_model(folder: Path, kind: type[SequentialRecommender], advice: str) -> SequentialRecommender:
    """The model of a folder with config.json and model.safetensors.

    Args:
        folder: the folder.
        kind: the class that its config.json names.
        advice: what to do if it is damaged; the end of messages.

    Raises:
        InputError: a key of its configuration is unknown, or of a wrong type or size; or its tensors are not those of
            such a model.
    """
    config = kind.config_class(**read_settings(folder / "config.json", kind, advice))
    path = folder / "model.safetensors"
    shapes = tensor_shapes(path, advice)
    elements = sum(torch.Size(shape).numel() for shape in shapes.values())
    # Each block has a tensor, each item a vector: a model that cannot fit into the file is not built.
    if config.num_hidden_layers > len(shapes) or kind.fewest_weights(config) > elements:
        raise InputError(f"{path} is too small for the model that config.json describes: {advice}")
    try:
        with torch.device("meta"):
            expected = kind(config).state_dict(keep_vars=True)
    except (ValueError, RuntimeError, TypeError, ArithmeticError, AssertionError) as error:
        raise InputError(f"{folder / 'config.json'} does not describe a model ({error}): {advice}") from None
    _check_shapes(expected, shapes, path, advice)
    return kind.from_tensors(config, load_file(path))


def read_settings(path: Path, kind: type[SequentialRecommender], advice: str) -> dict[str, Any]:
    """The settings in a config.json: those that the model's `config_class` declares, and its dtype.

    Raises:
        InputError: a key that it does not declare, or a value of a wrong type or size.
    """
    record = read_json(path, advice)
    check_record(record, {}, path, advice)
    declared = _declared(kind.config_class)
    settings = {}
    for key, value in record.items():
        if key in NOTES and key not in declared:
            continue
        if key == "dtype" and value in DTYPES:
            settings[key] = value
            continue
        if key not in declared:
            raise InputError(f"{path} has the key {quote(key)}, which {kind.config_class.__name__} lacks: {advice}")
        _check_value(key, value, declared[key], path, advice)
        settings[key] = value
    return settings


def tensor_shapes(path: Path, advice: str) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors in a safetensors file; the tensors themselves are not read.

    Raises:
        InputError: it is not a safetensors file, or is a link.
    """
    refuse_link(path)
    try:
        with safe_open(path, "pt") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is damaged ({error}): {advice}") from None


def _declared(config: type[PreTrainedConfig]) -> dict[str, Any]:
    """What a configuration's class declares beyond transformers' own: key → type, `Any` where it does not say."""
    classes = [part for part in config.__mro__ if issubclass(part, PreTrainedConfig) and part is not PreTrainedConfig]
    keys: dict[str, Any] = {}
    for part in classes:
        keys = {key: PLAIN.get(kind, Any) for key, kind in inspect.get_annotations(part).items()} | keys
    for part in classes:
        keys = dict.fromkeys(inspect.signature(part).parameters, Any) | keys
    base_keys = {*inspect.signature(PreTrainedConfig).parameters, *dir(PreTrainedConfig)} - set(RANGES)
    return {key: kind for key, kind in keys.items() if key not in base_keys and not key.startswith("_")}


def _check_value(key: str, value: Any, kind: Any, path: Path, advice: str) -> None:
    if kind in TYPES and not of_type(value, kind):
        raise InputError(f"{path} has {quote(value)} for {key}, not {TYPES[kind]}: {advice}")
    low, high = RANGES.get(key, (-LARGEST, LARGEST))
    if of_type(value, float) and not (isfinite(value) and low <= value <= high):
        raise InputError(f"{path} has {quote(value)} for {key}, which must lie between {low} and {high}: {advice}")


def _check_shapes(
    expected: dict[str, torch.Tensor], shapes: dict[str, tuple[int, ...]], path: Path, advice: str
) -> None:
    """Refuse tensors that are not those of the model. A tensor with two names is saved under one of them."""
    stored_tensors = {id(tensor) for name, tensor in expected.items() if name in shapes}
    absent = [name for name, tensor in expected.items() if name not in shapes and id(tensor) not in stored_tensors]
    more = [name for name in shapes if name not in expected]
    if absent or more:
        problem = f"lacks {quote(absent[0])}" if absent else f"has {quote(more[0])}, which such a model lacks"
        raise InputError(f"{path} {problem}: {advice}")
    for name, shape in shapes.items():
        expected_shape = tuple(expected[name].shape)
        if shape != expected_shape:
            raise InputError(
                f"{path} has {quote(name)} of shape {shape}, config.json asks for {expected_shape}: {advice}"
            )
