"""Checkpoints of RecTools: SASRec, BERT4Rec and HSTU, which `model.fit_trainer.save_checkpoint(path)` writes.

A checkpoint holds the user's item ids. SASRec does not mask its padding by default, so it always reads
`session_max_len` steps. HSTU reads the time of each step, in seconds.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from recmodels.adapters.adapter import Adapter
from recmodels.adapters.batch import Batch
from recmodels.adapters.checkpoint_reader import read_checkpoint
from recmodels.adapters.rectools_blocks import Shape
from recmodels.adapters.rectools_network import Network
from recmodels.adapters.registry import register_adapter
from recmodels.adapters.weights import load_weights
from recmodels.errors import InputError, quote

LAYERS = {
    "SASRecTransformerLayers": "sasrec",
    "PreLNTransformerLayers": "preln",
    "LiGRLayers": "ligr",
    "STULayers": "stu",
}
# Parts of which this module knows one kind.
PARTS = {
    "pos_encoding_type": ("LearnableInversePositionalEncoding",),
    "similarity_module_type": ("DistanceSimilarityModule",),
    "backbone_type": ("TransformerTorchBackbone",),
    "item_net_constructor_type": ("SumOfEmbeddingsConstructor",),
    "item_net_block_types": ("IdEmbeddingsItemNet", "CatFeaturesItemNet"),
    "data_preparator_type": ("SASRecDataPreparator", "BERT4RecDataPreparator"),
    "transformer_layers_type": tuple(LAYERS),
}
PREFIX = "torch_model."
EPSILON = 1e-8  # of lengths, in cosines


@register_adapter
class RecTools(Adapter):
    """A transformer of RecTools.

    Args:
        shape: its sizes and parts.
        request_gap: seconds from the last item of a history to the request, which HSTU reads.
    """

    name = "rectools"
    module: Network

    def __init__(self, shape: Shape, request_gap: float = 0.0) -> None:
        is_masked = shape.n_extra == 2
        settings = {"shape": asdict(shape), "request_gap": request_gap}
        super().__init__(Network(shape), shape.n_tokens - shape.n_extra, shape.session_max_len - is_masked, settings)
        self.shape = shape
        self.request_gap = request_gap
        self.columns = ("time",) if shape.relative_time_attention else ()
        self.mask_step = is_masked
        self.title = f"RecTools {'BERT4Rec' if is_masked else 'HSTU' if shape.layers == 'stu' else 'SASRec'}"
        self.full_width = not shape.use_key_padding_mask and shape.layers != "stu"
        block = "transformer_layers." + ("stu_blocks.*" if shape.layers == "stu" else "transformer_blocks.*")
        self.sites = {"embedding": "embedding", "blocks.*": block} | (
            {"blocks.*.attention": f"{block}.output_mlp"}
            if shape.layers == "stu"
            else {"blocks.*.attention": f"{block}.multi_head_attn", "blocks.*.mlp": f"{block}.feed_forward"}
        )

    @classmethod
    def build(cls, settings: dict[str, Any]) -> Self:
        """The adapter of an untrained network."""
        return cls(Shape(**settings["shape"]), settings["request_gap"])

    @classmethod
    def read(cls, path: Path, *, request_gap: float = 0.0) -> tuple[Self, list[Any]]:
        """The adapter of a checkpoint, and its item ids in the order of the scores.

        Args:
            path: the checkpoint.
            request_gap: seconds from the last item of a history to the request. HSTU reads this time, which RecTools
                takes from the `context` of `recommend`.

        Raises:
            InputError: the file is no checkpoint of RecTools, or a part of its model is unknown here.
        """
        checkpoint = read_checkpoint(path)
        record = checkpoint.get("hyper_parameters", {}) if isinstance(checkpoint, dict) else {}
        if not {"model_config", "item_external_ids", "item_extra_tokens"} <= set(record):
            raise InputError(
                f"{path} is not a checkpoint of a transformer of RecTools: save the model with "
                f"model.fit_trainer.save_checkpoint(path)"
            )
        n_extra = len(record["item_extra_tokens"])
        tensors = {name.removeprefix(PREFIX): tensor for name, tensor in checkpoint["state_dict"].items()}
        adapter = cls(_shape(path, record["model_config"], n_extra, tensors), request_gap)
        load_weights(adapter.module, tensors, path)
        return adapter, list(record["item_external_ids"])[n_extra:]

    def run(self, batch: Batch) -> Tensor:
        """[b, w, d], of length 1 where the model compares directions."""
        tokens = batch.tokens(first=self.shape.n_extra, pad=0, mask=1)
        if not self.columns:
            return self._compared(self.module(tokens))
        times = batch.extra("time").long()
        next_times = torch.cat([times[:, 1:], times[:, -1:] + int(self.request_gap)], dim=1)
        return self._compared(self.module(tokens, times, next_times))

    def weights(self) -> Tensor:
        """[v, d] items' embeddings, of length 1 where the model compares directions."""
        return self._compared(self.embeddings())

    def embeddings(self) -> Tensor:
        """[v, d] items' embeddings."""
        return self.module.item_model()[self.shape.n_extra :]

    def _compared(self, vectors: Tensor) -> Tensor:
        return F.normalize(vectors, dim=-1, eps=EPSILON) if self.shape.distance == "cosine" else vectors


def _shape(path: Path, config: dict[str, Any], n_extra: int, tensors: dict[str, Tensor]) -> Shape:
    """The shape that a checkpoint's settings and tensors describe."""
    kinds = {}
    for part, known in PARTS.items():
        names = config[part] if isinstance(config[part], list | tuple) else [config[part]]
        kinds[part] = [str(name).rpartition(".")[2] for name in names]
        unknown = next((name for name, kind in zip(names, kinds[part], strict=True) if kind not in known), None)
        if unknown is not None:
            raise InputError(
                f"{path} has the {part} {quote(unknown)}, which this adapter does not know: wrap the model in Python "
                f"with an adapter of your own"
            )
    layers = LAYERS[kinds["transformer_layers_type"][0]]
    options = config["transformer_layers_kwargs"] or {}
    is_stu = layers == "stu"
    d = config["n_factors"]
    ff = next((t for name, t in tensors.items() if name.endswith("0.feed_forward.ff_linear_1.weight")), None)
    items = [t for name, t in tensors.items() if name.endswith("ids_emb.weight")]
    values = [t for name, t in tensors.items() if name.endswith("embedding_bag.weight")]
    stored = [t for name, t in tensors.items() if name.endswith("emb_bag_inputs")]
    offsets = [t for name, t in tensors.items() if name.endswith("offsets")]
    return Shape(
        layers=layers,
        n_tokens=len((items or offsets)[0]),
        n_extra=n_extra,
        n_blocks=config["n_blocks"],
        n_heads=config["n_heads"],
        n_factors=d,
        n_factors_ff=d if ff is None else len(ff),
        ff_activation={
            "sasrec": "relu",
            "preln": "gelu",
            "ligr": options.get("ff_activation", "swiglu"),
            "stu": "relu",
        }[layers],
        ff_bias=layers != "ligr" or bool(options.get("bias_in_ff", False)),
        session_max_len=config["session_max_len"],
        use_pos_emb=config["use_pos_emb"],
        use_scale_factor=(config["pos_encoding_kwargs"] or {}).get("use_scale_factor", is_stu),
        use_causal_attn=config["use_causal_attn"],
        use_key_padding_mask=config["use_key_padding_mask"],
        relative_time_attention=is_stu and config["relative_time_attention"],
        relative_pos_attention=is_stu and config["relative_pos_attention"],
        epsilon=options.get("epsilon", 1e-6),
        distance=(config["similarity_module_kwargs"] or {}).get("distance", "cosine" if is_stu else "dot"),
        id_block=bool(items),
        n_values=len(values[0]) if values else 0,
        n_stored=len(stored[0]) if stored else 0,
    )
