"""Checkpoints of RePlay: SasRec and Bert4Rec, with the JSON of its tokenizer or label encoder.

`trainer.save_checkpoint(path)` writes the checkpoint; the item ids are in what `tokenizer.save(folder)` or, from
`replay.nn` on, `encoder.save(folder)` writes.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from torch import Tensor

from recmodels.adapters.adapter import Adapter
from recmodels.adapters.batch import Batch
from recmodels.adapters.checkpoint_reader import read_checkpoint
from recmodels.adapters.registry import register_adapter
from recmodels.adapters.replay_networks import Bert4Rec, NewSasRec, OldSasRec
from recmodels.adapters.weights import load_weights
from recmodels.errors import InputError, quote
from recmodels.json_files import read_json

NETWORKS: dict[str, Any] = {"sasrec": OldSasRec, "sasrec-new": NewSasRec, "bert4rec": Bert4Rec}
MAPPING_BYTES = 2**30  # of the JSON that is read, at most
KINDS: dict[str, Callable[[str], Any]] = {"int": int, "float": float, "str": str}
NEW_ITEMS = re.compile(r"body\.embedder\.feature_embedders\.(.+)\.emb\.weight")
BERT_ITEMS = re.compile(r"item_embedder\.cat_embeddings\.(.+)\.weight")


@register_adapter
class RePlay(Adapter):
    """A transformer of RePlay.

    Args:
        network: "sasrec" (`replay.models.nn`), "sasrec-new" (`replay.nn`) or "bert4rec".
        sizes: what the network's class takes (`recmodels.adapters.replay_networks`).
    """

    name = "replay"
    module: OldSasRec | NewSasRec | Bert4Rec

    def __init__(self, network: str, sizes: dict[str, Any]) -> None:
        is_bert = network == "bert4rec"
        settings = {"network": network, "sizes": sizes}
        super().__init__(NETWORKS[network](**sizes), sizes["n_items"], sizes["longest"] - is_bert, settings)
        self.mask_step = is_bert
        self.title = f"RePlay {'Bert4Rec' if is_bert else 'SasRec'}"
        self.full_width = network == "sasrec"
        if is_bert:
            self.sites = {"embedding": "embedding", "blocks.*": "after_pass.*"}
            if sizes["passes"] == 1:
                block = "transformer_blocks.*"
                self.sites |= {"blocks.*.attention": f"{block}.attention", "blocks.*.mlp": f"{block}.pff"}
        else:
            layers = "sasrec_layers" if network == "sasrec" else "body.encoder"
            self.sites = {
                "embedding": "embedding",
                "blocks.*": f"{layers}.forward_layers.*",
                "blocks.*.attention": f"{layers}.attention_layers.*",
            }

    @classmethod
    def build(cls, settings: dict[str, Any]) -> Self:
        """The adapter of an untrained network."""
        return cls(**settings)

    @classmethod
    def read(cls, path: Path, *, item_ids: Path, heads: int | None = None) -> tuple[Self, list[Any]]:
        """The adapter of a checkpoint, and its item ids in the order of the scores.

        Args:
            path: the checkpoint.
            item_ids: the folder `….replay` that the tokenizer or the label encoder was saved to.
            heads: attention heads, which a checkpoint of `replay.nn` does not tell.

        Raises:
            InputError: a file is not what it should be, or the model has a part that is unknown here.
        """
        checkpoint = read_checkpoint(path)
        tensors = checkpoint.get("state_dict") if isinstance(checkpoint, dict) else None
        if not isinstance(tensors, dict):
            raise InputError(
                f"{path} is not a checkpoint of Lightning: save the model with trainer.save_checkpoint(path)"
            )
        tensors = {
            re.sub(r"^_?model\.", "", name): tensor
            for name, tensor in tensors.items()
            if "._head._item_embedder." not in name  # the embeddings a second time
        }
        adapter = cls(*_network(path, tensors, checkpoint.get("hyper_parameters", {}), heads))
        load_weights(adapter.module, tensors, path)
        ids = read_codes(item_ids)
        if len(ids) != adapter.n_items:
            raise InputError(
                f"{path} scores {adapter.n_items} items, {item_ids} has {len(ids)}: they are of different runs"
            )
        return adapter, ids

    def run(self, batch: Batch) -> Tensor:
        """[b, w, d]."""
        return self.module(batch.tokens(first=0, pad=self.n_items, mask=self.n_items), batch.real())

    def weights(self) -> Tensor:
        """[v, d]."""
        head = dict(self.module.named_parameters()).get("_head.linear.weight")
        return self.embeddings() if head is None else head

    def bias(self) -> Tensor | None:
        """[v] of Bert4Rec; None for SasRec."""
        parameters = dict(self.module.named_parameters())
        return parameters.get("_head.linear.bias", parameters.get("_head.out_bias"))

    def embeddings(self) -> Tensor:
        """[v, d] input embeddings of items."""
        return self.module.items[: self.n_items]


def _network(path: Path, tensors: dict[str, Tensor], record: Any, heads: int | None) -> tuple[str, dict[str, Any]]:
    """Which network a checkpoint is of, and its sizes."""
    is_new = any(name.startswith("body.") for name in tensors)
    pattern = NEW_ITEMS if is_new else BERT_ITEMS
    features = [match.group(1) for match in map(pattern.fullmatch, tensors) if match]
    if len(features) > 1:
        raise InputError(
            f"{path} reads {len(features)} features of each step ({', '.join(features)}), this adapter the item ids "
            f"alone: wrap the model in Python with an adapter of your own"
        )
    if is_new and heads is None:
        raise InputError(f"{path} does not tell how many attention heads its model has: pass heads as well")
    if is_new and features:
        n_tokens, d = tensors[f"body.embedder.feature_embedders.{features[0]}.emb.weight"].shape
        blocks = sum(name.endswith("in_proj_bias") for name in tensors)
        inner = len(tensors["body.encoder.forward_layers.0.conv1.weight"])
        longest = len(tensors["body.embedding_aggregator.pe.weight"])
        sizes = {"n_items": n_tokens - 1, "d": d, "inner": inner, "blocks": blocks, "heads": heads}
        return "sasrec-new", sizes | {"longest": longest, "feature": features[0]}
    if not {"block_count", "head_count", "hidden_size", "max_seq_len"} <= set(record):
        raise InputError(f"{path} is not a checkpoint of RePlay's SasRec or Bert4Rec: wrap the model in Python instead")
    if record.get("ti_modification"):
        raise InputError(f"{path} is a TiSasRec (ti_modification), which this adapter does not know: wrap it in Python")
    d = record["hidden_size"]
    sizes = {"d": d, "blocks": record["block_count"], "heads": record["head_count"], "longest": record["max_seq_len"]}
    if not features:
        return "sasrec", sizes | {"n_items": len(tensors["item_embedder.item_emb.weight"]) - 1, "inner": d}
    return "bert4rec", sizes | {
        "n_items": len(tensors[f"item_embedder.cat_embeddings.{features[0]}.weight"]),
        "passes": record["pass_per_transformer_block_count"],
        "feature": features[0],
        "has_positions": record["enable_positional_embedding"],
        "is_tied": record["enable_embedding_tying"],
    }


def read_codes(folder: Path) -> list[Any]:
    """The item ids of a tokenizer or label encoder of RePlay, in the order of its codes.

    Raises:
        InputError: it is none, or its codes are not 0, 1, 2, ….
    """
    advice = "give the folder that tokenizer.save or encoder.save wrote"
    record = read_json(folder / "init_args.json", advice, MAPPING_BYTES)
    try:
        if "encoder" in record:  # a SequenceTokenizer
            (column,) = record["encoder"]["features_columns"]["ITEM_ID"]
            rule = record["encoder"]["encoding_rules"][column]
            kind = KINDS["int" if rule["is_int"] else "str"]
            mapping = rule["mapping"]
        elif "rule_names" in record:  # a LabelEncoder
            return read_codes(folder / "rules" / f"{_item_rule(folder, record['rule_names'])}.replay")
        else:
            mapping = record["init_args"]["mapping"]
            kind = next(kind for word, kind in KINDS.items() if word in record["fitted_args"]["column_type"])
        ids = [kind(item) for item in sorted(mapping, key=mapping.get)]
        codes = sorted(mapping.values())
    except (KeyError, TypeError, ValueError, AttributeError, StopIteration) as error:
        raise InputError(f"{folder} is not a tokenizer of RePlay ({quote(error)} is missing): {advice}") from None
    if codes != list(range(len(ids))):
        raise InputError(f"the codes of {folder} are not 0 to {len(ids) - 1}, each once: {advice}")
    return ids


def _item_rule(folder: Path, names: list[str]) -> str:
    """The rule of the item column of a label encoder."""
    rules = [name for name in names if "item" in name.lower()]
    if len(rules) != 1:
        raise InputError(
            f"{folder} has {len(rules)} rules whose column is called item: give the folder of the rule instead, such "
            f"as {folder / 'rules' / names[0]}.replay"
        )
    return rules[0]
