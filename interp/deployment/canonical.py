"""Dictionaries of every kind in the one form that a service reads (`interp.serving.dictionary_tensors`)."""

from typing import Any

import torch
from dictionary_learning.trainers.top_k import AutoEncoderTopK
from torch import Tensor

from interp.sae.autoencoder import SparseAutoencoder
from interp.serving.dictionary_tensors import DictionaryTensors
from recmodels.errors import InputError
from recmodels.steady import steady

ROWS = 512  # hidden states on which the form is compared with the dictionary
TOLERANCE = 1e-4


@steady()
@torch.no_grad()
def canonical(sae: SparseAutoencoder, hidden: Tensor) -> DictionaryTensors:
    """The dictionary as tensors, after a comparison with the dictionary itself.

    Args:
        sae: the dictionary.
        hidden: [n, d] hidden states of its site, on which the two are compared.

    Raises:
        InputError: its kind has another form.
    """
    state = {name: tensor.double() for name, tensor in sae.dictionary.state_dict().items()}
    form, strongest = _form(state), 0
    if isinstance(sae.dictionary, AutoEncoderTopK):  # the same weights as batch_top_k, and no threshold
        del form["threshold"]
        strongest = int(state["k"])
    center, encoder = form.pop("center") * sae.std + sae.mean, form.pop("encoder") / sae.std
    tensors = {"center": center, "encoder": encoder, **form}
    offset = sae.decode(torch.zeros(sae.n_features))
    result = DictionaryTensors(
        fingerprint=sae.fingerprint,
        decoder=sae.directions.clone(),
        offset=offset,
        strongest=strongest,
        **{name: tensor.float().contiguous() for name, tensor in tensors.items()},
    )
    _check(sae, result, hidden[:ROWS])
    return result


def _form(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """center [d], encoder [d, f], bias [f] and what else the kind has, from the weights of a dictionary.

    Kinds differ in the names of their weights only: those of dictionary_learning, and `multi_scale`.
    """

    def first(*names: str) -> Tensor | None:
        return next((state[name] for name in names if name in state), None)

    encoder: Any = first("W_enc")
    if encoder is None:
        encoder = state["encoder.weight"].T if "encoder.weight" in state else None
    if encoder is None:
        raise InputError(f"a dictionary with the weights {', '.join(state)} cannot be exported: no encoder is among them")
    d, f = encoder.shape
    center = first("center", "bias", "decoder_bias") if "W_dec" not in state else None
    if center is None:
        # jump_relu leaves its decoder's bias out of the encoder; the top-k kinds subtract it.
        center = state["b_dec"] if "b_dec" in state and "k" in state else torch.zeros(d).double()
    if "whiten" in state:
        encoder = state["whiten"] @ encoder
    bias = first("b_enc", "encoder.bias")
    form = {"center": center, "encoder": encoder, "bias": torch.zeros(f).double() if bias is None else bias}
    if "gate_bias" in state:
        scale = state["r_mag"].exp()
        form |= {"threshold": -state["gate_bias"], "scale": scale, "shift": state["mag_bias"]}
    elif "threshold" in state:
        form["threshold"] = state["threshold"].expand(f)
    return form


def _check(sae: SparseAutoencoder, result: DictionaryTensors, hidden: Tensor) -> None:
    """Compare with the dictionary, feature by feature.

    Raises:
        InputError: they differ.
    """
    expected = sae.encode(hidden)
    size = float(expected.abs().max()) + 1
    # A feature at its threshold may be on in the one and off in the other.
    differ = ((result.encode(hidden) - expected).abs() > TOLERANCE * size).float().mean()
    decoded = (result.decode(expected) - sae.decode(expected)).abs().max()
    if float(differ) > TOLERANCE or float(decoded) > TOLERANCE * (float(hidden.abs().max()) + 1):
        raise InputError(
            f"a dictionary of kind {sae.config.trainer} cannot be exported: its encoder is not a rectified affine map "
            f"with thresholds or a top k"
        )
