"""Checkpoints of gSASRec-pytorch, which its train_gsasrec.py saves: the tensors alone.

Items are numbered from 1, padding is the number after the last item, on the left. Padding is masked, but positions
count from the start of the padded sequence, so the network always reads `sequence_length` steps. The embeddings that
score items are others than those that it reads, unless it was built to reuse them.

Source: https://github.com/asash/gSASRec-pytorch, gsasrec.py and transformer_decoder.py, since September 2023. Petrov
and Macdonald, *gSASRec*, RecSys 2023. Axes: b histories, w steps, d width, v items.
"""

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from recmodels.adapters.adapter import Adapter
from recmodels.adapters.attention import attend, causal
from recmodels.adapters.batch import Batch
from recmodels.adapters.checkpoint_reader import read_checkpoint
from recmodels.adapters.foreign import read_item_ids
from recmodels.adapters.registry import register_adapter
from recmodels.adapters.weights import load_weights
from recmodels.errors import InputError, quote
from recmodels.wording import counted

CONFIG = "GSASRecExperimentConfig"
HEADS = 4  # of a configuration that names none


class Attention(nn.Module):
    """Attention without a layer after it."""

    def __init__(self, d: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query_proj, self.key_proj, self.val_proj = nn.Linear(d, d), nn.Linear(d, d), nn.Linear(d, d)

    def forward(self, queries: Tensor, keys: Tensor, seen: Tensor) -> Tensor:
        """[b, w, d] what asks, [b, w, d] what is seen, and bool [b, 1, w, w], to [b, w, d]; 0 where nothing is seen."""
        context = attend(self.query_proj(queries), self.key_proj(keys), self.val_proj(keys), self.heads, seen)
        return context.nan_to_num()


class Block(nn.Module):
    """A block: what goes on is the normalised input, as in the authors' SASRec."""

    def __init__(self, d: int, heads: int) -> None:
        super().__init__()
        self.first_norm, self.second_norm = nn.LayerNorm(d), nn.LayerNorm(d)
        self.multihead_attention = Attention(d, heads)
        self.dense1, self.dense2 = nn.Linear(d, d), nn.Linear(d, d)

    def forward(self, hidden: Tensor, seen: Tensor, real: Tensor) -> Tensor:
        """[b, w, d] to the same, 0 at padding."""
        normed = self.first_norm(hidden)
        hidden = self.second_norm(normed + self.multihead_attention(normed, hidden, seen))
        return (hidden + self.dense2(self.dense1(hidden).relu())) * real


class Network(nn.Module):
    """gSASRec with the published names of parameters.

    Args:
        n_items: v.
        sequence_length: steps that it reads.
        d: width.
        blocks: transformer blocks.
        heads: attention heads.
        tied: whether the embeddings that score items are those that it reads.
    """

    def __init__(self, n_items: int, sequence_length: int, d: int, blocks: int, heads: int, tied: bool) -> None:
        super().__init__()
        self.pad = n_items + 1
        self.item_embedding = nn.Embedding(n_items + 2, d)
        self.position_embedding = nn.Embedding(sequence_length, d)
        self.transformer_blocks = nn.ModuleList(Block(d, heads) for _ in range(blocks))
        self.seq_norm = nn.LayerNorm(d)
        if not tied:
            self.output_embedding = nn.Embedding(n_items + 2, d)

    def forward(self, tokens: Tensor) -> Tensor:
        """[b, w] tokens to hidden states [b, w, d]."""
        w, is_item = tokens.shape[1], tokens != self.pad
        real = is_item[..., None]
        steps = torch.arange(w, device=tokens.device)
        hidden = (self.item_embedding(tokens) + self.position_embedding(steps)) * real
        seen = (causal(w, tokens.device) & is_item[:, None])[:, None]
        for block in self.transformer_blocks:
            hidden = block(hidden, seen, real)
        return self.seq_norm(hidden)


@register_adapter
class GSASRec(Adapter):
    """A model of gSASRec-pytorch; the arguments are those of `Network`."""

    name = "gsasrec"
    title = "gSASRec"
    full_width = True
    sites = {  # noqa: RUF012 - as the base class declares it
        "embedding": "item_embedding",
        "blocks.*.attention": "transformer_blocks.*.multihead_attention",
        "blocks.*.mlp": "transformer_blocks.*.dense2",
        "blocks.*": "transformer_blocks.*",
    }

    def __init__(self, **network: Any) -> None:
        super().__init__(Network(**network), network["n_items"], network["sequence_length"], network)

    @classmethod
    def build(cls, settings: dict[str, Any]) -> Self:
        """The adapter of an untrained network."""
        return cls(**settings)

    @classmethod
    def read(
        cls, path: Path, *, item_ids: Path | None = None, config: Path | None = None, heads: int | None = None
    ) -> tuple[Self, Sequence[Any]]:
        """The adapter of a checkpoint, and its item ids in the order of the scores.

        Args:
            path: the `.pt` file that train_gsasrec.py saved.
            item_ids: your ids of the items 1, 2, … of its data files; by default these numbers themselves.
            config: the file of the training, such as config_ml1m.py, from which the number of heads is read; it is not
                run.
            heads: instead, attention heads (`num_heads`).

        Raises:
            InputError: the file is no such checkpoint, or the number of heads is missing or wrong.
        """
        tensors = read_checkpoint(path)
        if (
            not isinstance(tensors, dict)
            or not {"item_embedding.weight", "position_embedding.weight"} <= tensors.keys()
        ):
            raise InputError(f"{path} is not a checkpoint of gSASRec-pytorch: give the .pt that train_gsasrec.py saved")
        if heads is None:
            if config is None:
                raise InputError(
                    f"{path} does not tell how many heads its attention has: give heads=… or config=FILE.py"
                )
            heads = _heads(config)
        rows, d = tensors["item_embedding.weight"].shape
        if heads < 1 or d % heads:
            raise InputError(f"{path} has width {d}, which {heads} attention heads cannot share: heads=… is wrong")
        adapter = cls(
            n_items=rows - 2,
            sequence_length=len(tensors["position_embedding.weight"]),
            d=d,
            blocks=sum(name.endswith("multihead_attention.query_proj.weight") for name in tensors),
            heads=heads,
            tied="output_embedding.weight" not in tensors,
        )
        load_weights(adapter.module, tensors, path)
        ids = list(range(1, rows - 1)) if item_ids is None else read_item_ids(item_ids)
        if len(ids) != adapter.n_items:
            raise InputError(
                f"{item_ids} has {counted(len(ids), 'id')}, and {path} {counted(adapter.n_items, 'item')}: give one "
                f"for each"
            )
        return adapter, ids

    def run(self, batch: Batch) -> Tensor:
        """[b, w, d]."""
        return self.module(batch.tokens(pad=self.n_items + 1))

    def weights(self) -> Tensor:
        """[v, d] the embeddings that score items."""
        name = "item_embedding" if self.settings["tied"] else "output_embedding"
        return self.module.get_parameter(f"{name}.weight")[1 : 1 + self.n_items]

    def embeddings(self) -> Tensor:
        """[v, d] the embeddings that the network reads."""
        return self.module.get_parameter("item_embedding.weight")[1 : 1 + self.n_items]


def _heads(path: Path) -> int:
    """The number of heads in a configuration, which is Python code: its text is read, not run."""
    advice = "give heads=… instead"
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read ({error}): {advice}") from None
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == CONFIG]
    if len(calls) != 1:
        raise InputError(f"{path} has no {CONFIG}: {advice}")
    value = next((word.value for word in calls[0].keywords if word.arg == "num_heads"), ast.Constant(HEADS))
    if not isinstance(value, ast.Constant) or type(value.value) is not int:
        raise InputError(f"{path} gives num_heads as {quote(ast.unparse(value))}, not as a number: {advice}")
    return value.value
