from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn

from interp.model.envoys import RecommenderEnvoy
from recmodels.adapters import Adapter, register_adapter, wrap
from recmodels.recommender import Recommender

IDS = [f"film {number}" for number in range(20)]


class SASRec(nn.Module):
    """A causal transformer whose padding may be on either side of the items."""

    def __init__(self, n_items: int = 20, size: int = 8, length: int = 6) -> None:
        super().__init__()
        self.item_emb = nn.Embedding(n_items + 1, size, padding_idx=0)
        self.pos_emb = nn.Embedding(length, size)
        self.layers = nn.ModuleList(nn.TransformerEncoderLayer(size, 2, 16, batch_first=True) for _ in range(2))
        self.norm = nn.LayerNorm(size)

    def log2feats(self, tokens: torch.Tensor) -> torch.Tensor:
        steps = tokens.shape[1]
        hidden = self.item_emb(tokens) + self.pos_emb(torch.arange(steps))
        for layer in self.layers:
            hidden = layer(hidden, src_mask=nn.Transformer.generate_square_subsequent_mask(steps))
        return self.norm(hidden)


@register_adapter
class RightPadded(Adapter):
    name = "right-padded"
    sites: ClassVar = {"embedding": "item_emb", "blocks.*": "layers.*", "blocks.*.mlp": "layers.*.linear2"}
    side = "right"

    def run(self, batch):
        return self.module.log2feats(batch.tokens())

    def weights(self):
        return self.module.item_emb.weight[1:]

    @classmethod
    def build(cls, settings):
        return cls(SASRec(**settings), n_items=settings["n_items"], max_history=settings["length"], settings=settings)


@pytest.fixture
def recommender() -> Recommender:
    torch.manual_seed(0)
    return wrap(RightPadded.build({"n_items": 20, "size": 8, "length": 6}), IDS)


def test_scores_are_those_of_the_module_itself(recommender):
    histories = [IDS[:2], IDS[3:9], IDS[5:15]]
    scores = recommender.score(recommender.histories(histories))
    module = recommender.model.module.eval()
    for row, codes in enumerate(([0, 1], range(3, 9), range(9, 15))):
        hidden = module.log2feats(torch.tensor([[code + 1 for code in codes]]))[0, -1]
        torch.testing.assert_close(scores[row], module.item_emb.weight[1:] @ hidden, rtol=1e-5, atol=1e-5)


def test_a_site_of_a_module_that_pads_on_the_right_is_read_and_written_from_the_last_step_back(recommender):
    rec = RecommenderEnvoy(recommender)
    assert list(recommender.model.sites) == [
        "embedding", "blocks.0.mlp", "blocks.0", "blocks.1.mlp", "blocks.1", "final"
    ]  # fmt: skip
    with rec.trace([IDS[:2], IDS[3:7]]):
        embedding = rec.embedding.output.save()
        hidden = rec.blocks[1].output.save()
    assert hidden.shape == (2, 4, 8)
    torch.testing.assert_close(embedding[0, -2:], recommender.model.module.item_emb.weight[1:3])
    assigned = torch.full((2, 4, 8), 0.5)
    for edit_in_place in (False, True):
        with rec.trace([IDS[:2], IDS[3:7]]):
            if edit_in_place:
                rec.blocks[1].output[:] = 0.5
            else:
                rec.blocks[1].output = assigned
            final = rec.final.output.save()
        torch.testing.assert_close(final, recommender.model.module.norm(assigned))


def test_a_registered_adapter_is_saved_and_opened(recommender, tmp_path):
    recommender.save(tmp_path / "recommender")
    again = Recommender.load(tmp_path / "recommender")
    histories = [IDS[:2], IDS[3:9]]
    np.testing.assert_array_equal(again.rank(histories), recommender.rank(histories))
    assert again.fingerprint == recommender.fingerprint
