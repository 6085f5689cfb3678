"""Folders of dictionary_learning 0.1: `ae.pt`, a state dict, and `config.json`, which names the dictionary's class.

What is read has the features and reconstructions that the library's `load_dictionary` gives, and the other way round.
That function rescales the features of an `AutoEncoder` to decoder directions of length 1; a dictionary with a plain
ReLU is therefore written as an `AutoEncoderNew`, which it leaves as it is.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from dictionary_learning.dictionary import AutoEncoder, AutoEncoderNew, GatedAutoEncoder, JumpReluAutoEncoder
from dictionary_learning.trainers.batch_top_k import BatchTopKSAE
from dictionary_learning.trainers.matryoshka_batch_top_k import MatryoshkaBatchTopKSAE
from dictionary_learning.trainers.top_k import AutoEncoderTopK
from torch import Tensor, nn

from interp.sae.exchange.of_modules import plain_of
from interp.sae.exchange.plain import PlainDictionary
from interp.sae.exchange.tensors import read_pt
from recmodels.artifacts import write_json
from recmodels.errors import InputError, quote
from recmodels.json_files import check_record, read_record

CONFIG, WEIGHTS = "config.json", "ae.pt"
CLASSES: dict[str, type[nn.Module]] = {
    kind.__name__: kind
    for kind in (
        AutoEncoder,
        AutoEncoderNew,
        GatedAutoEncoder,
        JumpReluAutoEncoder,
        AutoEncoderTopK,
        BatchTopKSAE,
        MatryoshkaBatchTopKSAE,
    )
}


def read(folder: Path) -> tuple[PlainDictionary, str, tuple[Any, Any]]:
    """The dictionary of a folder in its plain form, the name of its class, and the site and model that it names.

    Raises:
        InputError: a file is missing or damaged, holds more than tensors, or the class is not known.
    """
    advice = "export it again, or give another folder"
    config = read_record(folder / CONFIG, {"trainer": dict}, advice)["trainer"]
    check_record(config, {"dict_class": str}, folder / CONFIG, advice)
    name = config["dict_class"]
    if name not in CLASSES:
        raise InputError(f"{folder / CONFIG} names the class {quote(name)}: known are {', '.join(CLASSES)}")
    state = read_pt(folder / WEIGHTS, advice)
    encoder = state.get("encoder.weight", state.get("W_enc"))
    if encoder is None or encoder.ndim != 2 or not encoder.is_floating_point():
        raise InputError(f"{folder / WEIGHTS} has no matrix encoder.weight or W_enc: {advice}")
    d, f = encoder.shape if "W_enc" in state else encoder.shape[::-1]
    try:
        dictionary = _empty(name, d, f, state)
        dictionary.load_state_dict(state)
        plain = plain_of(dictionary)
    except (RuntimeError, ValueError, TypeError, ArithmeticError, AssertionError):
        raise InputError(f"{folder / WEIGHTS} does not hold the {name} that {CONFIG} names: {advice}") from None
    plain = (_unit_directions(plain) if name == "AutoEncoder" else plain).check(folder / WEIGHTS)
    return plain, name, (config.get("submodule_name"), config.get("lm_name"))


def write(plain: PlainDictionary, folder: Path, about: Mapping[str, Any]) -> None:
    """Write a plain dictionary as the library saves its own.

    Args:
        plain: the dictionary.
        folder: an empty folder.
        about: site and recommender, for the configuration.
    """
    name, state = STATES[plain.rule](plain)
    torch.save({key: tensor.contiguous().clone() for key, tensor in state.items()}, folder / WEIGHTS)
    trainer = {
        "trainer_class": None,
        "dict_class": name,
        "activation_dim": plain.width,
        "dict_size": plain.n_features,
        "device": "cpu",
        "layer": about["site"],
        "lm_name": about["recommender"],
        "submodule_name": about["site"],
    }
    write_json(folder / CONFIG, {"trainer": trainer | ({"k": plain.k} if plain.rule == "top_k" else {})})


def _empty(name: str, d: int, f: int, state: Mapping[str, Tensor]) -> nn.Module:
    """A module of a class, whose weights are all there but not set; no random number is drawn."""
    more: list[Any] = []
    if "k" in state:
        more.append(max(1, int(state["k"])))
    if "group_sizes" in state:
        more.append([int(size) for size in state["group_sizes"].tolist()])
    with torch.random.fork_rng(devices=[]):
        return CLASSES[name](d, f, *more)


def _unit_directions(plain: PlainDictionary) -> PlainDictionary:
    """The same reconstructions, by features whose decoder directions have length 1, as `load_dictionary` gives."""
    length = plain.decoder.norm(dim=1)
    if torch.allclose(length, torch.ones_like(length)):
        return plain
    length = torch.where(length > 0, length, 1.0)
    return replace(
        plain,
        encoder=plain.encoder * length,
        encoder_bias=plain.encoder_bias * length,
        decoder=plain.decoder / length[:, None],
    )


def _relu(plain: PlainDictionary) -> tuple[str, dict[str, Tensor]]:
    own = plain.shifted_by(torch.zeros(plain.width)).tensors()
    return "AutoEncoderNew", {
        "encoder.weight": own["encoder"].T,
        "encoder.bias": own["encoder_bias"],
        "decoder.weight": own["decoder"].T,
        "decoder.bias": own["decoder_bias"],
    }


def _threshold(plain: PlainDictionary) -> tuple[str, dict[str, Tensor]]:
    own = plain.shifted_by(torch.zeros(plain.width)).tensors()
    return "JumpReluAutoEncoder", {
        "W_enc": own["encoder"],
        "b_enc": own["encoder_bias"],
        "W_dec": own["decoder"],
        "b_dec": own["decoder_bias"],
        "threshold": own["threshold"],
    }


def _gate(plain: PlainDictionary) -> tuple[str, dict[str, Tensor]]:
    own = plain.shifted_by(plain.decoder_bias).tensors()
    return "GatedAutoEncoder", {
        "decoder_bias": own["decoder_bias"],
        "encoder.weight": own["encoder"].T,
        "r_mag": own["log_scale"],
        "gate_bias": own["gate_bias"],
        "mag_bias": own["encoder_bias"],
        "decoder.weight": own["decoder"].T,
    }


def _top_k(plain: PlainDictionary) -> tuple[str, dict[str, Tensor]]:
    own = plain.shifted_by(plain.decoder_bias).tensors()
    return "AutoEncoderTopK", {
        "b_dec": own["decoder_bias"],
        "k": torch.tensor(plain.k, dtype=torch.int),
        "threshold": torch.tensor(-1.0),
        "decoder.weight": own["decoder"].T,
        "encoder.weight": own["encoder"].T,
        "encoder.bias": own["encoder_bias"],
    }


STATES = {"relu": _relu, "threshold": _threshold, "gate": _gate, "top_k": _top_k}
