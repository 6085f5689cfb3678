"""Folders of SAELens: `sae_weights.safetensors` and `cfg.json`, of release 6 and of the ones before it.

What is read has the features and reconstructions of `SAE.load_from_disk`, and the other way round. SAELens itself
saves trained BatchTopK and matryoshka dictionaries as `jumprelu`; a folder of an unfinished training, which still has
their own architecture, is read as what SAELens would save for inference.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from interp.sae.exchange.plain import PlainDictionary
from interp.sae.exchange.tensors import read_safetensors
from recmodels.artifacts import write_json
from recmodels.errors import InputError, quote
from recmodels.json_files import check_record, read_record

CONFIG, WEIGHTS = "cfg.json", "sae_weights.safetensors"
VERSION = "6.54.12"  # of SAELens, with which written folders were tested
ADVICE = "export it again, or give another folder"
ARCHITECTURES = {"relu": "standard", "threshold": "jumprelu", "top_k": "topk", "gate": "gated"}
TENSORS = ("W_enc", "W_dec", "b_dec")
# What has no counterpart here, and why.
REFUSED = {
    "abstopk": "its features may be negative",
    "temporal": "it reads more than one step at a time",
    "matching_pursuit": "its features come from an iteration",
    "transcoder": "it writes elsewhere than it reads",
    "skip_transcoder": "it writes elsewhere than it reads",
    "jumprelu_transcoder": "it writes elsewhere than it reads",
    "jumprelu_skip_transcoder": "it writes elsewhere than it reads",
}
# What SAELens does to activations beside the dictionary: text of the reason for a refusal.
NORMALISED = {
    "expected_average_only_in": "were scaled in training by a factor that the folder lacks: fold it in with "
    "SAELens's fold_activation_norm_scaling_factor",
    "covariance_whitening": "were whitened in training by a matrix that the folder lacks: fold it in with SAELens's "
    "fold_activation_whitening",
    "layer_norm": "are normalised row by row, which an affine decoder cannot undo",
    "constant_norm_rescale": "are rescaled row by row, which an affine decoder cannot undo",
}


def read(folder: Path) -> tuple[PlainDictionary, str, tuple[Any, Any]]:
    """The dictionary of a folder in its plain form, its architecture, and the site and model that it names.

    Raises:
        InputError: a file is missing or damaged, or it is of a kind that has no counterpart here.
    """
    path = folder / CONFIG
    config = read_record(path, {"d_in": int, "d_sae": int}, ADVICE)
    architecture = _architecture(config, path)
    _check_settings(config, path)
    state = {name: tensor.float() for name, tensor in read_safetensors(folder / WEIGHTS, ADVICE).items()}
    state.pop("scaling_factor", None)  # of old releases, all ones; SAELens drops it as well
    if missing := [name for name in TENSORS if name not in state]:
        raise InputError(f"{folder / WEIGHTS} lacks {missing[0]}: {ADVICE}")
    bias, zero = state["b_dec"], torch.zeros_like(state["b_dec"])
    shift = bias if config.get("apply_b_dec_to_input", True) else zero
    common = {"shift": shift, "encoder": state["W_enc"], "decoder": state["W_dec"], "decoder_bias": bias}
    try:
        plain = READERS[architecture](state, config, common)
    except KeyError as error:
        raise InputError(f"{folder / WEIGHTS} lacks {error.args[0]}, which {architecture} has: {ADVICE}") from None
    plain.check(folder / WEIGHTS)
    if (plain.width, plain.n_features) != (config["d_in"], config["d_sae"]):
        raise InputError(
            f"{folder / WEIGHTS} has {plain.n_features} features of width {plain.width}, {CONFIG} says "
            f"{config['d_sae']} of width {config['d_in']}: {ADVICE}"
        )
    metadata = config.get("metadata")
    about = metadata if isinstance(metadata, dict) else {}
    return plain, architecture, (about.get("hook_name"), about.get("model_name"))


def write(plain: PlainDictionary, folder: Path, about: Mapping[str, Any]) -> None:
    """Write a plain dictionary as SAELens saves its own.

    Args:
        plain: the dictionary.
        folder: an empty folder.
        about: site and recommender, for the configuration.
    """
    subtracts = torch.equal(plain.shift.double(), plain.decoder_bias.double())
    own = (plain if subtracts else plain.shifted_by(torch.zeros(plain.width))).tensors()
    state = {"W_enc": own["encoder"], "W_dec": own["decoder"], "b_dec": own["decoder_bias"]}
    if plain.rule == "gate":
        state |= {"b_gate": own["gate_bias"], "b_mag": own["encoder_bias"], "r_mag": own["log_scale"]}
    else:
        state["b_enc"] = own["encoder_bias"]
    if plain.rule == "threshold":
        state["threshold"] = own["threshold"]
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, folder / WEIGHTS)
    config = {
        "d_in": plain.width,
        "d_sae": plain.n_features,
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": subtracts,
        "normalize_activations": "none",
        "reshape_activations": "none",
        "metadata": {
            "sae_lens_version": VERSION,
            "sae_lens_training_version": None,
            "hook_name": about["site"],
            "model_name": about["recommender"],
        },
        "architecture": ARCHITECTURES[plain.rule],
    }
    more = {"k": plain.k, "rescale_acts_by_decoder_norm": False} if plain.rule == "top_k" else {}
    write_json(folder / CONFIG, config | more)


def _architecture(config: Mapping[str, Any], path: Path) -> str:
    """The architecture of a configuration; before release 6, top-k was an activation function."""
    name = config.get("architecture", "standard")
    if name == "standard" and config.get("activation_fn", config.get("activation_fn_str")) == "topk":
        name = "topk"
    if isinstance(name, str) and name in REFUSED:
        raise InputError(f"{path} describes {name}, which has no counterpart here: {REFUSED[name]}")
    if not isinstance(name, str) or name not in READERS:
        raise InputError(f"{path} names the architecture {quote(name)}: known are {', '.join(READERS)}")
    return name


def _check_settings(config: Mapping[str, Any], path: Path) -> None:
    """Refuse what SAELens does beside the dictionary and has no counterpart here."""
    normalise = config.get("normalize_activations") or "none"
    normalise = "expected_average_only_in" if normalise is True else normalise
    if normalise != "none":
        reason = NORMALISED.get(normalise) if isinstance(normalise, str) else None
        raise InputError(f"{path}: activations {reason or f'are normalised by {quote(normalise)}, which is not known'}")
    hook = str(config.get("hook_name", config.get("hook_point", "")))
    if config.get("reshape_activations", "hook_z" if "hook_z" in hook else "none") != "none":
        raise InputError(f"{path} reads the heads of attention (hook_z), which have no counterpart here")
    if config.get("finetuning_scaling_factor"):
        raise InputError(f"{path} has a scaling factor from finetuning: fold it into W_dec first")
    for name in ("apply_b_dec_to_input", "rescale_acts_by_decoder_norm"):
        if name in config:
            check_record(config, {name: bool}, path, ADVICE)


def _standard(state: Mapping[str, Tensor], config: Mapping[str, Any], common: Mapping[str, Any]) -> PlainDictionary:
    activation = config.get("activation_fn", config.get("activation_fn_str", "relu"))
    if activation != "relu":
        raise InputError(f"{CONFIG} has the activation function {quote(activation)}, which has no counterpart here")
    return PlainDictionary("relu", encoder_bias=state["b_enc"], **common)


def _gated(state: Mapping[str, Tensor], config: Mapping[str, Any], common: Mapping[str, Any]) -> PlainDictionary:
    gate: dict[str, Any] = {"gate_bias": state["b_gate"], "log_scale": state["r_mag"]}
    return PlainDictionary("gate", encoder_bias=state["b_mag"], **gate, **common)


def _jumprelu(state: Mapping[str, Tensor], config: Mapping[str, Any], common: Mapping[str, Any]) -> PlainDictionary:
    threshold = state["threshold"] if "threshold" in state else state["log_threshold"].exp()
    return PlainDictionary("threshold", encoder_bias=state["b_enc"], threshold=threshold, **common)


def _topk(state: Mapping[str, Tensor], config: Mapping[str, Any], common: Mapping[str, Any]) -> PlainDictionary:
    k = config["k"] if "k" in config else (config.get("activation_fn_kwargs") or {}).get("k")
    if not isinstance(k, int) or isinstance(k, bool):
        raise InputError(f"{CONFIG} has k = {quote(k)}: give a whole number of features")
    plain = PlainDictionary("top_k", encoder_bias=state["b_enc"], k=k, **common)
    return _norms_folded(plain) if config.get("rescale_acts_by_decoder_norm", False) else plain


def _batch_top_k(state: Mapping[str, Tensor], config: Mapping[str, Any], common: Mapping[str, Any]) -> PlainDictionary:
    threshold = state["topk_threshold"].expand(common["encoder"].shape[-1])
    plain = PlainDictionary("threshold", encoder_bias=state["b_enc"], threshold=threshold, **common)
    return _norms_folded(plain) if config.get("rescale_acts_by_decoder_norm", True) else plain


def _norms_folded(plain: PlainDictionary) -> PlainDictionary:
    """Features in units of decoder directions of length 1, by which SAELens ranks them."""
    length = plain.decoder.norm(dim=-1).clamp_min(1e-8)
    return replace(
        plain,
        encoder=plain.encoder * length,
        encoder_bias=plain.encoder_bias * length,
        decoder=plain.decoder / length[:, None],
    )


READERS: dict[str, Callable[[Mapping[str, Tensor], Mapping[str, Any], Mapping[str, Any]], PlainDictionary]] = {
    "standard": _standard,
    "gated": _gated,
    "jumprelu": _jumprelu,
    "topk": _topk,
    "batchtopk": _batch_top_k,
    "matryoshka_batchtopk": _batch_top_k,
}
