"""Models of transformers over item tokens: GPT-2, BERT, Llama or another one with a head for language modelling.

Item code c is token `first + c`. Padding stands on the right by default, where each history has the scores that it has
alone. A masked model, such as BERT, reads a [MASK] after the history.
"""

import re
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMaskedLM, PreTrainedModel

from recmodels.adapters.adapter import Adapter
from recmodels.adapters.batch import Batch
from recmodels.adapters.checkpoint_reader import read_tensors
from recmodels.adapters.registry import register_adapter
from recmodels.adapters.weights import load_weights
from recmodels.errors import InputError, quote
from recmodels.id_files import read_ids
from recmodels.json_files import read_json

ATTENTION = ("attn", "self_attn", "attention.output.dense", "attention")  # by the first of these names in a block
MLP = ("mlp", "output.dense", "ffn")
NOT_READ = ("auto_map", "attn_implementation", "quantization_config", "transformers_version", "architectures", "dtype")
ADVICE = "give the folder that model.save_pretrained wrote"


class Headless(nn.Module):
    """A language model and, apart, its head, unless the head's weights are somewhere in the model.

    Args:
        model: the language model; it loses its head.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        head = model.get_output_embeddings()
        self.path = next(name for name, module in model.named_modules() if module is head)
        parent, _, last = self.path.rpartition(".")
        setattr(model.get_submodule(parent), last, nn.Identity())
        self.model = model
        names = {id(parameter): f"model.{name}" for name, parameter in model.named_parameters()}
        self.weight_name = names.get(id(head.weight), "weight")
        self.bias_name = None if head.bias is None else names.get(id(head.bias), "bias")
        self.weight = head.weight if self.weight_name == "weight" else None
        self.bias = head.bias if self.bias_name == "bias" else None

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Int64 [b, w] tokens and [b, w], 1 for those that are seen, to [b, w, d]."""
        return self.model(input_ids=tokens, attention_mask=mask, use_cache=False).logits


@register_adapter
class TransformersModel(Adapter):
    """A language model of transformers over item tokens.

    Args:
        model: the model, with its head.
        n_items: items that it scores.
        first: token of the first item; the others follow it.
        pad: token of padding.
        mask: token of the [MASK] that a masked model reads after the history; None for a causal one.
        max_history: items that it reads.
        side: side of the padding.
        seen_padding: whether it was trained without a mask of its padding, on `max_history` steps.
    """

    name = "transformers"
    module: Headless

    def __init__(
        self,
        model: PreTrainedModel,
        n_items: int,
        first: int,
        pad: int,
        mask: int | None,
        max_history: int,
        side: str = "right",
        seen_padding: bool = False,
    ) -> None:
        options: dict[str, Any] = {"n_items": n_items, "first": first, "pad": pad, "mask": mask}
        options |= {"max_history": max_history, "side": side, "seen_padding": seen_padding}
        settings = {"config": plain_config(model.config.to_diff_dict()), "options": options}
        layers = model.config.num_hidden_layers
        lists = (n for n, m in model.named_modules() if isinstance(m, nn.ModuleList) and len(m) == layers)
        blocks, embedding = next(lists, None), model.get_input_embeddings()
        super().__init__(Headless(model), n_items, max_history, settings)
        self.title = type(model).__name__
        self.first, self.pad, self.mask, self.seen_padding = first, pad, mask, seen_padding
        self.side = side  # type: ignore[assignment]
        self.mask_step = mask is not None
        self.full_width = seen_padding or side == "left"
        modules = dict(self.module.named_modules())
        self.sites = {"embedding": next(name for name, module in modules.items() if module is embedding)}
        if blocks is not None:
            self.sites |= {"blocks.*": f"model.{blocks}.*"}
            for site, names in (("attention", ATTENTION), ("mlp", MLP)):
                name = next((name for name in names if f"model.{blocks}.0.{name}" in modules), None)
                self.sites |= {} if name is None else {f"blocks.*.{site}": f"model.{blocks}.*.{name}"}

    @classmethod
    def build(cls, settings: dict[str, Any]) -> Self:
        """The adapter of an untrained model."""
        return cls(untrained(settings["config"], settings["options"]["mask"] is not None), **settings["options"])

    @classmethod
    def read(
        cls,
        path: Path,
        *,
        item_ids: Path,
        first: int | None = None,
        mask: int | None = None,
        max_history: int | None = None,
        side: str = "right",
        seen_padding: bool = False,
    ) -> tuple[Self, list[Any]]:
        """The adapter of a folder that `save_pretrained` wrote, and the item ids in the order of their tokens.

        Args:
            path: the folder.
            item_ids: the ids of the items, as `recmodels.id_files.read_ids` reads them.
            first: token of the first item; by default 1 if token 0 is padding, or else 0.
            mask: token of the [MASK] that a masked model reads after the history.
            max_history: items that it reads; by default as many as it has positions.
            side: side of the padding, "left" if histories were padded there in training.
            seen_padding: whether padding was not masked in training, which then had `max_history` steps.

        Raises:
            InputError: the folder holds no such model, its tokens leave no room for the items, or its scores are not
                linear in its last hidden states.
        """
        config = read_json(path / "config.json", ADVICE)
        is_masked = any("MaskedLM" in str(name) for name in config.get("architectures") or [])
        if is_masked != (mask is not None):
            raise InputError(
                f"{path} is {'a masked model: pass mask=…, its token' if is_masked else 'a causal model: leave mask='}"
                f"{'' if is_masked else ' out'}"
            )
        if side not in ("left", "right"):
            raise InputError(f"side is {quote(side)}: choose left or right")
        model = untrained(plain_config(config), is_masked)
        ignored, names = model._keys_to_ignore_on_load_unexpected or (), model.state_dict().keys()
        tensors = {
            name: tensor
            for name, tensor in read_tensors(path).items()
            if name in names or not any(re.search(pattern, name) for pattern in ignored)
        }
        load_weights(model, tensors, path)
        ids, pad = read_ids(item_ids), model.config.pad_token_id
        start = (1 if pad == 0 else 0) if first is None else first
        _check_tokens(path, len(ids), start, pad, mask, model.config.vocab_size)
        longest = max_history or model.config.max_position_embeddings - is_masked
        expected, tokens = _logits(model, len(ids), start, longest + is_masked)
        adapter = cls(model, len(ids), start, start if pad is None else pad, mask, longest, side, seen_padding)
        with torch.no_grad():
            hidden = adapter.module(tokens, torch.ones_like(tokens))
            logits = adapter.score(hidden)
        if not torch.allclose(logits, expected, rtol=1e-4, atol=1e-4):
            raise InputError(f"{path} does not score items by the head alone: wrap it with an adapter of your own")
        return adapter, ids

    def run(self, batch: Batch) -> Tensor:
        """[b, w, d] what the head reads."""
        tokens = batch.tokens(first=self.first, pad=self.pad, mask=self.mask)
        seen = torch.ones_like(tokens) if self.seen_padding else batch.real().long()
        return self.module(tokens, seen)

    def weights(self) -> Tensor:
        """[v, d] rows of the head."""
        return self.module.get_parameter(self.module.weight_name)[self.first : self.first + self.n_items]

    def bias(self) -> Tensor | None:
        """[v] of the head."""
        name = self.module.bias_name
        return None if name is None else self.module.get_parameter(name)[self.first : self.first + self.n_items]

    def embeddings(self) -> Tensor:
        """[v, d] rows of the input embeddings."""
        vectors: Any = self.module.model.get_input_embeddings()
        return vectors.weight[self.first : self.first + self.n_items]


def plain_config(config: dict[str, Any]) -> dict[str, Any]:
    """What shapes the model among a configuration's keys: nothing that names code or files."""
    return {key: value for key, value in config.items() if not key.startswith("_") and key not in NOT_READ}


def untrained(config: dict[str, Any], is_masked: bool) -> PreTrainedModel:
    """A model of a configuration, with weights of any value.

    Raises:
        InputError: transformers knows no such model, or the configuration is none of its.
    """
    try:
        made = AutoConfig.for_model(**config)
        return (AutoModelForMaskedLM if is_masked else AutoModelForCausalLM).from_config(made).float().eval()
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError, ImportError) as error:
        kind = quote(config.get("model_type"))
        raise InputError(
            f"transformers makes no model of this config.json, of type {kind} ({error}): {ADVICE}"
        ) from None


def _check_tokens(path: Path, n: int, first: int, pad: int | None, mask: int | None, size: int) -> None:
    """Refuse items that share tokens with padding or [MASK], or exceed the vocabulary."""
    if not 0 <= first <= size - n:
        raise InputError(f"{path} has {size} tokens, too few for {n} items from token {first} on: give its item ids")
    for token, what in ((pad, "padding"), (mask, "[MASK]")):
        if token is not None and first <= token < first + n:
            raise InputError(
                f"token {token} is {what}, and also an item, as the {n} items begin at token {first}: pass first=…, "
                f"the token of the first item"
            )


def _logits(model: PreTrainedModel, n: int, first: int, steps: int) -> tuple[Tensor, Tensor]:
    """[1, w, v] scores of items by the whole model, and the [1, w] tokens that it read."""
    tokens = first + torch.arange(steps)[None] % n
    try:
        with torch.no_grad():
            return model(input_ids=tokens).logits[..., first : first + n], tokens
    except (IndexError, RuntimeError) as error:
        raise InputError(
            f"this model does not read {steps} steps ({error}): pass max_history=…, as in training"
        ) from None
