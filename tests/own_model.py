"""A recommender of one's own, as small as they come: GRU4Rec (Hidasi et al., ICLR 2016) with residual layers."""

from typing import ClassVar

from torch import nn

from recmodels.model import SequentialRecommender
from recmodels.model_parts import RecommenderConfig


class GRUConfig(RecommenderConfig):
    model_type = "gru4rec"


class GRULayer(nn.Module):
    def __init__(self, size, bias):
        super().__init__()
        self.gru = nn.GRU(size, size, batch_first=True, bias=bias)

    def forward(self, hidden):
        return hidden + self.gru(hidden)[0]


class GRU4Rec(SequentialRecommender):
    config_class = GRUConfig
    site_paths: ClassVar = {"embedding": "items", "blocks.*": "layers.*", "final": "norm"}
    bias = False  # so that a state of zeros stays one while there is padding

    def __init__(self, config):
        super().__init__(config)
        self.items = nn.Embedding(config.n_items + 1, config.hidden_size, padding_idx=0)
        self.layers = nn.ModuleList(GRULayer(config.hidden_size, self.bias) for _ in range(config.num_hidden_layers))
        self.norm = nn.LayerNorm(config.hidden_size)
        self.post_init()

    def get_input_embeddings(self):
        return self.items

    def encode(self, input_ids):
        hidden = self.items(input_ids)
        for layer in self.layers:
            hidden = layer(hidden)
        return self.norm(hidden)


class BiasedGRU4Rec(GRU4Rec):
    bias = True  # a mistake: padding changes the state


class TupleGRU4Rec(GRU4Rec):
    site_paths: ClassVar = GRU4Rec.site_paths | {"blocks.*": "layers.*.gru"}  # a mistake: a GRU gives a pair
