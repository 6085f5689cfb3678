"""Checkpoints of pmixer's SASRec.pytorch, which its main.py saves: the tensors alone, with args.txt beside them.

The network does not mask its padding, item 0 on the left, so it always reads `maxlen` steps. Three kinds of blocks were
published, with the same tensors; args.txt tells which. Until June 2024 there was one position less, and the outputs of
blocks were set to 0 at padding.

Source: https://github.com/pmixer/SASRec.pytorch, python/model.py. Axes: b histories, w steps, d width, v items.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from recmodels.adapters.adapter import Adapter
from recmodels.adapters.attention import causal
from recmodels.adapters.batch import Batch
from recmodels.adapters.checkpoint_reader import read_checkpoint
from recmodels.adapters.foreign import read_item_ids
from recmodels.adapters.multihead import MultiheadAttention
from recmodels.adapters.registry import register_adapter
from recmodels.adapters.weights import load_weights
from recmodels.errors import InputError, quote
from recmodels.wording import counted

KINDS = ("original", "post-norm", "pre-norm")  # until May 2025; since then; since then with --norm_first
FILE_NAME = re.compile(r"\.layer=\d+\.head=(?P<num_heads>\d+)\.hidden=\d+\.maxlen=(?P<maxlen>\d+)\.pth$")
EPSILON = 1e-8


class FeedForward(nn.Module):
    """Two convolutions of width 1, which are dense layers."""

    def __init__(self, d: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv1d(d, d, 1), nn.Conv1d(d, d, 1)

    def forward(self, hidden: Tensor) -> Tensor:
        """[b, w, d] to the same."""
        return self.conv2(self.conv1(hidden.mT).relu()).mT


class Network(nn.Module):
    """SASRec with the published names of parameters. `blocks` holds none: each gives back what a block leaves.

    Args:
        tokens: items and padding.
        positions: rows of the positions' embeddings.
        d: width.
        layers: blocks.
        heads: attention heads.
        kind: one of `KINDS`.
        masked: whether it is of the time until June 2024.
    """

    def __init__(self, tokens: int, positions: int, d: int, layers: int, heads: int, kind: str, masked: bool) -> None:
        super().__init__()
        self.d, self.kind, self.masked = d, kind, masked
        self.item_emb, self.pos_emb = nn.Embedding(tokens, d), nn.Embedding(positions, d)
        self.attention_layernorms = nn.ModuleList(nn.LayerNorm(d, EPSILON) for _ in range(layers))
        self.attention_layers = nn.ModuleList(MultiheadAttention(d, heads) for _ in range(layers))
        self.forward_layernorms = nn.ModuleList(nn.LayerNorm(d, EPSILON) for _ in range(layers))
        self.forward_layers = nn.ModuleList(FeedForward(d) for _ in range(layers))
        self.blocks = nn.ModuleList(nn.Identity() for _ in range(layers))
        self.last_layernorm = nn.LayerNorm(d, EPSILON)

    def forward(self, tokens: Tensor) -> Tensor:
        """[b, w] tokens to hidden states [b, w, d]."""
        w, real = tokens.shape[1], (tokens != 0)[..., None]
        places = torch.arange(w, device=tokens.device)
        positions = self.pos_emb(places if self.masked else (places + 1) * (tokens != 0))
        hidden = self.item_emb(tokens) * self.d**0.5 + positions
        if self.masked:
            hidden = hidden * real
        seen = causal(w, tokens.device)
        for parts in zip(
            self.attention_layernorms,
            self.attention_layers,
            self.forward_layernorms,
            self.forward_layers,
            self.blocks,
            strict=True,
        ):
            hidden = self._block(hidden, seen, *parts[:4])
            hidden = parts[4](hidden * real if self.masked else hidden)
        return self.last_layernorm(hidden)

    def _block(self, hidden: Tensor, seen: Tensor, norm_1: Any, attend: Any, norm_2: Any, feed: Any) -> Tensor:
        if self.kind == "post-norm":
            hidden = norm_1(hidden + attend(hidden, hidden, seen))
            return norm_2(hidden + feed(hidden))
        normed = norm_1(hidden)
        if self.kind == "pre-norm":
            hidden = hidden + attend(normed, normed, seen)
            return hidden + feed(norm_2(hidden))
        hidden = norm_2(normed + attend(normed, hidden, seen))
        return hidden + feed(hidden)


@register_adapter
class Pmixer(Adapter):
    """A SASRec of SASRec.pytorch.

    Args:
        maxlen: steps that it reads.
        network: arguments of `Network`.
    """

    name = "pmixer"
    title = "SASRec (pmixer)"
    full_width = True
    sites = {  # noqa: RUF012 - as the base class declares it
        "embedding": "item_emb",
        "blocks.*.attention": "attention_layers.*",
        "blocks.*.mlp": "forward_layers.*",
        "blocks.*": "blocks.*",
    }

    def __init__(self, maxlen: int, network: dict[str, Any]) -> None:
        super().__init__(Network(**network), network["tokens"] - 1, maxlen, {"maxlen": maxlen, "network": network})

    @classmethod
    def build(cls, settings: dict[str, Any]) -> Self:
        """The adapter of an untrained network."""
        return cls(**settings)

    @classmethod
    def read(
        cls,
        path: Path,
        *,
        item_ids: Path | None = None,
        heads: int | None = None,
        maxlen: int | None = None,
        kind: str | None = None,
    ) -> tuple[Self, Sequence[Any]]:
        """The adapter of a checkpoint, and its item ids in the order of the scores.

        Args:
            path: the `.pth` file that main.py saved.
            item_ids: your ids of the items 1, 2, … of its data file; by default these numbers themselves.
            heads: attention heads (`--num_heads`), if neither args.txt nor the name of the file tells.
            maxlen: steps that it reads (`--maxlen`), likewise.
            kind: "original" (a release until May 2025), "post-norm" or "pre-norm" (`--norm_first`), if there is no
                args.txt.

        Raises:
            InputError: the file is no such checkpoint, or an option that it needs is missing.
        """
        tensors = read_checkpoint(path)
        if not isinstance(tensors, dict) or not {"item_emb.weight", "pos_emb.weight"} <= tensors.keys():
            raise InputError(f"{path} is not a checkpoint of SASRec.pytorch: give the .pth that its main.py saved")
        known = _arguments(path)
        maxlen = _number(path, "maxlen", maxlen, known.get("maxlen"))
        heads = _number(path, "heads", heads, known.get("num_heads"))
        (tokens, d), positions = tensors["item_emb.weight"].shape, len(tensors["pos_emb.weight"])
        if positions - maxlen not in (0, 1) or heads < 1 or d % heads:
            raise InputError(
                f"{path} has {positions} positions and width {d}: maxlen={maxlen} or heads={heads} is wrong"
            )
        network = {
            "tokens": tokens,
            "positions": positions,
            "d": d,
            "layers": sum(name.endswith("in_proj_weight") for name in tensors),
            "heads": heads,
            "kind": _kind(path, kind, known, masked=positions == maxlen),
            "masked": positions == maxlen,
        }
        adapter = cls(maxlen, network)
        load_weights(adapter.module, tensors, path)
        ids = list(range(1, tokens)) if item_ids is None else read_item_ids(item_ids)
        if len(ids) != adapter.n_items:
            raise InputError(
                f"{item_ids} has {counted(len(ids), 'id')}, and {path} {counted(adapter.n_items, 'item')}: give one "
                f"for each"
            )
        return adapter, ids

    def run(self, batch: Batch) -> Tensor:
        """[b, w, d]."""
        return self.module(batch.tokens())

    def weights(self) -> Tensor:
        """[v, d] the items' embeddings."""
        return self.module.get_parameter("item_emb.weight")[1:]


def _arguments(path: Path) -> dict[str, str]:
    """What args.txt beside the checkpoint says, or else the name of the file."""
    arguments = path.with_name("args.txt")
    if arguments.is_file():
        lines = arguments.read_text(encoding="utf-8", errors="replace").splitlines()
        return dict(line.split(",", 1) for line in lines if "," in line)
    match = FILE_NAME.search(path.name)
    return match.groupdict() if match else {}


def _number(path: Path, name: str, option: int | None, known: str | None) -> int:
    if option is None and not (known and known.isdecimal()):
        raise InputError(f"neither args.txt nor the name of {path} tells {name}: give it ({name}=…)")
    return int(known) if option is None else option  # type: ignore[arg-type]


def _kind(path: Path, option: str | None, known: dict[str, str], masked: bool) -> str:
    """Which kind of blocks a checkpoint has; that of a release is in none of its tensors."""
    if option is None and masked:
        return "original"
    if option is None and "dataset" in known:
        return {"True": "pre-norm", "False": "post-norm"}.get(known.get("norm_first", ""), "original")
    if option not in KINDS:
        what = "has no args.txt beside it" if option is None else f"cannot have blocks of the kind {quote(option)}"
        raise InputError(f"{path} {what}: give kind=… as one of {', '.join(KINDS)}")
    return option
