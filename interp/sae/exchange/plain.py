"""The plain form in which dictionaries are exchanged: an affine encoder, a rule of what is active, an affine decoder.

Axes: n rows, d hidden size, f features.
"""

from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from interp.sae_config import MOST_FEATURES
from recmodels.errors import InputError

Rule = Literal["relu", "threshold", "top_k", "gate"]
RULES: tuple[str, ...] = get_args(Rule)
LARGEST_WIDTH = 2**16  # of the activations that a dictionary reads
# The tensors that only dictionaries of a rule have, float32 [f].
ONLY: dict[str, tuple[str, ...]] = {
    "relu": (),
    "threshold": ("threshold",),
    "top_k": (),
    "gate": ("gate_bias", "log_scale"),
}


@dataclass(frozen=True)
class PlainDictionary:
    """A dictionary on hidden states as they are, with z = (x − shift) · encoder.

    Attributes:
        rule: features are "relu": relu(z + encoder_bias); "threshold": the same where z + encoder_bias > threshold;
            "top_k": the k largest of relu(z + encoder_bias); "gate": relu(z · exp(log_scale) + encoder_bias) where
            z + gate_bias > 0 (Rajamanoharan et al., arXiv 2404.16014).
        shift: [d] what is subtracted from the input.
        encoder: [d, f].
        encoder_bias: [f].
        decoder: [f, d].
        decoder_bias: [d].
        threshold: [f], for "threshold".
        gate_bias: [f], for "gate".
        log_scale: [f], for "gate".
        k: for "top_k".
    """

    rule: Rule
    shift: Tensor
    encoder: Tensor
    encoder_bias: Tensor
    decoder: Tensor
    decoder_bias: Tensor
    threshold: Tensor | None = None
    gate_bias: Tensor | None = None
    log_scale: Tensor | None = None
    k: int = 0

    @property
    def width(self) -> int:
        """Hidden size of the activations that it reads."""
        return self.encoder.shape[0]

    @property
    def n_features(self) -> int:
        """Features."""
        return self.encoder.shape[1]

    def tensors(self) -> dict[str, Tensor]:
        """Its tensors by name, float32."""
        names = ("shift", "encoder", "encoder_bias", "decoder", "decoder_bias", *ONLY[self.rule])
        return {name: getattr(self, name).detach().float().contiguous() for name in names}

    def on_states(self, mean: float, std: float) -> "PlainDictionary":
        """The same features and reconstructions without a normaliser.

        Args:
            mean: what the normaliser subtracts from hidden states.
            std: what it divides them by.
        """
        return replace(
            self,
            shift=mean + std * self.shift.double(),
            encoder=self.encoder.double() / std,
            decoder=self.decoder.double() * std,
            decoder_bias=mean + std * self.decoder_bias.double(),
        )

    def shifted_by(self, shift: Tensor) -> "PlainDictionary":
        """The same dictionary that subtracts another vector [d] from its input; biases make up for it."""
        if torch.equal(shift.double(), self.shift.double()):
            return self
        change = (shift.double() - self.shift.double()) @ self.encoder.double()
        if self.rule != "gate":
            return replace(self, shift=shift, encoder_bias=self.encoder_bias.double() + change)
        assert self.gate_bias is not None
        assert self.log_scale is not None
        return replace(
            self,
            shift=shift,
            encoder_bias=self.encoder_bias.double() + change * self.log_scale.double().exp(),
            gate_bias=self.gate_bias.double() + change,
        )

    def check(self, where: object) -> "PlainDictionary":
        """Itself, after a check of its shapes and values.

        Raises:
            InputError: a tensor has another shape than the encoder asks for, or a value is not finite.
        """
        d, f = (*self.encoder.shape, 0)[:2] if self.encoder.ndim == 2 else (0, 0)
        if not (1 <= d <= LARGEST_WIDTH and 1 <= f <= MOST_FEATURES):
            raise InputError(f"{where} has an encoder of shape {tuple(self.encoder.shape)}: it is no dictionary")
        shapes = {"shift": (d,), "encoder": (d, f), "decoder": (f, d), "decoder_bias": (d,)}
        for name, tensor in self.tensors().items():
            if tuple(tensor.shape) != shapes.get(name, (f,)):
                raise InputError(
                    f"{where} is damaged, its {name} has shape {tuple(tensor.shape)}, not {shapes.get(name, (f,))}"
                )
            if not tensor.isfinite().all():
                raise InputError(f"{where} is damaged, its {name} has values that are not finite")
        if self.rule == "top_k" and not 1 <= self.k <= f:
            raise InputError(f"{where} is damaged, its k is {self.k}, of {f} features")
        return self


class PlainSAE(nn.Module):
    """A plain dictionary as a module: `encode` [n, d] to [n, f], `decode` [..., f] to [..., d]."""

    shift: Tensor
    encoder: Tensor
    encoder_bias: Tensor
    decoder: Tensor
    decoder_bias: Tensor
    threshold: Tensor
    gate_bias: Tensor
    log_scale: Tensor

    def __init__(self, activation_dim: int, dict_size: int, rule: str, k: int = 0) -> None:
        super().__init__()
        self.activation_dim, self.dict_size, self.rule, self.k = activation_dim, dict_size, rule, k
        shapes: dict[str, tuple[int, ...]] = {
            "shift": (activation_dim,),
            "encoder": (activation_dim, dict_size),
            "encoder_bias": (dict_size,),
            "decoder": (dict_size, activation_dim),
            "decoder_bias": (activation_dim,),
        }
        for name, shape in (shapes | dict.fromkeys(ONLY[rule], (dict_size,))).items():
            self.register_parameter(name, nn.Parameter(torch.zeros(shape), requires_grad=False))

    @classmethod
    def of(cls, plain: PlainDictionary) -> "PlainSAE":
        """The module of a plain dictionary."""
        module = cls(plain.width, plain.n_features, plain.rule, plain.k)
        module.load_state_dict(plain.tensors())
        return module

    def plain(self) -> PlainDictionary:
        """The plain dictionary of the module."""
        return PlainDictionary(self.rule, k=self.k, **self.state_dict())  # type: ignore[arg-type]

    def encode(self, x: Tensor) -> Tensor:
        """[n, d] to [n, f]."""
        z = (x - self.shift) @ self.encoder
        if self.rule == "gate":
            return torch.relu(z * self.log_scale.exp() + self.encoder_bias) * (z + self.gate_bias > 0)
        z = z + self.encoder_bias
        features = torch.relu(z)
        if self.rule == "threshold":
            return features * (z > self.threshold)
        if self.rule == "top_k":
            values, indices = features.topk(self.k, dim=-1, sorted=False)
            return torch.zeros_like(features).scatter_(-1, indices, values)
        return features

    def decode(self, features: Tensor) -> Tensor:
        """[..., f] to [..., d]."""
        return features @ self.decoder + self.decoder_bias
