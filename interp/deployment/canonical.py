"""Dictionaries of every kind in the one form that a service reads (`interp.serving.dictionary_tensors`)."""

import torch
from torch import Tensor

from interp.sae.autoencoder import SparseAutoencoder
from interp.sae.exchange.of_modules import plain_of
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
        InputError: its kind has no plain form (`interp.sae.exchange.of_modules.plain_of`), or another one.
    """
    plain = plain_of(sae.dictionary).on_states(sae.mean, sae.std)
    tensors = {
        "center": plain.shift,
        "encoder": plain.encoder,
        "bias": plain.encoder_bias,
        "decoder": plain.decoder,
        "offset": plain.decoder_bias,
    }
    if plain.rule == "threshold" and plain.threshold is not None:
        tensors["threshold"] = plain.threshold
    elif plain.rule == "gate" and plain.gate_bias is not None and plain.log_scale is not None:
        gate = {"threshold": -plain.gate_bias, "scale": plain.log_scale.double().exp(), "shift": plain.encoder_bias}
        tensors |= {"bias": torch.zeros_like(plain.encoder_bias), **gate}
    result = DictionaryTensors(
        fingerprint=sae.fingerprint,
        strongest=plain.k if plain.rule == "top_k" else 0,
        **{name: tensor.float().cpu().contiguous().clone() for name, tensor in tensors.items()},
    )
    _check(sae, result, hidden[:ROWS])
    return result


def _check(sae: SparseAutoencoder, result: DictionaryTensors, hidden: Tensor) -> None:
    """Compare with the dictionary, feature by feature.

    Raises:
        InputError: they differ.
    """
    expected, size = sae.encode(hidden), float(hidden.abs().max()) + 1
    # A feature just at its threshold may be on in the one and off in the other.
    differ = (result.encode(hidden) - expected).abs() > TOLERANCE * (float(expected.abs().max()) + 1)
    decoded = (result.decode(expected) - sae.decode(expected)).abs().max()
    if float(differ.float().mean()) > TOLERANCE or float(decoded) > TOLERANCE * size:
        raise InputError(
            f"a dictionary of kind {sae.config.trainer} cannot be exported: its plain form gives other features, so "
            f"correct what you registered with plain_of"
        )
