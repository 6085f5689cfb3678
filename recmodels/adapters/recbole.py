"""Checkpoints of RecBole: SASRec, GRU4Rec and BERT4Rec, as its trainer saves them.

A checkpoint holds pickled objects, of which only tensors and plain values are read, and no ids: the numbers of items
are made again from the atomic files (`recmodels.adapters.recbole_tokens`).

In releases from 1.2 on, BERT4Rec drops the first item of the history that it scores, and so gives one list to everyone
who has one item. The adapter repeats this.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import pandas as pd
from torch import Tensor, nn

from recmodels.adapters.adapter import Adapter
from recmodels.adapters.batch import Batch
from recmodels.adapters.checkpoint_reader import Opaque, read_checkpoint
from recmodels.adapters.recbole_networks import ACTIVATIONS, BERT4Rec, GRU4Rec, SASRec
from recmodels.adapters.recbole_tokens import read_tokens
from recmodels.adapters.registry import register_adapter
from recmodels.adapters.weights import load_weights
from recmodels.columns import Table, ids
from recmodels.errors import InputError, quote
from recmodels.json_files import of_type

NETWORKS: dict[str, type[nn.Module]] = {"SASRec": SASRec, "BERT4Rec": BERT4Rec, "GRU4Rec": GRU4Rec}
LAYER = "trm_encoder.layer.*"
TRANSFORMER_SITES = {
    "embedding": "item_embedding",
    "blocks.*.attention": f"{LAYER}.multi_head_attention.dense",
    "blocks.*.mlp": f"{LAYER}.feed_forward.dense_2",
    "blocks.*": LAYER,
}
GRU_SITES = {"embedding": "item_embedding", "blocks.*": "gru_layers.*"}
GRU_NAMES = re.compile(r"gru_layers\.(weight_[ih]h)_l(\d+)")


@register_adapter
class RecBole(Adapter):
    """A sequential model of RecBole.

    Args:
        model: "SASRec", "BERT4Rec" or "GRU4Rec".
        n_items: items that it scores.
        max_history: how many of a history's last items it reads.
        network: arguments of its network in `recmodels.adapters.recbole_networks`.
    """

    name = "recbole"
    side = "right"

    def __init__(self, model: str, n_items: int, max_history: int, network: dict[str, Any]) -> None:
        if model not in NETWORKS:
            raise InputError(f"RecBole's {quote(model)} is not known here: choose one of {', '.join(NETWORKS)}")
        settings = {"model": model, "n_items": n_items, "max_history": max_history, "network": network}
        super().__init__(NETWORKS[model](**network), n_items, max_history, settings)
        self.mask_step = model == "BERT4Rec"
        self.sites = GRU_SITES if model == "GRU4Rec" else TRANSFORMER_SITES

    @classmethod
    def build(cls, settings: dict[str, Any]) -> Self:
        """The adapter of an untrained network."""
        return cls(**settings)

    def run(self, batch: Batch) -> Tensor:
        """[b, w, d]: after the last block, the dense layer of GRU4Rec, or the output layer of BERT4Rec."""
        return self.module(batch.tokens())

    def weights(self) -> Tensor:
        """[v, d] the items' embeddings."""
        return self.module.get_submodule("item_embedding").weight[1 : 1 + self.n_items]

    def bias(self) -> Tensor | None:
        """[v] of BERT4Rec with an output layer, or None."""
        return self.module.output_bias[1:] if getattr(self.module, "head", False) else None


def load_recbole(
    path: Path, data: Path | None = None, items: Sequence[Any] | None = None
) -> tuple[RecBole, list[Any]]:
    """The model of a checkpoint, and the ids of its items in the order of its scores.

    Args:
        path: the `.pth` file in RecBole's `checkpoint_dir`.
        data: folder of the atomic files that it was trained on, such as `dataset/ml-100k`.
        items: instead of `data`, RecBole's own order: `dataset.field2id_token[dataset.iid_field][1:]`.

    Raises:
        InputError: the file is no checkpoint of these models, or the atomic files do not belong to it.
    """
    config, tensors = _read(path)
    adapter = _adapter(path, config, tensors)
    load_weights(adapter.module, tensors, path)
    if items is None:
        items = _items(path, config, data)
    if len(items) != adapter.n_items:
        raise InputError(
            f"{path} has {adapter.n_items:,} items, and {data or 'the list that you gave'} {len(items):,} after the "
            f"checkpoint's filters: give the atomic files that it was trained on, unchanged"
        )
    return adapter, list(items)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Settings and tensors of a checkpoint; the tensors by the names of `recbole_networks`."""
    checkpoint = read_checkpoint(path)
    record = checkpoint if isinstance(checkpoint, dict) else {}
    config, tensors = record.get("config"), record.get("state_dict")
    state = config.state if isinstance(config, Opaque) else None
    settings = state.get("final_config_dict") if isinstance(state, dict) else None
    if not isinstance(settings, dict) or not isinstance(tensors, dict):
        raise InputError(f"{path} is not a checkpoint of RecBole: give the .pth file that its trainer saved")
    return settings, {GRU_NAMES.sub(r"gru_layers.\2.\1_l0", name): tensor for name, tensor in tensors.items()}


def _adapter(path: Path, config: dict[str, Any], tensors: dict[str, Tensor]) -> RecBole:
    """The adapter of a checkpoint, sized by its tensors."""
    model = config.get("model")
    if model not in NETWORKS:
        raise InputError(f"{path} holds RecBole's {quote(model)}: this adapter knows {', '.join(NETWORKS)}")
    try:
        tokens, d = tensors["item_embedding.weight"].shape
        network: dict[str, Any] = {"tokens": tokens, "d": d}
        if model == "GRU4Rec":
            network |= {
                "width": tensors["gru_layers.0.weight_hh_l0"].shape[1],
                "layers": sum(name.endswith("weight_hh_l0") for name in tensors),
            }
        else:
            network |= {
                "positions": len(tensors["position_embedding.weight"]),
                "layers": sum(name.endswith("multi_head_attention.query.weight") for name in tensors),
                "inner": len(tensors["trm_encoder.layer.0.feed_forward.dense_1.weight"]),
                "heads": _value(path, config, "n_heads", int),
                "act": _value(path, config, "hidden_act", str),
                "eps": _value(path, config, "layer_norm_eps", float),
            }
            if network["act"] not in ACTIVATIONS or d % max(network["heads"], 1):
                raise InputError(f"{path} has settings that RecBole's {model} cannot have: train it again")
    except (KeyError, ValueError, AttributeError):
        raise InputError(f"{path} lacks tensors of RecBole's {model}: give the .pth file that its trainer saved") from None
    if model == "BERT4Rec":
        network["head"] = "output_ffn.weight" in tensors
    n_items = tokens - 2 if model == "BERT4Rec" else tokens - 1
    return RecBole(model, n_items, _value(path, config, "MAX_ITEM_LIST_LENGTH", int), network)


def _value(path: Path, config: dict[str, Any], key: str, kind: type) -> Any:
    value = config.get(key)
    if not of_type(value, kind):
        raise InputError(f"{path} has {quote(value)} for {key}: give the .pth file that RecBole's trainer saved")
    return value


def _items(path: Path, config: dict[str, Any], data: Path | None) -> list[Any]:
    """The ids of the items by number, as the project's readers of tables give them."""
    name = config.get("dataset")
    if data is None:
        raise InputError(
            f"{path} does not hold the ids of its items: give the folder of the atomic files that it was trained on, "
            f"with {name}.inter"
        )
    folder = data / str(name) if (data / str(name) / f"{name}.inter").is_file() else data
    tokens = read_tokens(folder, config).items
    (column,) = ids((Table(f"{name}.inter", pd.DataFrame({"item": tokens})), "item"))
    return column.tolist()
