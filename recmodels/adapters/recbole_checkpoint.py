"""Checkpoints of RecBole: SASRec, GRU4Rec, BERT4Rec and BPR, as its trainer saves them.

A checkpoint holds pickled objects, of which only tensors and plain values are read, and no ids: the numbers of items
and users are made again from the atomic files (`recmodels.adapters.recbole_tokens`).

In releases from 1.2 on, BERT4Rec drops the first item of the history that it scores, and so gives one list to everyone
who has one item. The adapter repeats this.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from torch import Tensor, nn

from recmodels.adapters.adapter import Adapter
from recmodels.adapters.batch import Batch
from recmodels.adapters.checkpoint_reader import Opaque, read_checkpoint
from recmodels.adapters.foreign import read_item_ids
from recmodels.adapters.recbole_networks import ACTIVATIONS, BPR, BERT4Rec, GRU4Rec, SASRec
from recmodels.adapters.recbole_tokens import Tokens, read_tokens
from recmodels.adapters.registry import register_adapter
from recmodels.adapters.weights import load_weights
from recmodels.errors import InputError, quote
from recmodels.json_files import of_type

NETWORKS: dict[str, type[nn.Module]] = {"SASRec": SASRec, "BERT4Rec": BERT4Rec, "GRU4Rec": GRU4Rec, "BPR": BPR}
LAYER = "trm_encoder.layer.*"
TRANSFORMER_SITES = {
    "embedding": "item_embedding",
    "blocks.*.attention": f"{LAYER}.multi_head_attention.dense",
    "blocks.*.mlp": f"{LAYER}.feed_forward.dense_2",
    "blocks.*": LAYER,
}
SITES = {
    "SASRec": TRANSFORMER_SITES,
    "BERT4Rec": TRANSFORMER_SITES,
    "GRU4Rec": {"embedding": "item_embedding", "blocks.*": "gru_layers.*"},
    "BPR": {},
}
GRU_NAMES = re.compile(r"gru_layers\.(weight_[ih]h)_l(\d+)")


@register_adapter
class RecBole(Adapter):
    """A model of RecBole.

    Args:
        model: "SASRec", "BERT4Rec", "GRU4Rec" or "BPR".
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
        self.title = f"RecBole {model}"
        self.sites = SITES[model]
        self.mask_step = model == "BERT4Rec"
        self.by_user, self.has_steps = model == "BPR", model != "BPR"

    @classmethod
    def build(cls, settings: dict[str, Any]) -> Self:
        """The adapter of an untrained network."""
        return cls(**settings)

    @classmethod
    def read(
        cls, path: Path, *, atomic_files: Path | None = None, item_ids: Path | None = None
    ) -> tuple[Self, Sequence[Any]]:
        """The model of a checkpoint, and the ids of its items in the order of its scores.

        Its users are all that RecBole numbered: those of the interactions after its filters.

        Args:
            path: the `.pth` file in RecBole's `checkpoint_dir`.
            atomic_files: folder of the atomic files that it was trained on, such as `dataset/ml-100k`.
            item_ids: instead, a file of RecBole's own order: `dataset.field2id_token[dataset.iid_field][1:]`.

        Raises:
            InputError: the file is no checkpoint of these models, or the atomic files do not belong to it.
        """
        config, tensors = _read(path)
        adapter = cls(**_settings(path, config, tensors))
        load_weights(adapter.module, tensors, path)
        if item_ids is not None and not adapter.by_user:
            ids = read_item_ids(item_ids)
            _check(path, "items", adapter.n_items, item_ids, len(ids))
            return adapter, ids
        if atomic_files is None:
            raise InputError(
                f"{path} does not hold the ids of its items: give the folder of the atomic files that it was trained "
                f"on, with {config.get('dataset')}.inter (--atomic-files FOLDER), or RecBole's own order (--item-ids "
                f"FILE)"
            )
        tokens = _tokens(path, config, atomic_files)
        _check(path, "items", adapter.n_items, atomic_files, len(tokens.items))
        adapter.users = tokens.users.tolist()
        if adapter.by_user:
            _check(path, "users", len(tensors["user_embedding.weight"]) - 1, atomic_files, len(tokens.users))
        return adapter, tokens.items.tolist()

    def run(self, batch: Batch) -> Tensor:
        """[b, w, d]: after the last block, the dense layer of GRU4Rec, or the output layer of BERT4Rec.

        For BPR, the users' vectors [b, d].
        """
        return self.module(batch.users + 1 if self.by_user else batch.tokens())

    def weights(self) -> Tensor:
        """[v, d] the items' embeddings."""
        return self.module.get_parameter("item_embedding.weight")[1 : 1 + self.n_items]

    def bias(self) -> Tensor | None:
        """[v] of BERT4Rec with an output layer, or None."""
        return self.module.get_parameter("output_bias")[1:] if self.settings["network"].get("head") else None


def _check(path: Path, side: str, expected: int, source: Path, n: int) -> None:
    """Refuse ids that are too many or too few."""
    if n != expected:
        raise InputError(
            f"{path} has {expected:,} {side}, and {source} {n:,} after the checkpoint's filters: give the atomic files "
            f"that it was trained on, unchanged"
        )


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


def _settings(path: Path, config: dict[str, Any], tensors: dict[str, Tensor]) -> dict[str, Any]:
    """Arguments of the adapter of a checkpoint, sized by its tensors."""
    model = config.get("model")
    if model not in NETWORKS:
        raise InputError(f"{path} holds RecBole's {quote(model)}: this adapter knows {', '.join(NETWORKS)}")
    try:
        tokens, d = tensors["item_embedding.weight"].shape
        network: dict[str, Any] = {"tokens": tokens, "d": d}
        if model == "BPR":
            network["users"] = len(tensors["user_embedding.weight"])
        elif model == "GRU4Rec":
            network["width"] = tensors["gru_layers.0.weight_hh_l0"].shape[1]
            network["layers"] = sum(name.endswith("weight_hh_l0") for name in tensors)
        else:
            network["positions"] = len(tensors["position_embedding.weight"])
            network["layers"] = sum(name.endswith("multi_head_attention.query.weight") for name in tensors)
            network["inner"] = len(tensors["trm_encoder.layer.0.feed_forward.dense_1.weight"])
    except (KeyError, ValueError, AttributeError, TypeError):
        raise InputError(f"{path} lacks tensors of RecBole's {model}: give the .pth that its trainer saved") from None
    if "positions" in network:
        network["heads"] = _value(path, config, "n_heads", int)
        network["act"] = _value(path, config, "hidden_act", str)
        network["eps"] = _value(path, config, "layer_norm_eps", float)
        if network["act"] not in ACTIVATIONS or network["heads"] < 1 or d % network["heads"]:
            raise InputError(f"{path} has an activation or heads that RecBole's {model} cannot have")
    if model == "BERT4Rec":
        network["head"] = "output_ffn.weight" in tensors
    return {
        "model": model,
        "n_items": tokens - 2 if model == "BERT4Rec" else tokens - 1,
        "max_history": 1 if model == "BPR" else _value(path, config, "MAX_ITEM_LIST_LENGTH", int),
        "network": network,
    }


def _value(path: Path, config: dict[str, Any], key: str, kind: type) -> Any:
    value = config.get(key)
    if not of_type(value, kind):
        raise InputError(f"{path} has {quote(value)} for {key}: give the .pth file that RecBole's trainer saved")
    return value


def _tokens(path: Path, config: dict[str, Any], folder: Path) -> Tokens:
    """RecBole's order of items and users, from the folder of the atomic files or the one above."""
    name = _value(path, config, "dataset", str)
    inside = folder / Path(name).name
    try:
        return read_tokens(inside if (inside / f"{name}.inter").is_file() else folder, config)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} has settings of a data set that cannot be read ({type(error).__name__})") from None
