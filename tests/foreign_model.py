"""A model that another program trained: a plain SASRec in torch, its trainer, its checkpoint and its adapter.

`interp --import tests/foreign_model.py …` makes the adapter known to the command line.
"""

import json
from pathlib import Path
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import nn

from recmodels.adapters import Adapter, register_adapter

LENGTH = 16


class SASRec(nn.Module):
    """A causal transformer that pads on the right, scores by its item embeddings and a bias."""

    def __init__(self, n_items, size=16, length=LENGTH):
        super().__init__()
        self.item_emb = nn.Embedding(n_items + 1, size, padding_idx=0)
        self.pos_emb = nn.Embedding(length, size)
        for embedding in (self.item_emb, self.pos_emb):
            nn.init.normal_(embedding.weight, std=0.1)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(size, 2, 2 * size, batch_first=True, norm_first=True) for _ in range(2)
        )
        self.norm = nn.LayerNorm(size)
        self.bias = nn.Parameter(torch.zeros(n_items))

    def log2feats(self, tokens):
        steps = tokens.shape[1]
        hidden = self.item_emb(tokens) + self.pos_emb(torch.arange(steps))
        for layer in self.layers:
            hidden = layer(hidden, src_mask=nn.Transformer.generate_square_subsequent_mask(steps))
        return self.norm(hidden)

    def predict(self, tokens):
        """The program's own prediction call: scores [v] of one history without padding."""
        return self.item_emb.weight[1:] @ self.log2feats(tokens[None])[0, -1] + self.bias


def train(histories, items, epochs=6, size=16):
    """Fit it on lists of item ids: the checkpoint as a dict."""
    torch.manual_seed(0)
    token = {item: number + 1 for number, item in enumerate(items)}
    model = SASRec(len(items), size)
    rows = [[token[item] for item in history if item in token][-LENGTH - 1 :] for history in histories]
    inputs, targets = torch.zeros(2, len(rows), LENGTH, dtype=torch.long)
    for place, row in enumerate(rows):
        inputs[place, : len(row) - 1] = torch.tensor(row[:-1])
        targets[place, : len(row) - 1] = torch.tensor(row[1:])
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(epochs):
        for batch in torch.randperm(len(rows)).split(32):
            real = targets[batch] > 0
            logits = F.linear(model.log2feats(inputs[batch])[real], model.item_emb.weight[1:], model.bias)
            loss = F.cross_entropy(logits, targets[batch][real] - 1)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return {"state": model.state_dict(), "items": list(items), "size": size}


def expected_scores(checkpoint, histories):
    """What its own prediction call gives for some histories, as the file of expected scores has them."""
    model = SASRec(len(checkpoint["items"]), checkpoint["size"])
    model.load_state_dict(checkpoint["state"])
    token = {item: number + 1 for number, item in enumerate(checkpoint["items"])}
    with torch.no_grad():
        scores = [model.eval().predict(torch.tensor([token[item] for item in row])[-LENGTH:]) for row in histories]
    return [
        {"history": list(row), "items": checkpoint["items"], "scores": of_row.tolist()}
        for row, of_row in zip(histories, scores, strict=True)
    ]


@register_adapter
class ForeignSASRec(Adapter):
    name = "foreign"
    title = "Foreign SASRec"
    sites: ClassVar = {"embedding": "item_emb", "blocks.*": "layers.*", "blocks.*.mlp": "layers.*.linear2"}
    side = "right"

    def run(self, batch):
        return self.module.log2feats(batch.tokens())

    def weights(self):
        return self.module.item_emb.weight[1:]

    def bias(self):
        return self.module.bias

    @classmethod
    def build(cls, settings):
        return cls(SASRec(**settings), settings["n_items"], LENGTH, settings)

    @classmethod
    def read(cls, path: Path, *, item_ids: Path | None = None, shift: int = 0):
        """Its checkpoint; `shift` rolls the item map, a mistake that expected scores must show."""
        checkpoint = torch.load(path, weights_only=True)
        adapter = cls.build({"n_items": len(checkpoint["items"]), "size": checkpoint["size"]})
        adapter.module.load_state_dict(checkpoint["state"])
        ids = checkpoint["items"] if item_ids is None else json.loads(item_ids.read_text())
        return adapter, ids[shift:] + ids[:shift]
