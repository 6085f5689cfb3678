"""The configuration, output and scorer that recommenders have, and the paths of their sites.

Axes: b histories, d hidden size, v items.
"""

import re
from dataclasses import dataclass
from functools import cache

import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PretrainedConfig
from transformers.utils import ModelOutput

from recmodels.config import site_names


class RecommenderConfig(PretrainedConfig):
    """Size of a sequential recommender; the defaults are the paper's (section 5).

    Attributes:
        n_items: items in the vocabulary.
        max_history: how many of a history's last items the model reads.
        hidden_size: width of the residual stream.
        num_hidden_layers: transformer blocks.
        num_attention_heads: attention heads of each block.
        dropout: dropout rate everywhere.
    """

    n_items: int = 1
    max_history: int = 64
    hidden_size: int = 64
    num_hidden_layers: int = 3
    num_attention_heads: int = 2
    dropout: float = 0.1
    # The scores are tied to the embeddings by hand (see TiedScorer), so transformers has nothing to tie.
    tie_word_embeddings: bool = False


@dataclass
class RecommenderOutput(ModelOutput):
    """What a recommender's forward pass returns; one of the two is None.

    Attributes:
        loss: mean over all labelled steps of what training minimises, when labels were given.
        scores: [b, v] scores of every item as each history's next one, when they were not.
    """

    loss: Tensor | None = None
    scores: Tensor | None = None


class TiedScorer(nn.Module):
    """Scores items by the inner product of a hidden state with the item's input embedding.

    Holds no weights of its own. It is a module so that the scores have a place in the module tree, where
    a trace can read and edit them.
    """

    def forward(self, hidden: Tensor, items: Tensor) -> Tensor:
        """[..., d] hidden states and [v, d] embeddings to [..., v] scores."""
        return F.linear(hidden, items)


@cache
def paths_of_sites(n_blocks: int, site_paths: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """The path of each site, from those of its kinds (`SequentialRecommender.site_paths`)."""
    kinds, paths = dict(site_paths), {}
    for name in site_names(n_blocks):
        number, kind = re.search(r"\d+", name), re.sub(r"\d+", "*", name)
        if kind in kinds:
            paths[name] = kinds[kind].replace("*", number.group()) if number else kinds[kind]
    return paths
