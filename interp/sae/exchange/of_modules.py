"""The plain form of each kind of dictionary that this project knows; a kind of another package adds its own."""

from functools import singledispatch
from typing import Any

import torch
from dictionary_learning.dictionary import AutoEncoder, AutoEncoderNew, GatedAutoEncoder, JumpReluAutoEncoder
from dictionary_learning.trainers.batch_top_k import BatchTopKSAE
from dictionary_learning.trainers.matryoshka_batch_top_k import MatryoshkaBatchTopKSAE
from dictionary_learning.trainers.top_k import AutoEncoderTopK

from interp.sae.exchange.plain import PlainDictionary, PlainSAE
from interp.sae.multi_scale_trainer import MultiScaleSAE
from recmodels.errors import InputError


@singledispatch
def plain_of(dictionary: Any) -> PlainDictionary:
    """The plain form of a dictionary, on the activations that it reads itself (normalised ones).

    For modules of another package: `plain_of.register(MyDictionary, function)`.

    Raises:
        InputError: a module of this class has no plain form that is known.
    """
    raise InputError(
        f"a {type(dictionary).__name__} has no counterpart in other libraries: say what it is in plain terms with "
        f"interp.sae.exchange.of_modules.plain_of.register({type(dictionary).__name__}, …)"
    )


@plain_of.register
def _(dictionary: PlainSAE) -> PlainDictionary:
    return dictionary.plain()


@plain_of.register
def _(dictionary: AutoEncoder) -> PlainDictionary:
    encoder, bias = dictionary.encoder, dictionary.bias
    return PlainDictionary("relu", bias, encoder.weight.T, encoder.bias, dictionary.decoder.weight.T, bias)


@plain_of.register
def _(dictionary: AutoEncoderNew) -> PlainDictionary:
    encoder, decoder = dictionary.encoder, dictionary.decoder
    zero = torch.zeros_like(decoder.bias)
    return PlainDictionary("relu", zero, encoder.weight.T, encoder.bias, decoder.weight.T, decoder.bias)


@plain_of.register
def _(dictionary: GatedAutoEncoder) -> PlainDictionary:
    encoder, decoder, bias = dictionary.encoder.weight.T, dictionary.decoder.weight.T, dictionary.decoder_bias
    gate = {"gate_bias": dictionary.gate_bias, "log_scale": dictionary.r_mag}
    return PlainDictionary("gate", bias, encoder, dictionary.mag_bias, decoder, bias, **gate)


@plain_of.register
def _(dictionary: JumpReluAutoEncoder) -> PlainDictionary:
    bias, threshold = dictionary.b_dec, dictionary.threshold
    shift = bias if dictionary.apply_b_dec_to_input else torch.zeros_like(bias)
    return PlainDictionary(
        "threshold", shift, dictionary.W_enc, dictionary.b_enc, dictionary.W_dec, bias, threshold=threshold
    )


@plain_of.register
def _(dictionary: AutoEncoderTopK) -> PlainDictionary:
    encoder, decoder, bias = dictionary.encoder, dictionary.decoder.weight.T, dictionary.b_dec
    return PlainDictionary("top_k", bias, encoder.weight.T, encoder.bias, decoder, bias, k=int(dictionary.k))


@plain_of.register
def _(dictionary: BatchTopKSAE) -> PlainDictionary:
    encoder, decoder, bias = dictionary.encoder, dictionary.decoder.weight.T, dictionary.b_dec
    threshold = dictionary.threshold.expand(dictionary.dict_size)
    return PlainDictionary("threshold", bias, encoder.weight.T, encoder.bias, decoder, bias, threshold=threshold)


@plain_of.register
def _(dictionary: MatryoshkaBatchTopKSAE) -> PlainDictionary:
    bias, threshold = dictionary.b_dec, dictionary.threshold.expand(dictionary.dict_size)
    return PlainDictionary(
        "threshold", bias, dictionary.W_enc, dictionary.b_enc, dictionary.W_dec, bias, threshold=threshold
    )


@plain_of.register
def _(dictionary: MultiScaleSAE) -> PlainDictionary:
    encoder, decoder = dictionary.encoder, dictionary.decoder
    # In double precision, as whitening has small and large entries.
    whitened = dictionary.whiten.double() @ encoder.weight.T.double()
    return PlainDictionary(
        "threshold",
        dictionary.center,
        whitened,
        encoder.bias,
        decoder.weight.T,
        decoder.bias,
        threshold=dictionary.threshold,
    )
