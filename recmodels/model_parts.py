"""The configuration, output and scorer that recommenders have.

Axes: b histories, d hidden size, v items.
"""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PretrainedConfig
from transformers.utils import ModelOutput


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
