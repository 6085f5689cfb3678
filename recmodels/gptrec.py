"""GPTRec: a GPT-2 decoder over item sequences, trained to predict the next item at every step.

Petrov and Macdonald, *Generative Sequential Recommendation with GPTRec*, arXiv 2306.11114.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn
from transformers import GPT2Config, GPT2Model

from recmodels import gpt2_last_step
from recmodels.model import SequentialRecommender
from recmodels.model_parts import RecommenderConfig
from recmodels.sequences import PAD

ROWS = 1024  # steps and values of a pass of `scored_after`, so that they stay in the processor's cache


class GPTRecConfig(RecommenderConfig):
    """Size of a GPTRec; see `RecommenderConfig`."""

    model_type = "gptrec"


class GPTRec(SequentialRecommender):
    """Causal recommender: the hidden state at a step sees that step's item and all before it."""

    config_class = GPTRecConfig
    site_paths: ClassVar[dict[str, str]] = {
        "embedding": "backbone.wte",
        "blocks.*.attention": "backbone.h.*.attn.c_proj",
        "blocks.*.mlp": "backbone.h.*.mlp",
        "blocks.*": "backbone.h.*",
        "final": "backbone.ln_f",
    }

    def __init__(self, config: GPTRecConfig) -> None:
        super().__init__(config)
        self.backbone = GPT2Model(
            GPT2Config(
                vocab_size=config.n_items + 1,
                n_positions=config.max_history,
                n_embd=config.hidden_size,
                n_layer=config.num_hidden_layers,
                n_head=config.num_attention_heads,
                activation_function="gelu_pytorch_tanh",  # GPT-2's gelu_new in one operation
                resid_pdrop=config.dropout,
                embd_pdrop=config.dropout,
                attn_pdrop=config.dropout,
                bos_token_id=None,
                eos_token_id=None,
                use_cache=False,
            )
        )
        self.post_init()

    def get_input_embeddings(self) -> nn.Embedding:
        """The token embeddings; row 0 is padding, row code + 1 is an item."""
        return self.backbone.wte

    def encode(self, input_ids: Tensor) -> Tensor:
        """Last hidden states: [b, s] left-padded tokens to [b, s, d]."""
        real = input_ids != PAD
        # Positions count real items only, so that the width of the padding does not matter.
        position = (real.cumsum(dim=1) - 1).clamp(min=0)
        return self.backbone(input_ids, attention_mask=real.long(), position_ids=position).last_hidden_state

    def scored_after(self, block: int, input_ids: Tensor, hidden: Tensor, last: Tensor) -> Tensor:
        """What the scorer reads for many values of the last step's hidden state; see the base class.

        No step sees later ones, so what precedes the last step is computed once (`recmodels.gpt2_last_step`).
        """
        blocks, real = list(self.backbone.h)[block + 1 :], input_ids[:, :-1] != PAD
        b = max(1, ROWS // (last.shape[1] + hidden.shape[1]))
        parts = zip(hidden[:, :-1].split(b), real.split(b), last.split(b), strict=True)
        return self.backbone.ln_f(torch.cat([gpt2_last_step.last_step_through(blocks, *part) for part in parts]))
