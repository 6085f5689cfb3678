"""BERT4Rec: a BERT encoder over item sequences, trained to fill in hidden items, used to predict the next one.

Sun et al., *BERT4Rec: Sequential Recommendation with Bidirectional Encoder Representations from Transformer*,
CIKM 2019; masking as in the paper (docs/paper.md, 2).
"""

from typing import ClassVar

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from recmodels import bert_last_step
from recmodels.model import IGNORE, SequentialRecommender
from recmodels.model_parts import RecommenderConfig
from recmodels.sequences import PAD, Histories

ROWS = 2048  # steps of all values in one pass


class BERT4RecConfig(RecommenderConfig):
    """Size of a BERT4Rec; see `RecommenderConfig`.

    Attributes:
        mask_share: share of a training window's items that are hidden.
    """

    model_type = "bert4rec"
    mask_share: float = 0.2


class BERT4Rec(SequentialRecommender):
    """Bidirectional recommender: every step sees the whole history, and a [MASK] after it stands for what comes next.

    At inference the last step holds the [MASK] instead of an item; its hidden state is scored and steered.
    """

    config_class = BERT4RecConfig
    site_paths: ClassVar[dict[str, str]] = {
        "embedding": "backbone.embeddings.word_embeddings",
        "blocks.*.attention": "backbone.encoder.layer.*.attention.output.dense",
        "blocks.*.mlp": "backbone.encoder.layer.*.output.dense",
        "blocks.*": "backbone.encoder.layer.*",
        "final": "final",
    }

    def __init__(self, config: BERT4RecConfig) -> None:
        super().__init__(config)
        self.backbone = BertModel(
            BertConfig(
                vocab_size=config.n_items + 2,
                max_position_embeddings=config.max_history + 1,
                hidden_size=config.hidden_size,
                num_hidden_layers=config.num_hidden_layers,
                num_attention_heads=config.num_attention_heads,
                intermediate_size=4 * config.hidden_size,
                hidden_dropout_prob=config.dropout,
                attention_probs_dropout_prob=config.dropout,
                type_vocab_size=1,
                pad_token_id=PAD,
                bos_token_id=None,
                eos_token_id=None,
            ),
            add_pooling_layer=False,
        )
        # BERT ends with its last block. The identity module makes "final" a separate site, not a second name of that
        # block.
        self.final = nn.Identity()
        self.post_init()

    @property
    def mask_token(self) -> int:
        """The token of [MASK], after those of all items."""
        return self.config.n_items + 1

    def get_input_embeddings(self) -> nn.Embedding:
        """The token embeddings; row 0 is padding, row code + 1 is an item, the last row is [MASK]."""
        return self.backbone.embeddings.word_embeddings

    def encode(self, input_ids: Tensor) -> Tensor:
        """Last hidden states: [b, s] left-padded tokens to [b, s, d]."""
        real = input_ids != PAD
        # Positions count real tokens only, so that the width of the padding does not matter.
        position = (real.cumsum(dim=1) - 1).clamp(min=0)
        encoded = self.backbone(input_ids, attention_mask=real.long(), position_ids=position)
        return self.final(encoded.last_hidden_state)

    def scored_after(self, block: int, input_ids: Tensor, hidden: Tensor, last: Tensor) -> Tensor:
        """What the scorer reads for many values of the last step's hidden state; see the base class.

        Every step sees the last one; what is shared nevertheless is computed once (`recmodels.bert_last_step`).
        """
        blocks, real = list(self.backbone.encoder.layer)[block + 1 :], input_ids[:, :-1] != PAD
        e = min(last.shape[1], max(1, ROWS // hidden.shape[1]))  # values of a history in a pass
        b = max(1, ROWS // (e * hidden.shape[1]))  # histories
        outputs = []
        for values, steps, is_real in zip(last.split(b), hidden[:, :-1].split(b), real.split(b), strict=True):
            parts = [bert_last_step.last_step_through(blocks, steps, is_real, part) for part in values.split(e, dim=1)]
            outputs.append(torch.cat(parts, dim=1))
        return self.final(torch.cat(outputs))

    def inference_inputs(self, histories: Histories) -> Tensor:
        """The last `max_history` items of each history, and a [MASK] after them."""
        tokens = histories.tokens(self.config.max_history)
        return torch.cat([tokens, torch.full((len(tokens), 1), self.mask_token)], dim=1)

    def training_batch(self, histories: Histories) -> dict[str, Tensor]:
        """Windows in which each item is hidden with probability `mask_share`, and at least one of them is."""
        tokens = histories.tokens(self.config.max_history + 1)
        chance = torch.where(tokens != PAD, torch.rand(tokens.shape), torch.inf)
        hidden = (chance < self.config.mask_share) | (chance == chance.amin(dim=1, keepdim=True))
        labels = torch.where(hidden, tokens - 1, IGNORE)
        return {"input_ids": torch.where(hidden, self.mask_token, tokens), "labels": labels}
